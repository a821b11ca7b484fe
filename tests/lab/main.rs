//! The lab: every backend against real servers, on loopback.
//!
//! `tests/lab/run` installs the servers and runs this; `cargo test` alone says that it did not run. Arguments are
//! names of servers, to run no others.

mod bench;
mod certificates;
mod checks;
mod cross_check;
mod instance;
mod line;
mod more;
mod observer;
mod ports;
mod process;
mod quirks;
mod raw;
mod report;
mod restart;
mod server_run;
mod servers;
mod table;
mod zone;

#[allow(dead_code, reason = "the end-to-end suites ask more of a backend than the lab does")]
#[path = "../tests/end_to_end/backend/mod.rs"]
mod backend;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use backend::Backend;
use bench::caught;
use instance::Lab;
use report::Report;
use server_run::ServerRun;

/// Set where the lab is to run.
const SWITCH: &str = "PRIVYDNS_LAB";

/// It has a table of the servers that are known to work, which a whole run writes.
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

/// Every backend, by name.
pub(crate) const BACKENDS: &[(&str, &dyn Backend)] = &[
    ("tokio", &backend::tokio::MultiThread),
    ("async-std", &backend::async_std::AsyncStd),
    ("smol", &backend::async_std::Smol),
    ("blocking", &backend::blocking::Blocking),
];

fn main() -> ExitCode {
    if std::env::var_os(SWITCH).is_none() {
        println!("lab: not run; tests/lab/run installs the servers that it needs, and runs it");
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let report = match run(&wanted) {
        Ok(report) => report,
        Err(problem) => {
            eprintln!("lab: {problem}");
            return ExitCode::FAILURE;
        }
    };
    print!("{report}");
    if wanted.is_empty()
        && let Err(problem) = report.write_readme(Path::new(README))
    {
        eprintln!("lab: {problem}");
        return ExitCode::FAILURE;
    }
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(wanted: &[String]) -> Result<Report, String> {
    let is_known = |name: &&String| {
        ["thirteen", "more"].contains(&&***name) || servers::SERVERS.iter().any(|kind| kind.name == **name)
    };
    if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
        return Err(format!("there is no {unknown} here"));
    }
    bench::keep_last_words();
    let lab = Lab::new(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab"))?;
    let (report, machine) = (Mutex::new(Report::default()), Mutex::new(()));
    let servers = servers::SERVERS
        .iter()
        .filter(|kind| wanted.is_empty() || wanted.iter().any(|name| name == kind.name));
    thread::scope(|scope| {
        for kind in servers {
            let server_run = ServerRun::new(&lab, kind, &report, &machine);
            scope.spawn(move || {
                if let Err(problem) = caught(|| server_run.run()).and_then(|result| result) {
                    server_run.note(kind.name, Err(problem));
                }
            });
        }
    });
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if is_wanted("thirteen") {
        survive(&lab, &report, &quirks::QUIRKS);
    }
    if is_wanted("more") {
        survive(&lab, &report, &more::MORE);
    }
    Ok(report.into_inner().expect("nothing panics with the report in hand"))
}

/// Things that take no matrix, at the same time.
fn survive(lab: &Lab, report: &Mutex<Report>, things: &[(&str, quirks::QuirkCheck)]) {
    thread::scope(|scope| {
        let begin = |(what, thing): &(&str, quirks::QuirkCheck)| {
            let thing = *thing;
            ((*what).to_owned(), scope.spawn(move || caught(|| thing(lab))))
        };
        for (what, thing) in things.iter().map(begin).collect::<Vec<_>>() {
            let seen = thing.join().expect("panics are caught");
            report.lock().expect("nothing panics with the report in hand").others.push((what, seen));
        }
    });
}
