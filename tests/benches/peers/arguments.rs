//! The command line arguments.

use std::io;
use std::time::Duration;

use crate::line::Effort;

/// The lines and clients to run, and how to run them.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) effort: Effort,
    /// The selected lines. If empty, all lines that need not be selected by name.
    lines: Vec<String>,
    /// The selected clients. If empty, all clients.
    clients: Vec<String>,
    /// Whether PERFORMANCE.md is updated.
    pub(crate) is_markdown: bool,
    /// Whether this is a smoke test, which checks that everything still runs. The figures are meaningless.
    pub(crate) is_smoke: bool,
}

pub(crate) const USAGE: &str = "\
arguments: [LINE]... [--client NAME]... [--rounds N] [--markdown] [--smoke]
  LINE       a name from the table, or its beginning up to a hyphen: dot, dot-100
  --client   only this client, for profiling
  --markdown updates the tables of PERFORMANCE.md from these figures and the stored ones of other lines
  --smoke    runs each line briefly";

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
                // Added by cargo.
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

    /// Whether a line is selected. Some lines run only if they are selected by name.
    pub(crate) fn wants_line(&self, name: &str, is_run_unnamed: bool) -> bool {
        let is_named = |wanted: &String| {
            name.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if self.lines.is_empty() { is_run_unnamed } else { self.lines.iter().any(is_named) }
    }

    pub(crate) fn wants_client(&self, name: &str) -> bool {
        self.clients.is_empty() || self.clients.iter().any(|wanted| wanted == name)
    }

    /// Whether the figures are complete and may replace the stored ones.
    pub(crate) fn is_complete(&self) -> bool {
        self.clients.is_empty() && !self.is_smoke
    }
}
