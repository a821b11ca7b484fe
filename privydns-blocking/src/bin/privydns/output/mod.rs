//! Output in each of its formats.

mod json;
mod lines;
mod report;
mod style;

use std::io::{self, IsTerminal, StderrLock, StdoutLock, Write};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use privydns_blocking::presets;
use privydns_blocking::{Answer, Error, Outcome, RecordType};

use crate::arguments;
use crate::presentation;

/// The result of one lookup.
pub(crate) struct Lookup<'a> {
    pub(crate) name: &'a str,
    pub(crate) record_type: RecordType,
    pub(crate) result: &'a Result<Answer, Error>,
}

/// Prints the results of lookups.
pub(crate) struct Printer {
    form: Form,
    output: AutoStream<StdoutLock<'static>>,
    is_first: bool,
}

#[derive(Clone, Copy)]
enum Form {
    /// Everything that is known about the lookup.
    Report,
    /// The complete records.
    Lines,
    /// Only the data of the records.
    Short,
    Json,
}

impl Printer {
    /// With `has_many`, a lookup is printed as its records only.
    pub(crate) fn new(wanted: &arguments::Output, has_many: bool) -> Self {
        let form = match wanted {
            arguments::Output { json: true, .. } => Form::Json,
            arguments::Output { short: true, .. } => Form::Short,
            _ if has_many => Form::Lines,
            _ => Form::Report,
        };
        Self { form, output: stdout(), is_first: true }
    }

    /// Prints the result of a lookup. Errors go to standard error, except in JSON.
    pub(crate) fn print(
        &mut self,
        name: &str,
        record_type: RecordType,
        result: &Result<Answer, Error>,
    ) -> io::Result<()> {
        let lookup = Lookup { name, record_type, result };
        let output = &mut self.output;
        match (self.form, result) {
            (Form::Json, _) => json::print(output, &lookup)?,
            (form, Err(error)) => {
                // One write per error, so that lines stay whole when several processes write to one stream.
                let mut text = Vec::new();
                lines::failure(&mut text, &lookup, error)?;
                if let Form::Report = form {
                    lines::attempts(&mut text, error)?;
                }
                stderr().write_all(&text)?;
            }
            (Form::Short, Ok(answer)) => lines::short(output, answer)?,
            (Form::Lines, Ok(answer)) => lines::records(output, &lookup, answer)?,
            (Form::Report, Ok(answer)) => {
                if !self.is_first {
                    writeln!(output)?;
                }
                report::print(output, &lookup, answer)?;
            }
        }
        self.is_first = false;
        output.flush()
    }
}

/// Whether the result counts as an answer. NXDOMAIN and NODATA are answers; failures of the resolver are not.
pub(crate) fn is_answer(result: &Result<Answer, Error>) -> bool {
    result.as_ref().is_ok_and(|answer| answer.outcome() != Outcome::Failure)
}

/// The presets, in columns.
pub(crate) fn presets(output: &mut impl Write) -> io::Result<()> {
    let columns = |text: [&str; 4]| text.map(str::to_owned);
    let mut rows = vec![columns(["NAME", "PROTOCOL", "OPERATOR", "FILTERS"])];
    rows.extend(presets::ALL.iter().map(|preset| {
        columns([preset.name(), &preset.protocol().to_string(), preset.operator(), preset.filtering()])
    }));
    let header = rows.len();
    let widths = presentation::widths(&rows);
    for (number, [name, protocol, operator, filtering]) in rows.iter().enumerate() {
        let style = if number % header == 0 { style::LABEL } else { style::PLAIN };
        let [first, second, third, _] = widths;
        writeln!(
            output,
            "{style}{name:first$}  {protocol:second$}  {operator:third$}  {filtering}{style:#}"
        )?;
    }
    Ok(())
}

/// Standard output, in colours if it is a terminal that supports them.
pub(crate) fn stdout() -> AutoStream<StdoutLock<'static>> {
    coloured(io::stdout().lock())
}

fn stderr() -> AutoStream<StderrLock<'static>> {
    coloured(io::stderr().lock())
}

fn coloured<S: RawStream + IsTerminal>(stream: S) -> AutoStream<S> {
    let choice = if has_colours(&stream) { ColorChoice::Auto } else { ColorChoice::Never };
    AutoStream::new(stream, choice)
}

/// Whether a stream is a terminal with colours, and `NO_COLOR` is not set.
pub(crate) fn has_colours<S: RawStream + IsTerminal>(stream: &S) -> bool {
    IsTerminal::is_terminal(stream) && AutoStream::choice(stream) != ColorChoice::Never
}
