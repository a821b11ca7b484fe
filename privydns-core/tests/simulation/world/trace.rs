//! A record of all inputs and outputs of a simulated engine.
//!
//! The record is a hash over bytes, times, addresses, IDs and a number for each outcome. It contains no `Debug` text, so
//! that renaming a type or rewording an error leaves the hash unchanged. With [`Trace::print`] the same events are also
//! printed for a reader.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use privydns_core::engine::{Input, Output};
use privydns_core::{Answer, Cause, Error, Query};

use super::outcome;

/// The hash of all inputs and outputs so far. Times count from the start of the simulation, because the clock's origin
/// differs from process to process.
#[derive(Default)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    is_printed: bool,
}

impl Trace {
    /// Prints every later event.
    pub(crate) fn print(&mut self) {
        self.is_printed = true;
    }

    /// The hash, equal for two runs with the same inputs and outputs.
    pub(crate) fn sum(&self) -> u64 {
        self.hasher.finish()
    }

    pub(crate) fn input(&mut self, at: Duration, input: &Input<'_>) {
        self.print_input(at, input);
        self.number(1);
        self.time(at);
        match input {
            Input::Lookup { id, query, deadline } => {
                self.event(1, id);
                self.query(query);
                self.time(deadline.saturating_duration_since(super::epoch()));
            }
            Input::Miss { id, query, deadline, .. } => {
                self.event(2, id);
                self.query(query);
                self.time(deadline.saturating_duration_since(super::epoch()));
            }
            Input::Cancel(id) => self.event(3, id),
            Input::Refresh(query) => {
                self.number(4);
                self.query(query);
            }
            Input::Handshaking(id) => self.event(5, id),
            Input::Connected { id, alpn, resumed } => {
                self.event(6, id);
                (alpn, resumed).hash(&mut self.hasher);
            }
            Input::Received { id, bytes } => {
                self.event(7, id);
                bytes.hash(&mut self.hasher);
            }
            Input::Written(id) => self.event(8, id),
            Input::Ended { id, cause } => {
                self.event(9, id);
                self.cause(cause);
            }
            Input::Timeout => self.number(10),
            Input::WarmUp => self.number(11),
            Input::NetworkChanged => self.number(12),
            Input::WallClock(wall) => {
                self.number(13);
                self.time(wall.duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970"));
            }
            Input::Close => self.number(14),
            other => panic!("an input without a number: {other:?}"),
        }
    }

    pub(crate) fn output(&mut self, at: Duration, output: &Output, message: &[u8]) {
        self.print_output(at, output, message);
        self.number(2);
        self.time(at);
        match output {
            Output::Connect { id, target } => {
                self.event(1, id);
                self.address(target.address);
            }
            Output::Transmit(id) => {
                self.event(2, id);
                message.hash(&mut self.hasher);
            }
            Output::Close(id) => self.event(3, id),
            Output::Done { id, result } => {
                self.event(4, id);
                match result {
                    Ok(answer) => self.answer(answer),
                    Err(error) => self.error(error),
                }
            }
            Output::Wait(wake) => {
                self.number(5);
                wake.map(|wake| wake.saturating_duration_since(super::epoch())).hash(&mut self.hasher);
            }
            other => panic!("an output without a number: {other:?}"),
        }
    }

    /// The kind of event, and the lookup or connection that the event belongs to.
    fn event(&mut self, kind: u64, id: &impl Hash) {
        self.number(kind);
        id.hash(&mut self.hasher);
    }

    fn query(&mut self, query: &Query) {
        query.name().to_string().hash(&mut self.hasher);
        self.number(u16::from(query.record_type()).into());
    }

    fn answer(&mut self, answer: &Answer) {
        self.number(outcome::of_answer(answer));
        answer.to_wire().hash(&mut self.hasher);
        answer.upstream().hash(&mut self.hasher);
        (answer.is_cached(), answer.is_stale(), answer.attempts()).hash(&mut self.hasher);
        self.time(answer.elapsed());
    }

    fn error(&mut self, error: &Error) {
        self.number(outcome::of_error(error));
        (error.upstream(), error.address()).hash(&mut self.hasher);
        self.number(error.stage().map_or(0, outcome::of_stage));
        error.elapsed().hash(&mut self.hasher);
        for attempt in error.attempts() {
            (&*attempt.upstream, attempt.address).hash(&mut self.hasher);
            self.number(outcome::of_stage(attempt.stage));
            self.time(attempt.started);
            self.time(attempt.took);
            self.cause(&attempt.cause);
        }
    }

    fn cause(&mut self, cause: &Cause) {
        self.number(outcome::of_cause(cause));
    }

    fn time(&mut self, time: Duration) {
        time.hash(&mut self.hasher);
    }

    fn address(&mut self, address: SocketAddr) {
        address.hash(&mut self.hasher);
    }

    fn number(&mut self, number: u64) {
        number.hash(&mut self.hasher);
    }

    fn print_input(&self, at: Duration, input: &Input<'_>) {
        match input {
            Input::Received { id, bytes } => {
                self.line(at, format_args!("-> Received {id:?}, {} bytes", bytes.len()));
            }
            Input::Lookup { id, query, deadline } | Input::Miss { id, query, deadline, .. } => {
                let deadline = deadline.saturating_duration_since(super::epoch());
                let (name, record_type) = (query.name(), query.record_type());
                self.line(at, format_args!("-> {id:?}: {name} {record_type} until {deadline:?}"));
            }
            other => self.line(at, format_args!("-> {other:?}")),
        }
    }

    fn print_output(&self, at: Duration, output: &Output, message: &[u8]) {
        match output {
            Output::Connect { id, target } => {
                self.line(at, format_args!("<- Connect {id:?} to {}", target.address));
            }
            Output::Transmit(id) => {
                self.line(at, format_args!("<- Transmit {id:?}, {} bytes", message.len()));
            }
            Output::Wait(wake) => {
                let wake = wake.map(|wake| wake.saturating_duration_since(super::epoch()));
                self.line(at, format_args!("<- Wait {wake:?}"));
            }
            other => self.line(at, format_args!("<- {other:?}")),
        }
    }

    fn line(&self, at: Duration, event: fmt::Arguments<'_>) {
        if self.is_printed {
            println!("{at:>12.3?} {event}");
        }
    }
}
