//! The driver of the simulation: reports events to the engine and carries out the outputs.

use std::time::Duration;

use privydns_core::engine::{Input, LookupId, Output};
use privydns_core::{Answer, Error};

use super::network::Notice;
use super::{Done, NetworkConditions, Waiting, World, epoch};

/// More outputs than this without a `Wait` count as an endless loop.
const MOST_OUTPUTS: usize = 100_000;

impl World {
    /// Reports an input at the current time.
    pub(crate) fn tell(&mut self, input: Input<'_>) {
        self.trace.input(self.now, &input);
        // The engine's `now` may be behind, except for a timeout.
        let skew = match (&input, &mut self.network.conditions) {
            (Input::Timeout, _) | (_, None) => Duration::ZERO,
            (_, Some(conditions)) => conditions.skew(),
        };
        let now = epoch() + self.now.saturating_sub(skew);
        self.engine.handle_input(now, input);
        self.is_drained = false;
    }

    /// Handles the next event, unless it comes after `end`.
    pub(crate) fn step(&mut self, end: Duration) -> bool {
        let event = self.network.next_event();
        let wake = self.wake.map(|wake| wake + self.lateness);
        let Some(next) = event.into_iter().chain(wake).min().filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        if event.is_some_and(|event| event <= self.now) {
            self.tell_next();
            let more_now = self.network.next_event().is_some_and(|event| event <= self.now);
            let is_batched = |conditions: &mut NetworkConditions| conditions.draw.percent(conditions.batches);
            if !(more_now && self.network.conditions.as_mut().is_some_and(is_batched)) {
                self.drain();
            }
        } else {
            self.time_out();
        }
        true
    }

    fn tell_next(&mut self) {
        match self.network.happen() {
            None => {}
            Some(Notice::Handshaking(id)) => self.tell(Input::Handshaking(id)),
            Some(Notice::Connected(id, alpn)) => {
                self.tell(Input::Connected { id, alpn: alpn.as_deref(), resumed: false });
            }
            Some(Notice::Received(id, bytes)) => self.tell(Input::Received { id, bytes: &bytes }),
            // Queued data is written after the engine's outputs.
            Some(Notice::Writable(_)) => self.is_drained = false,
            Some(Notice::Ended(id, cause)) => self.tell(Input::Ended { id, cause }),
        }
    }

    /// Reports a timeout, due or not.
    pub(crate) fn time_out(&mut self) {
        self.tell(Input::Timeout);
        self.drain();
        assert!(self.wake.is_none_or(|wake| wake > self.now), "asked to be woken in the past twice");
        let is_left = self.deadlines.first().is_some_and(|(deadline, _)| *deadline <= self.now);
        assert!(!is_left, "a lookup outlives its deadline: {:?}", self.deadlines.first());
        if let Some(conditions) = &mut self.network.conditions {
            self.lateness = conditions.draw.millis(0..=conditions.lateness);
            self.is_late |= !self.lateness.is_zero();
        }
    }

    /// Carries out the engine's outputs until the engine waits.
    pub(crate) fn drain(&mut self) {
        if std::mem::replace(&mut self.is_drained, true) {
            return;
        }
        for _ in 0..MOST_OUTPUTS {
            let output = self.engine.poll_output(self.instant(), &mut self.message);
            self.trace.output(self.now, &output, &self.message);
            match output {
                Output::Connect { id, target } => {
                    self.connects.push((self.now, target.address));
                    self.network.connect(self.now, id, &target);
                }
                Output::Transmit(id) => self.network.transmit(id, &self.message),
                Output::Close(id) => self.network.close(id),
                Output::Done { id, result } => self.lookup_done(id, result),
                Output::Wait(wake) => {
                    self.wrongly_queued = self.wrongly_queued.max(self.engine.wrongly_queued());
                    let written = self.network.flush(self.now);
                    if written.is_empty() {
                        self.wake = wake.map(|wake| wake.saturating_duration_since(epoch()));
                        return self.check_rest();
                    }
                    for id in written {
                        self.tell(Input::Written(id));
                    }
                    self.is_drained = true;
                }
                other => panic!("an output that this world does not know: {other:?}"),
            }
        }
        panic!("the engine does not stop saying what to do");
    }

    pub(super) fn lookup_done(&mut self, id: LookupId, result: Result<Answer, Error>) {
        let waiting = self.waiting.remove(&id);
        let Waiting { query, since, deadline } =
            waiting.expect("a lookup is done once, if it is not cancelled");
        let at = self.now;
        self.deadlines.remove(&(deadline, id));
        assert!(
            at <= deadline || self.is_late,
            "{id:?} is done at {at:?}, and its deadline was {deadline:?}"
        );
        self.done.insert(id, Done { query, deadline, at, took: at.saturating_sub(since), result });
    }

    /// The invariants of a waiting engine.
    fn check_rest(&mut self) {
        let earliest = self.deadlines.first().map(|(deadline, _)| *deadline);
        let is_woken = earliest.is_none_or(|deadline| self.wake.is_some_and(|wake| wake <= deadline));
        assert!(
            is_woken,
            "a lookup ends at {earliest:?}, and the engine wants to sleep until {:?}",
            self.wake
        );
        assert_eq!(self.engine.lookups_in_flight(), self.waiting.len());
    }
}
