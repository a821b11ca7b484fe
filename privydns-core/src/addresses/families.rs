//! Addresses of two families, in alternation.

use std::collections::VecDeque;

/// IPv6 and IPv4 addresses, each in a given order, returned in alternation (RFC 8305 Section 4). Addresses
/// may be added late.
#[derive(Debug)]
pub(crate) struct Families<T> {
    pub(crate) ipv6: VecDeque<T>,
    pub(crate) ipv4: VecDeque<T>,
    /// The family of the next address, if it has any.
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

    /// The next address, from the family whose turn it is. The very first one is from the family `first`.
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
