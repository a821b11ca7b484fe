//! The allocations of the clients in [`peers`](../peers). This is a separate program, because counting
//! allocations slows a client down.
//!
//! The program prints the figures as JSON, which `peers` reads.
#![allow(clippy::cast_precision_loss, reason = "figures are written with three digits")]

#[allow(dead_code, reason = "only a part of the clients' interface is used")]
#[path = "../peers/client/mod.rs"]
mod client;
#[allow(dead_code, reason = "only a part of the functions for figures is used")]
#[path = "../peers/figures.rs"]
mod figures;
#[allow(dead_code, reason = "only a part of the functions for the machine is used")]
#[path = "../peers/machine.rs"]
mod machine;
#[allow(dead_code, reason = "only a part of the measures is used")]
#[path = "../peers/measure.rs"]
mod measure;
#[allow(dead_code, reason = "only a part of the server's interface is used")]
#[path = "../peers/server/mod.rs"]
mod server;

use std::env;
use std::io;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure as count};
use serde_json::Value;

use client::{Carrier, Client, Contestant, Scene};
use figures::Figures;
use measure::{Measure, Unit};
use server::Remote;

const ALLOCATIONS: &[Measure] =
    &[Measure::new("allocations", Unit::Count), Measure::new("octets", Unit::Bytes)];
const HEAP: &[Measure] = &[Measure::new("an entry", Unit::Bytes)];

/// The number of counted lookups, and of the lookups before them.
const LOOKUPS: usize = 1000;

/// The number of cache entries whose memory is measured.
const ENTRIES: usize = 100_000;

/// The clients to measure. Clients whose driver has a separate thread, such as that on smol, are excluded, because
/// only the calling thread is counted.
const ON_ONE_THREAD: &[&str] = &["privydns-tokio", "privydns-blocking", "hickory", "domain"];

fn main() -> io::Result<()> {
    if env::args().any(|argument| argument == server::ARGUMENT) {
        return server::run();
    }
    let server = Remote::start()?;
    let scene = |carrier, cache_entries| Scene { server: &server, carrier, threads: 1, cache_entries };
    let lines = [
        line("allocations-dot", &scene(Carrier::Dot, None), ALLOCATIONS, of_misses)?,
        line("allocations-doh", &scene(Carrier::Http2, None), ALLOCATIONS, of_misses)?,
        line("allocations-hit", &scene(Carrier::Dot, Some(LOOKUPS)), ALLOCATIONS, of_hits)?,
        line("heap", &scene(Carrier::Dot, Some(ENTRIES)), HEAP, of_entries)?,
    ];
    println!("{}", Value::from(lines.iter().map(Figures::to_json).collect::<Vec<_>>()));
    Ok(())
}

/// All clients' figures for a line.
fn line(
    name: &str,
    scene: &Scene<'_>,
    measures: &[Measure],
    sample: fn(&dyn Client) -> Vec<f64>,
) -> io::Result<Figures> {
    let is_cached = scene.cache_entries.is_some();
    let takes_part = |Contestant { name, .. }: &&Contestant| {
        ON_ONE_THREAD.contains(name) || !is_cached && (name.starts_with("floor") || *name == "reqwest")
    };
    let contestants: Vec<_> = client::contestants(scene.carrier).iter().filter(takes_part).collect();
    let names: Vec<_> = contestants.iter().map(|contestant| contestant.name).collect();
    let mut figures = Figures::new(name, measures, &names);
    for (contestant, (_, samples)) in contestants.iter().zip(&mut figures.clients) {
        samples.push(sample(&*(contestant.start)(scene)?));
    }
    Ok(figures)
}

fn of_misses(client: &dyn Client) -> Vec<f64> {
    client.one_by_one(&names(LOOKUPS, "warm"));
    let names = names(LOOKUPS, "cold");
    // One of the counted allocations is the list of times.
    per_lookup(count(|| drop(client.one_by_one(&names))))
}

fn of_hits(client: &dyn Client) -> Vec<f64> {
    let names = names(LOOKUPS, "hit");
    client.one_by_one(&names);
    per_lookup(count(|| drop(client.one_by_one(&names))))
}

fn of_entries(client: &dyn Client) -> Vec<f64> {
    client.one_by_one(&names(LOOKUPS, "warm"));
    let names = names(ENTRIES, "kept");
    let counted = count(|| drop(client.at_once(&names, 100)));
    vec![counted.bytes_current as f64 / ENTRIES as f64]
}

/// Rounded to tenths, which hides the occasional growth of a buffer.
fn per_lookup(counted: AllocationInfo) -> Vec<f64> {
    let per_lookup = |total: u64| (total as f64 / LOOKUPS as f64 * 10.0).round() / 10.0;
    vec![per_lookup(counted.count_total), per_lookup(counted.bytes_total)]
}

fn names(count: usize, kind: &str) -> Arc<[String]> {
    (0..count).map(|number| format!("{kind}{number:06}.bench.example.")).collect()
}
