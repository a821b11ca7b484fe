//! Conditions of rules.

use std::ops::{RangeFrom, RangeFull, RangeInclusive};

use hickory_proto::rr::RecordType;

/// A range of counts, which start at 1. Both ends are included.
///
/// Converts from a number (`3` is the third only), from `2..=4`, from `2..`, or from `..`, which is the whole
/// range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turns {
    first: u64,
    last: u64,
}

impl Turns {
    pub(super) fn contain(self, turn: u64) -> bool {
        (self.first..=self.last).contains(&turn)
    }
}

impl From<u64> for Turns {
    fn from(turn: u64) -> Self {
        Self { first: turn, last: turn }
    }
}

impl From<RangeInclusive<u64>> for Turns {
    fn from(turns: RangeInclusive<u64>) -> Self {
        Self { first: *turns.start(), last: *turns.end() }
    }
}

impl From<RangeFrom<u64>> for Turns {
    fn from(turns: RangeFrom<u64>) -> Self {
        Self { first: turns.start, last: u64::MAX }
    }
}

impl From<RangeFull> for Turns {
    fn from(_: RangeFull) -> Self {
        Self { first: 0, last: u64::MAX }
    }
}

/// The queries that a rule applies to. A query must meet all conditions; the queries that do are counted, and
/// the count must be in the range of turns.
///
/// Converts from a name, which matches that name, or from the types that convert to [`Turns`], which count all
/// queries.
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    name: Option<NameIs>,
    record_type: Option<RecordType>,
    connections: Turns,
    turns: Turns,
}

#[derive(Clone, Debug, PartialEq)]
enum NameIs {
    Exactly(String),
    Below(String),
}

impl When {
    /// Matches every query.
    pub fn any() -> Self {
        Self { name: None, record_type: None, connections: (..).into(), turns: (..).into() }
    }

    /// Matches queries for this name, compared without regard to case or a trailing dot.
    pub fn named(name: &str) -> Self {
        Self { name: Some(NameIs::Exactly(normal(name))), ..Self::any() }
    }

    /// Matches queries for names below this name, but not for the name itself.
    pub fn below(name: &str) -> Self {
        Self { name: Some(NameIs::Below(format!(".{}", normal(name)))), ..Self::any() }
    }

    /// Restricts the rule to queries for this type.
    pub fn of_type(self, record_type: RecordType) -> Self {
        Self { record_type: Some(record_type), ..self }
    }

    /// Restricts the rule to queries on these connections.
    pub fn on_connection(self, connections: impl Into<Turns>) -> Self {
        Self { connections: connections.into(), ..self }
    }

    /// Restricts the rule to these counts of the queries that meet the conditions: `1` is the first such query.
    pub fn turns(self, turns: impl Into<Turns>) -> Self {
        Self { turns: turns.into(), ..self }
    }

    /// Whether a query meets the conditions. `name` is in lower case, without a trailing dot.
    pub(super) fn holds(&self, name: &str, record_type: RecordType, connection: u64) -> bool {
        let name_fits = match &self.name {
            None => true,
            Some(NameIs::Exactly(wanted)) => name == wanted,
            Some(NameIs::Below(suffix)) => name.ends_with(suffix),
        };
        name_fits
            && self.record_type.is_none_or(|wanted| wanted == record_type)
            && self.connections.contain(connection)
    }

    pub(super) fn is_turn(&self, turn: u64) -> bool {
        self.turns.contain(turn)
    }
}

impl From<&str> for When {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

macro_rules! when_from_turns {
    ($($turns:ty),*) => {$(
        impl From<$turns> for When {
            fn from(turns: $turns) -> Self {
                Self::any().turns(turns)
            }
        }
    )*};
}
when_from_turns!(u64, RangeInclusive<u64>, RangeFrom<u64>, RangeFull, Turns);

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
