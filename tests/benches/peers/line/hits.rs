//! Lookups that the cache answers.

use std::io;

use super::{Effort, fresh_names};
use crate::client::{Contestant, Scene};
use crate::measure::{Measure, Unit};

pub(super) const MEASURES: &[Measure] = &[Measure::new("a hit", Unit::Time)];

/// The number of concurrent lookups that fill the cache.
const FILLING: usize = 100;

/// The number of lookups between two readings of the clock.
const BETWEEN: usize = 10_000;

pub(super) fn sample(
    contestant: Contestant,
    scene: &Scene<'_>,
    effort: Effort,
    entries: usize,
) -> io::Result<Vec<f64>> {
    let client = (contestant.start)(scene)?;
    let names = fresh_names(entries);
    let lookups = client.at_once(&names, FILLING);
    assert!(
        lookups.iter().all(|lookup| lookup.is_answered),
        "every lookup that fills the cache must succeed"
    );
    let queries = scene.server.count().queries;
    client.hits(&names, BETWEEN);
    let (mut time, mut count) = (client.hits(&names, BETWEEN), BETWEEN);
    while time < effort.time {
        time += client.hits(&names, BETWEEN);
        count += BETWEEN;
    }
    assert_eq!(scene.server.count().queries, queries, "every lookup must be a cache hit");
    Ok(vec![time.as_secs_f64() / count as f64])
}
