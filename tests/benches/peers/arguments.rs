//! What the command line asks for.

use std::io;
use std::time::Duration;

use crate::line::Effort;

/// What to run, and how.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) effort: Effort,
    /// The lines wanted; none for all that are run without being named.
    lines: Vec<String>,
    /// The clients wanted; none for all.
    clients: Vec<String>,
    /// Whether PERFORMANCE.md is written as well.
    pub(crate) is_markdown: bool,
    /// A smoke test: it shows that all this still runs, and its figures are of no use.
    pub(crate) is_smoke: bool,
}

pub(crate) const USAGE: &str = "\
arguments: [LINE]... [--client NAME]... [--rounds N] [--markdown] [--smoke]
  LINE       a name from the table, or its beginning up to a hyphen: dot, dot-100
  --client   with nobody else, for profiles
  --markdown writes the tables of PERFORMANCE.md from these figures and the last ones of other lines
  --smoke    a moment of each line";

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> io::Result<Self> {
        let mut parsed = Self {
            effort: Effort { rounds: 5, time: Duration::from_millis(300) },
            lines: Vec::new(),
            clients: Vec::new(),
            is_markdown: false,
            is_smoke: false,
        };
        let usage = || io::Error::new(io::ErrorKind::InvalidInput, USAGE);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(usage);
            match argument.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--client" => parsed.clients.push(value()?),
                "--rounds" => {
                    let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                    parsed.effort.rounds = rounds.ok_or_else(usage)?;
                }
                "--markdown" => parsed.is_markdown = true,
                "--smoke" => {
                    parsed.is_smoke = true;
                    parsed.effort = Effort { rounds: 1, time: Duration::from_millis(5) };
                }
                other if other.starts_with('-') => return Err(usage()),
                _ => parsed.lines.push(argument),
            }
        }
        Ok(parsed)
    }

    /// Whether a line is wanted. Some have to be named.
    pub(crate) fn wants_line(&self, name: &str, is_run_unnamed: bool) -> bool {
        let is_named = |wanted: &String| {
            name.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if self.lines.is_empty() { is_run_unnamed } else { self.lines.iter().any(is_named) }
    }

    pub(crate) fn wants_client(&self, name: &str) -> bool {
        self.clients.is_empty() || self.clients.iter().any(|wanted| wanted == name)
    }

    /// Whether figures are complete, and so worth keeping.
    pub(crate) fn is_for_keeps(&self) -> bool {
        self.clients.is_empty() && !self.is_smoke
    }
}
