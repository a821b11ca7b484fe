//! Sequential lookups: the cost of a lookup without concurrency.

use std::io;

use super::{Effort, fresh_names};
use crate::client::{Contestant, Scene};
use crate::machine;
use crate::measure::{Measure, Unit, percentile};

pub(super) const MEASURES: &[Measure] = &[
    Measure::new("p50", Unit::Time),
    Measure::new("p99", Unit::Time),
    Measure::new("CPU a query", Unit::Time),
];

/// The number of lookups before the measured ones.
const WARM_UP: usize = 200;

pub(super) fn sample(contestant: Contestant, scene: &Scene<'_>, effort: Effort) -> io::Result<Vec<f64>> {
    let client = (contestant.start)(scene)?;
    let mut times = client.one_by_one(&fresh_names(WARM_UP));
    let count = effort.time.as_secs_f64() / percentile(&mut times, 50).as_secs_f64();
    let names = fresh_names((count as usize).clamp(200, 20_000));
    let before = machine::process_cpu();
    let mut times = client.one_by_one(&names);
    let cpu = machine::process_cpu().saturating_sub(before);
    Ok(vec![
        percentile(&mut times, 50).as_secs_f64(),
        percentile(&mut times, 99).as_secs_f64(),
        cpu.as_secs_f64() / names.len() as f64,
    ])
}
