//! The lab: every backend against real servers on loopback.
//!
//! `tests/lab/run` installs the servers and runs this program. `cargo test` alone prints that the lab did not
//! run. Arguments select the servers and groups of checks to run.

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

#[allow(dead_code, reason = "the lab uses only a part of the backend interface of the end-to-end suites")]
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

/// The lab runs if this environment variable is set.
const SWITCH: &str = "PRIVYDNS_LAB";

/// The file with the table of supported servers, which a complete run updates.
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lab/README.md");

/// All backends with their names.
pub(crate) const BACKENDS: &[(&str, &dyn Backend)] = &[
    ("tokio", &backend::tokio::MultiThread),
    ("async-std", &backend::async_std::AsyncStd),
    ("smol", &backend::async_std::Smol),
    ("blocking", &backend::blocking::Blocking),
];

fn main() -> ExitCode {
    if std::env::var_os(SWITCH).is_none() {
        println!("lab: not run; use tests/lab/run, which installs the necessary servers");
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
        ["quirks", "more"].contains(&&***name) || servers::SERVERS.iter().any(|kind| kind.name == **name)
    };
    if let Some(unknown) = wanted.iter().find(|name| !is_known(name)) {
        return Err(format!("unknown server or group of checks: {unknown}"));
    }
    bench::record_panics();
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
    if is_wanted("quirks") {
        run_checks(&lab, &report, &quirks::QUIRKS);
    }
    if is_wanted("more") {
        run_checks(&lab, &report, &more::MORE);
    }
    Ok(report.into_inner().expect("no thread panics while it holds the lock"))
}

/// Runs checks that are not part of the table, in parallel.
fn run_checks(lab: &Lab, report: &Mutex<Report>, checks: &[(&str, quirks::QuirkCheck)]) {
    thread::scope(|scope| {
        let spawn = |(name, check): &(&str, quirks::QuirkCheck)| {
            let check = *check;
            ((*name).to_owned(), scope.spawn(move || caught(|| check(lab))))
        };
        for (name, check) in checks.iter().map(spawn).collect::<Vec<_>>() {
            let seen = check.join().expect("panics are caught");
            report.lock().expect("no thread panics while it holds the lock").others.push((name, seen));
        }
    });
}
