//! Statistics over runs, which show that the runs exercise the engine.

use std::collections::BTreeMap;
use std::fmt;

use privydns_core::ErrorKind;

use crate::world::Done;

/// The number of lookups by result, and the work for them.
#[derive(Default)]
pub(crate) struct Statistics(BTreeMap<&'static str, usize>);

impl Statistics {
    pub(crate) fn count(&mut self, what: &'static str, number: usize) {
        *self.0.entry(what).or_default() += number;
    }

    /// The value of one counter.
    pub(crate) fn number(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
    }

    pub(crate) fn done(&mut self, done: &Done) {
        let how = match done.result.as_ref().map_err(privydns_core::Error::kind) {
            Ok(answer) if answer.is_stale() => "stale answers",
            Ok(answer) if answer.is_cached() => "answers from the cache",
            Ok(answer) if answer.attempts() > 1 => "answers after more than one attempt",
            Ok(_) => "answers to the first attempt",
            Err(ErrorKind::Deadline) => "deadlines",
            Err(ErrorKind::Upstream(_)) => "failures",
            Err(_) => "refusals",
        };
        self.count(how, 1);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, number) in &other.0 {
            self.count(what, *number);
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.0.iter().map(|(what, number)| format!("{number} {what}"));
        f.write_str(&parts.collect::<Vec<_>>().join(", "))
    }
}
