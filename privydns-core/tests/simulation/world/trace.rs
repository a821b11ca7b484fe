//! What was said between a world and its engine: as a sum, to compare runs by, and in words, to read. Moments
//! are counted from the beginning of the world, since clocks begin elsewhere in every process.

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use privydns_core::{Input, Output};

/// A record of all inputs and outputs.
#[derive(Default)]
pub(crate) struct Trace {
    sum: Sum,
    is_printed: bool,
}

#[derive(Default)]
struct Sum(DefaultHasher);

impl Trace {
    /// Prints what is recorded from now on.
    pub(crate) fn print(&mut self) {
        self.is_printed = true;
    }

    /// What two runs have in common if they were the same, octet for octet.
    pub(crate) fn sum(&self) -> u64 {
        self.sum.0.finish()
    }

    pub(crate) fn input(&mut self, at: Duration, input: &Input<'_>) {
        match input {
            Input::Received { id, bytes } => {
                self.note(at, format_args!("-> Received {id:?}, {} octets", bytes.len()));
                self.sum.0.write(bytes);
            }
            Input::Lookup { id, query, deadline } | Input::Miss { id, query, deadline, .. } => {
                let deadline = deadline.saturating_duration_since(super::beginning());
                let (name, record_type) = (query.name(), query.record_type());
                self.note(at, format_args!("-> {id:?}: {name} {record_type} until {deadline:?}"));
            }
            other => self.note(at, format_args!("-> {other:?}")),
        }
    }

    pub(crate) fn output(&mut self, at: Duration, output: &Output, message: &[u8]) {
        match output {
            Output::Connect { id, target } => {
                self.note(at, format_args!("<- Connect {id:?} to {}", target.address));
            }
            Output::Transmit(id) => {
                self.note(at, format_args!("<- Transmit {id:?}, {} octets", message.len()));
                self.sum.0.write(message);
            }
            Output::Wait(wake) => {
                let wake = wake.map(|wake| wake.saturating_duration_since(super::beginning()));
                self.note(at, format_args!("<- Wait {wake:?}"));
            }
            other => self.note(at, format_args!("<- {other:?}")),
        }
    }

    fn note(&mut self, at: Duration, what: fmt::Arguments<'_>) {
        let _ = write!(self.sum, "{at:?} {what}");
        if self.is_printed {
            println!("{at:>12.3?} {what}");
        }
    }
}

impl Write for Sum {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
