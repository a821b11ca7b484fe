//! Two families of addresses, given out in turn.

use std::collections::VecDeque;

/// IPv6 and IPv4 addresses, each in its own order, given out in turn (RFC 8305 Section 4). Those that come late take
/// their turn as well.
#[derive(Debug)]
pub(crate) struct Families<T> {
    pub(crate) ipv6: VecDeque<T>,
    pub(crate) ipv4: VecDeque<T>,
    /// The family of the next, if it has any.
    next: Option<Family>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ipv6,
    Ipv4,
}

impl Family {
    fn other(self) -> Self {
        if self == Self::Ipv6 { Self::Ipv4 } else { Self::Ipv6 }
    }
}

impl<T> Families<T> {
    pub(crate) fn new(ipv6: VecDeque<T>, ipv4: VecDeque<T>) -> Self {
        Self { ipv6, ipv4, next: None }
    }

    /// Takes the next, of the family whose turn it is. The first of all is of the family `first`.
    pub(crate) fn next(&mut self, first: Family) -> Option<T> {
        let turn = self.next.unwrap_or(first);
        let family = if self.of(turn).is_empty() { turn.other() } else { turn };
        let taken = self.of(family).pop_front()?;
        self.next = Some(family.other());
        Some(taken)
    }

    fn of(&mut self, family: Family) -> &mut VecDeque<T> {
        match family {
            Family::Ipv6 => &mut self.ipv6,
            Family::Ipv4 => &mut self.ipv4,
        }
    }
}
