//! Many concurrent lookups: the throughput of a client, and the costs.

use std::io;
use std::time::Instant;

use super::{Effort, fresh_names};
use crate::client::{Contestant, Scene};
use crate::machine;
use crate::measure::{Measure, Unit, percentile};

pub(super) const MEASURES: &[Measure] = &[
    Measure::new("q/s", Unit::Rate),
    Measure::new("p99", Unit::Time),
    Measure::new("CPU a query", Unit::Time),
    Measure::new("connections", Unit::Count),
    Measure::new("failed", Unit::Count),
];

pub(super) fn sample(
    contestant: Contestant,
    scene: &Scene<'_>,
    effort: Effort,
    in_flight: usize,
) -> io::Result<Vec<f64>> {
    let before = scene.server.count();
    let client = (contestant.start)(scene)?;
    client.one_by_one(&fresh_names(1));
    let begun = Instant::now();
    client.at_once(&fresh_names(2 * in_flight), in_flight);
    let pace = 2.0 * in_flight as f64 / begun.elapsed().as_secs_f64();
    // As many names as the time allows at the measured rate. The following lookups are faster than the first.
    let names = fresh_names(((pace * effort.time.as_secs_f64()) as usize).clamp(2 * in_flight, 500_000));
    let (begun, cpu) = (Instant::now(), machine::process_cpu());
    let lookups = client.at_once(&names, in_flight);
    let (time, cpu) = (begun.elapsed(), machine::process_cpu().saturating_sub(cpu));
    let counts = scene.server.count() - before;
    let mut times: Vec<_> = lookups.iter().map(|lookup| lookup.took).collect();
    let answered = lookups.iter().filter(|lookup| lookup.is_answered).count();
    Ok(vec![
        answered as f64 / time.as_secs_f64(),
        percentile(&mut times, 99).as_secs_f64(),
        cpu.as_secs_f64() / names.len() as f64,
        counts.connections as f64,
        (names.len() - answered) as f64,
    ])
}
