//! Whether memory stays bounded, and flat: `cargo bench --package privydns-tests --bench endurance -- MODE`.
//!
//! - `flight [LOOKUPS]`: so many lookups in flight at once over four upstreams, 100,000 unless said.
//! - `soak [MINUTES]`: lookups without end over servers that misbehave, for ten minutes unless said.
//!
//! Both print what they see, and fail where memory grows.
#![allow(clippy::cast_precision_loss, reason = "figures are written with three digits")]

#[allow(dead_code, reason = "the comparison asks the machine for more than this does")]
#[path = "../peers/machine.rs"]
mod machine;
#[allow(dead_code, reason = "the comparison asks more of the server than this does")]
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
    // Cargo says `--bench`.
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
