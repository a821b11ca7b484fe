//! Tests that memory use is bounded and constant: `cargo bench --package privydns-tests --bench endurance --
//! MODE`.
//!
//! - `flight [LOOKUPS]`: this many concurrent lookups with four upstreams. Default: 100,000.
//! - `soak [MINUTES]`: continuous lookups with servers that have faults. Default: ten minutes.
//!
//! Both modes print their measurements, and fail if memory grows.
#![allow(clippy::cast_precision_loss, reason = "figures are written with three digits")]

#[allow(dead_code, reason = "only a part of the functions for the machine is used")]
#[path = "../peers/machine.rs"]
mod machine;
#[allow(dead_code, reason = "only a part of the server's interface is used")]
#[path = "../peers/server/mod.rs"]
mod server;

mod faults;
mod flight;
mod memory;
mod soak;

use std::env;
use std::io;
use std::str::FromStr;

const USAGE: &str = "arguments: flight [LOOKUPS] | soak [MINUTES]";

fn main() -> io::Result<()> {
    // Cargo adds `--bench`.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, USAGE);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [server::ARGUMENT] => server::run(),
        [faults::ARGUMENT] => faults::serve(),
        ["flight"] => flight::run(100_000),
        ["flight", lookups] => flight::run(number(lookups).ok_or_else(usage)?),
        ["soak"] => soak::run(10.0),
        ["soak", minutes] => soak::run(number(minutes).ok_or_else(usage)?),
        [] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(usage()),
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
