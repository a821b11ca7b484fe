//! `privydns`: a command that looks up names over encrypted transports.
//!
//! The command behaves as users of `dig`, `kdig` or `doggo` expect, without a way to send a query in clear text.
#![forbid(unsafe_code)]

mod arguments;
mod logging;
mod many;
mod names;
mod output;
mod presentation;
mod progress;
mod setup;
mod values;

use std::io::{self, Write as _};
use std::process::ExitCode;

use privydns_blocking::Query;

use crate::arguments::Arguments;
use crate::output::Printer;

/// Every lookup was answered.
const ANSWERED: u8 = 0;
/// A lookup failed.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;

/// Why the command ends early.
#[derive(Debug)]
enum Problem {
    /// The command line is wrong; the text is the reason, in one line.
    Usage(String),
    /// The names could not be read.
    Input(io::Error),
    /// The output could not be written.
    Output(io::Error),
}

fn main() -> ExitCode {
    let status = match run() {
        Ok(status) => status,
        // The reader has closed the pipe, as with `| head`.
        Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ANSWERED,
        Err(Problem::Output(error) | Problem::Input(error)) => {
            complain(&error.to_string());
            FAILED
        }
        Err(Problem::Usage(line)) => {
            complain(&line);
            USAGE
        }
    };
    ExitCode::from(status)
}

fn run() -> Result<u8, Problem> {
    let arguments = match Arguments::read().map_err(Problem::Usage)? {
        Ok(arguments) => arguments,
        Err(text) => {
            text.print()?;
            return Ok(ANSWERED);
        }
    };
    if let Some(shell) = arguments.output.completions {
        io::stdout().write_all(&Arguments::completions(shell))?;
    } else if arguments.output.man {
        io::stdout().write_all(&Arguments::manual()?)?;
    } else if arguments.output.list_presets {
        output::presets(&mut output::stdout())?;
    } else {
        logging::start(arguments.output.verbose);
        return if arguments.file.is_some() { many::run(&arguments) } else { one(&arguments) };
    }
    Ok(ANSWERED)
}

/// Looks up one name. The types are looked up in parallel and printed in the order of the command line.
fn one(arguments: &Arguments) -> Result<u8, Problem> {
    let queries = queries(arguments).map_err(Problem::Usage)?;
    let resolver = setup::resolver(arguments).map_err(Problem::Usage)?;
    let mut results = resolver.lookup_many(queries.iter().cloned()).collect::<Vec<_>>();
    results.sort_by_key(|(query, _)| queries.iter().position(|asked| asked == query));
    let mut printer = Printer::new(&arguments.output, false);
    let mut status = ANSWERED;
    for (query, result) in &results {
        printer.print(&query.name().to_string(), query.record_type(), result)?;
        if !output::is_answer(result) {
            status = FAILED;
        }
    }
    resolver.close();
    Ok(status)
}

fn queries(arguments: &Arguments) -> Result<Vec<Query>, String> {
    let dress = |query| setup::dress(query, &arguments.lookup, arguments.upstreams.protocol);
    if let Some(address) = arguments.reverse {
        return Ok(vec![dress(Query::reverse(address))]);
    }
    let name = arguments.name.as_deref().ok_or("missing NAME; see --help")?;
    if name.starts_with('@') {
        return Err(format!(
            "{name:?}: give an upstream with --upstream, for example tls://9.9.9.9#dns.quad9.net"
        ));
    }
    let types = setup::record_types(&arguments.types)?;
    let query = |record_type| Query::new(name, record_type).map(dress);
    let queries = types.into_iter().map(query).collect::<Result<Vec<_>, _>>();
    queries.map_err(|error| format!("{name:?}: {error}"))
}

/// Writes one line to standard error and ignores a failed write.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "privydns: {line}");
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
