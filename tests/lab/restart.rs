//! A restart of a server under load.

use std::thread;
use std::time::{Duration, Instant};

use privydns_core::{Answer, Cause, Config, Error, ErrorKind, RecordType, ResponseCode};

use crate::bench::{Bench, caught};
use crate::zone;

/// The load on each line: one hundred lookups per second, started independently of each other.
const LOOKUPS: u32 = 250;
const INTERVAL: Duration = Duration::from_millis(10);

/// More than the defaults: 3 attempts outlast a restart of 0.8 s, and the default timeout one of 5 s. Some
/// servers take longer on a busy machine, and this check is about lost lookups, not about speed.
const ATTEMPTS: u32 = 20;
const TIMEOUT: Duration = Duration::from_secs(30);

/// The number of times, 100 ms apart, that the server is asked whether it has loaded its zones.
const LOADED_WITHIN: u32 = 100;

/// The time after which the server is stopped. The restart follows immediately.
const STOP: Duration = Duration::from_millis(800);

/// Restarts the server that all of these benches use. No lookup may fail.
pub(crate) fn restart(benches: &[Bench<'_>]) -> Vec<Result<(), String>> {
    let Some(first) = benches.first() else { return Vec::new() };
    thread::scope(|scope| {
        let loads: Vec<_> = benches.iter().map(|bench| scope.spawn(|| caught(|| load(bench)))).collect();
        thread::sleep(STOP);
        let restarted = first.lab.restart(first.instance);
        let results = loads.into_iter().map(|load| load.join().expect("panics are caught"));
        results.map(|result| restarted.clone().and(result)).collect()
    })
}

fn load(bench: &Bench<'_>) {
    let config = Config::builder().upstream(bench.upstream()).timeout(TIMEOUT).attempts(ATTEMPTS);
    let resolver = bench.backend.1.resolver(config.build().unwrap()).unwrap();
    // The server may just have been restarted for another backend, and may not have loaded its zones yet.
    let is_loaded = |number| is_loaded(&resolver.lookup(&zone::numbered(LOOKUPS + number), RecordType::A));
    assert!((0..LOADED_WITHIN).any(is_loaded), "the server does not answer before it is restarted");
    let start = Instant::now();
    let lost: Vec<_> = thread::scope(|scope| {
        let start_lookup = |number| {
            thread::sleep((start + INTERVAL * number).saturating_duration_since(Instant::now()));
            scope.spawn({
                let resolver = &resolver;
                move || resolver.lookup(&zone::numbered(number), RecordType::A)
            })
        };
        let lookups: Vec<_> = (0..LOOKUPS).map(start_lookup).collect();
        let results = lookups.into_iter().map(|lookup| lookup.join().expect("a lookup does not panic"));
        results.filter(|result| !is_answered(result)).filter_map(Result::err).collect()
    });
    if let Some(first) = lost.first() {
        let attempts = first.attempts();
        panic!("{} of {LOOKUPS} lookups failed, the first with: {first}: {attempts:?}", lost.len());
    }
}

fn is_loaded(result: &Result<Answer, Error>) -> bool {
    if result.is_err() {
        thread::sleep(Duration::from_millis(100));
    }
    result.is_ok()
}

/// A server that is still loading its zones answers SERVFAIL, which counts as an answer.
fn is_answered(result: &Result<Answer, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => matches!(error.kind(),
            ErrorKind::Upstream(Cause::Rcode(rcode)) if rcode.code == ResponseCode::ServFail),
    }
}
