//! First lookups: one lookup with a new connection, and a hundred concurrent lookups that should share one.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::{Effort, fresh_names};
use crate::client::{Contestant, Scene};
use crate::measure::{Measure, Unit, percentile};

pub(super) const MEASURES: &[Measure] =
    &[Measure::new("p50", Unit::Time), Measure::new("resumed", Unit::Share)];

pub(super) const HERD_MEASURES: &[Measure] = &[
    Measure::new("until all are answered", Unit::Time),
    Measure::new("connections", Unit::Count),
    Measure::new("failed", Unit::Count),
];

/// The number of concurrent callers.
const HERD: usize = 100;

pub(super) fn sample(
    contestant: Contestant,
    scene: &Scene<'_>,
    effort: Effort,
    is_resumed: bool,
) -> io::Result<Vec<f64>> {
    let before = scene.server.count();
    let mut times = Vec::new();
    let begun = Instant::now();
    let mut client = (contestant.start)(scene)?;
    if is_resumed {
        client.one_by_one(&fresh_names(2));
    }
    while begun.elapsed() < effort.time || times.len() < 3 {
        if is_resumed {
            scene.server.close_connections();
            // Waits until the `close_notify` has arrived.
            thread::sleep(Duration::from_millis(1));
            client.notice();
        } else if !times.is_empty() {
            client = (contestant.start)(scene)?;
        }
        times.extend(client.one_by_one(&fresh_names(1)));
    }
    drop(client);
    let counts = scene.server.count() - before;
    let count = times.len() as f64;
    Ok(vec![percentile(&mut times, 50).as_secs_f64(), counts.resumed as f64 / count])
}

pub(super) fn herd(contestant: Contestant, scene: &Scene<'_>) -> io::Result<Vec<f64>> {
    let before = scene.server.count();
    let client = (contestant.start)(scene)?;
    let begun = Instant::now();
    let lookups = client.at_once(&fresh_names(HERD), HERD);
    let time = begun.elapsed();
    let connections = (scene.server.count() - before).connections;
    let failed = lookups.iter().filter(|lookup| !lookup.is_answered).count();
    Ok(vec![time.as_secs_f64(), connections as f64, failed as f64])
}
