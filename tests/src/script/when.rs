//! When a rule applies.

use std::ops::{RangeFrom, RangeFull, RangeInclusive};

use hickory_proto::rr::RecordType;

/// Which of the things counted: from 1, both ends included.
///
/// Made from a number (`3` is the third alone), from `2..=4`, from `2..`, or from `..`, which is all.
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

/// Which queries a rule is about: all conditions must hold, and then its turns are counted.
///
/// Made from a name, which asks for that name; from whatever makes [`Turns`], which counts all queries; or built.
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
    /// Every query.
    pub fn any() -> Self {
        Self { name: None, record_type: None, connections: (..).into(), turns: (..).into() }
    }

    /// Queries for this name. Case and a trailing dot make no difference.
    pub fn named(name: &str) -> Self {
        Self { name: Some(NameIs::Exactly(normal(name))), ..Self::any() }
    }

    /// Queries for names below this one, itself not included.
    pub fn below(name: &str) -> Self {
        Self { name: Some(NameIs::Below(format!(".{}", normal(name)))), ..Self::any() }
    }

    /// Queries for this type alone.
    pub fn of_type(self, record_type: RecordType) -> Self {
        Self { record_type: Some(record_type), ..self }
    }

    /// Queries on these connections alone.
    pub fn on_connection(self, connections: impl Into<Turns>) -> Self {
        Self { connections: connections.into(), ..self }
    }

    /// Of the queries that meet the conditions, those whose turn it is: `1` is the first such query.
    pub fn turns(self, turns: impl Into<Turns>) -> Self {
        Self { turns: turns.into(), ..self }
    }

    /// Whether the conditions hold. `name` is in lower case and ends without a dot.
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
