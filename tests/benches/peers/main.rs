//! A comparison of PrivyDNS with other clients: `cargo bench --package privydns-tests --bench peers`.
//!
//! All clients are measured in the same situations, the lines, in turn and in several rounds. PERFORMANCE.md
//! describes them. The [server](server) runs in a separate process; the clients run in this process, one after
//! the other.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are written with three digits"
)]

mod aligned;
mod allocations;
mod arguments;
mod client;
mod document;
mod figures;
mod line;
mod machine;
mod marks;
mod measure;
mod minimal;
mod server;
mod table;
mod target;

use std::env;
use std::io;
use std::path::PathBuf;

use arguments::Arguments;
use figures::Figures;
use line::Line;
use server::Remote;

fn main() -> io::Result<()> {
    if env::args().any(|argument| argument == server::ARGUMENT) {
        return server::run();
    }
    let arguments = Arguments::parse(env::args().skip(1))?;
    let mut all = Vec::new();
    let mut note = |figures: Figures| {
        println!("{}", table::of_line(&figures));
        all.push(figures);
    };
    let server = Remote::start()?;
    for line in Line::all() {
        if arguments.wants_line(&line.name(), line.is_run_unnamed()) {
            note(measure_line(line, &arguments, &server)?);
        }
    }
    drop(server);
    let of_others = [allocations::LINES, minimal::LINES].concat();
    if !arguments.is_smoke && allocations::LINES.iter().any(|line| arguments.wants_line(line, true)) {
        allocations::measure()?.into_iter().for_each(&mut note);
    }
    if minimal::LINES.iter().any(|line| arguments.wants_line(line, false)) {
        note(minimal::measure()?);
    }
    print!("{}", table::of_targets(&all));
    if arguments.is_complete() {
        let order: Vec<_> = Line::all().into_iter().map(Line::name).collect();
        let order = [order, of_others.iter().map(|line| (*line).to_owned()).collect()].concat();
        let all = figures::keep(&output("peers.json"), all, &order)?;
        if arguments.is_markdown {
            document::write(&all)?;
        }
    }
    Ok(())
}

/// Measures a line in all rounds. In each round, the clients are measured in turn.
fn measure_line(line: Line, arguments: &Arguments, server: &Remote) -> io::Result<Figures> {
    let mut contestants = line.contestants();
    contestants.retain(|contestant| arguments.wants_client(contestant.name));
    let names: Vec<_> = contestants.iter().map(|contestant| contestant.name).collect();
    let mut figures = Figures::new(&line.name(), line.measures(), &names);
    for _ in 0..line.rounds(arguments.effort) {
        for (contestant, (_, samples)) in contestants.iter().zip(&mut figures.clients) {
            samples.push(line.sample(*contestant, server, arguments.effort)?);
        }
    }
    Ok(figures)
}

/// The path of a file in cargo's target directory.
fn output(name: &str) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    target.join(name)
}
