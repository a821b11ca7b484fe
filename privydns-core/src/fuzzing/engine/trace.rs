//! A record of an engine's outputs, to compare two runs.

use std::time::Duration;

use crate::engine::{ConnectionId, LookupId};

/// All outputs, step by step.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trace(Vec<Step>);

/// The outputs after one input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step(Vec<Note>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Note {
    Connect(ConnectionId, String),
    Transmit(ConnectionId, Vec<u8>),
    Close(ConnectionId),
    Done(LookupId, Duration, Result<String, String>),
    /// The complete `Debug` text.
    Details(String),
    Wait(Option<Duration>),
}

impl Default for Trace {
    fn default() -> Self {
        Self(vec![Step::default()])
    }
}

impl Trace {
    pub(super) fn note(&mut self, note: Note) {
        let step = self.0.last_mut().expect("at least one step");
        step.0.push(note);
    }

    pub(super) fn end_step(&mut self) {
        self.0.push(Step::default());
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }
}

impl Step {
    /// The results of lookups: answers and kinds of errors.
    pub(super) fn results(&self) -> Vec<&Note> {
        self.sorted(|note| matches!(note, Note::Done(..)))
    }

    /// The actions on connections, and the last deadline.
    pub(super) fn deeds(&self) -> (Vec<&Note>, Option<&Note>) {
        let waits = self.0.iter().rev().find(|note| matches!(note, Note::Wait(_)));
        (self.sorted(|note| !matches!(note, Note::Done(..) | Note::Details(_) | Note::Wait(_))), waits)
    }

    fn sorted(&self, is_of_interest: impl Fn(&&Note) -> bool) -> Vec<&Note> {
        let mut notes: Vec<_> = self.0.iter().filter(is_of_interest).collect();
        notes.sort_unstable();
        notes
    }
}
