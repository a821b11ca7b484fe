//! Instructions per operation: `cargo bench --package privydns-tests --bench instructions`.
//!
//! The [client](client) runs under callgrind, once with 1,000 operations and once with 2,000; the difference is the cost
//! of 1,000 operations. The server is another process of this program. PERFORMANCE.md describes the lines.

#[path = "../peers/aligned.rs"]
mod aligned;
mod arguments;
mod callgrind;
#[allow(dead_code, reason = "the separate program uses all of the module")]
mod client;
mod environment;
mod line;
#[allow(dead_code, reason = "the comparison asks the machine for more than this does")]
#[path = "../peers/machine.rs"]
mod machine;
#[path = "../peers/marks.rs"]
mod marks;
mod record;
#[allow(dead_code, reason = "the comparison asks more of the server than this does")]
#[path = "../peers/server/mod.rs"]
mod server;

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;

use aligned::aligned;
use arguments::{Arguments, Mode};
use callgrind::Callgrind;
use environment::Environment;
use line::Line;
use record::Record;
use server::Remote;

fn main() -> io::Result<()> {
    if env::args().any(|argument| argument == server::ARGUMENT) {
        return server::run();
    }
    let arguments = Arguments::parse(env::args().skip(1))?;
    let server = Remote::start()?;
    if arguments.mode == Mode::Smoke {
        return line::smoke(&server);
    }
    let environment = Environment::of_this_machine()?;
    let callgrind = Callgrind::new(&server)?;
    let mut figures = Vec::new();
    for line in Line::ALL.iter().filter(|line| arguments.wants(line.name)) {
        figures.push((line.name.to_owned(), line.measure(&callgrind, &server)?));
    }
    let new = Record { environment, figures };
    let recorded = Record::read()?;
    print!("{}", table(&new, &recorded));
    match arguments.mode {
        Mode::Record => keep(&new),
        Mode::Check => new.check(&recorded),
        Mode::Report | Mode::Smoke => Ok(()),
    }
}

/// Every line beside its record.
fn table(new: &Record, recorded: &Record) -> String {
    let mut rows = vec![["line", "instructions", "recorded", "ratio"].map(str::to_owned).to_vec()];
    for (line, figure) in &new.figures {
        let recorded = recorded.figure(line);
        let written = recorded.map_or("-".to_owned(), |recorded| recorded.to_string());
        let ratio = recorded.map(|recorded| f64::from(*figure) / f64::from(recorded));
        let ratio = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
        rows.push(vec![line.clone(), figure.to_string(), written, ratio]);
    }
    aligned(&rows)
}

/// Writes the record, and the part of PERFORMANCE.md that shows the record.
fn keep(new: &Record) -> io::Result<()> {
    new.write()?;
    let mut rows = vec![vec!["line".to_owned(), "instructions".to_owned()]];
    rows.extend(new.figures.iter().map(|(line, figure)| vec![line.clone(), figure.to_string()]));
    let mut document = fs::read_to_string(marks::PATH)?;
    let text = format!("{}\n{}.\n", aligned(&rows), new.environment);
    marks::replace(&mut document, "instructions", &text)?;
    fs::write(marks::PATH, document)
}

/// A directory among what cargo builds.
fn output() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    target.join("instructions")
}
