//! `privydns`: a command that looks names up over encrypted transports.
//!
//! What a person used to `dig`, `kdig` or `doggo` expects, without a way to send a query in clear.
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
/// The command line makes no sense.
const USAGE: u8 = 2;

/// Why the command ends early.
#[derive(Debug)]
enum Problem {
    /// The command line makes no sense, for the reason given in one line.
    Usage(String),
    /// The names could not be read on.
    Input(io::Error),
    /// What was to be shown could not be written.
    Output(io::Error),
}

fn main() -> ExitCode {
    let status = match run() {
        Ok(status) => status,
        // Nobody reads on, as with `| head`.
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

/// Looks up one name: each type in a lookup of its own, all at once, shown in the order asked for.
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
    let name = arguments.name.as_deref().ok_or("a NAME to look up is missing; --help says more")?;
    if name.starts_with('@') {
        return Err(format!("{name:?}: an upstream is given by --upstream, as tls://9.9.9.9#dns.quad9.net"));
    }
    let types = setup::record_types(&arguments.types)?;
    let query = |record_type| Query::new(name, record_type).map(dress);
    let queries = types.into_iter().map(query).collect::<Result<Vec<_>, _>>();
    queries.map_err(|error| format!("{name:?}: {error}"))
}

/// One line to the standard error, whatever becomes of it.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "privydns: {line}");
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
