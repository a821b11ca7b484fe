//! What a lookup finds after given inserts.

mod denial;
mod faults;
mod keys;
mod model;
mod stale;
mod store;
mod times;

use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;

use super::testing::wire::{self, Reply};
use super::*;
use crate::testkit::epoch;

const PUBLIC: UpstreamSet = UpstreamSet(1);
const INTERNAL: UpstreamSet = UpstreamSet(2);
const TTL: u32 = 300;

/// A cache and the current time.
struct Bench {
    cache: Cache,
    now: Instant,
}

impl Bench {
    fn new(settings: &CacheSettings) -> Self {
        Self { cache: Cache::new(settings, *b"a secret of ours"), now: epoch() }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    fn wait_seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    fn insert(&self, query: &Query, reply: &Reply) {
        self.insert_aged(query, reply, 0);
    }

    fn insert_aged(&self, query: &Query, reply: &Reply, age: u32) {
        let query_key = self.cache.query_key(query, PUBLIC);
        self.cache.insert(self.now, query, query_key, &reply.message(query), age, &wire::origin());
    }

    fn found(&self, query: &Query) -> Found {
        self.found_in(query, PUBLIC)
    }

    fn found_in(&self, query: &Query, upstream_set: UpstreamSet) -> Found {
        self.cache.lookup(self.now, query, self.cache.query_key(query, upstream_set))
    }

    /// The fresh answer, if there is one and a refresh is not due.
    fn fresh(&self, query: &Query) -> Option<Answer> {
        match self.found(query) {
            Found::Fresh(answer) => Some(answer),
            _ => None,
        }
    }

    fn outcome(&self, query: &Query) -> Option<Outcome> {
        Some(self.fresh(query)?.outcome())
    }

    fn misses(&self, query: &Query) -> bool {
        matches!(self.found(query), Found::Miss)
    }
}

fn query(name: &str, record_type: RecordType) -> Query {
    Query::new(name, record_type).expect("a name")
}

fn a(name: &str) -> Query {
    query(name, RecordType::A)
}

fn aaaa(name: &str) -> Query {
    query(name, RecordType::AAAA)
}
