//! The command line.

use std::io;

/// The use of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Prints the figures.
    Report,
    /// Compares the figures with the record, and fails if a figure is too high.
    Check,
    /// Writes the figures to the record.
    Record,
    /// Runs every operation a few times without callgrind, and measures no figure.
    Smoke,
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) mode: Mode,
    /// The lines wanted. Empty for all.
    lines: Vec<String>,
}

const USAGE: &str = "\
arguments: [LINE]... [--check | --record]
  LINE      a name from the table, or its beginning up to a hyphen: dot, dot-100
  --check   fails if a figure is more than 3 % above the record, where the environment is that of the record
  --record  makes the figures of all lines the record";

impl Arguments {
    /// `cargo bench` passes `--bench`; without that flag `cargo test` runs the program.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> io::Result<Self> {
        let mut parsed = Self { mode: Mode::Smoke, lines: Vec::new() };
        for argument in arguments {
            match argument.as_str() {
                "--bench" if parsed.mode == Mode::Smoke => parsed.mode = Mode::Report,
                "--bench" => {}
                "--check" => parsed.mode = Mode::Check,
                "--record" => parsed.mode = Mode::Record,
                other if other.starts_with('-') => return Err(usage()),
                _ => parsed.lines.push(argument),
            }
        }
        if parsed.mode == Mode::Record && !parsed.lines.is_empty() {
            return Err(usage());
        }
        Ok(parsed)
    }

    pub(crate) fn wants(&self, line: &str) -> bool {
        let is_named = |wanted: &String| {
            line.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        self.lines.is_empty() || self.lines.iter().any(is_named)
    }
}

fn usage() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, USAGE)
}
