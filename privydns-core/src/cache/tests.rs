//! What a lookup finds, after what was inserted when.

mod wire;

use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;

use self::wire::Reply;
use super::*;

const PUBLIC: Group = Group(1);
const TTL: u32 = 300;

/// Conformance 37.
#[test]
fn a_record_is_found_until_its_ttl_has_run_out() {
    let mut bench = Bench::new(CacheSettings::default());
    let query = query("www.example.com", RecordType::A);
    bench.insert(&query, Reply::to(&query).a(TTL));
    bench.after(299);
    let answer = bench.fresh(&query).expect("one second left");
    assert_eq!(answer.ttl(), Some(1));
    assert!(answer.is_cached() && !answer.is_stale());
    bench.after(1);
    assert!(bench.misses(&query));
}

/// A cache and its time.
struct Bench {
    cache: Cache,
    now: Instant,
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
    fn new(settings: CacheSettings) -> Self {
        Self { cache: Cache::new(&settings, *b"sixteen octets!!"), now: Instant::now() }
    }

    fn after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn insert(&self, query: &Query, reply: Reply) {
        self.cache.insert(self.now, query, PUBLIC, &reply.message(query), 0, &wire::origin());
    }

    fn found(&self, query: &Query) -> Found {
        self.cache.lookup(self.now, query, PUBLIC)
    }

    fn fresh(&self, query: &Query) -> Option<Answer> {
        match self.found(query) {
            Found::Fresh(answer) => Some(answer),
            _ => None,
        }
    }

    fn misses(&self, query: &Query) -> bool {
        matches!(self.found(query), Found::Miss)
    }
}

fn query(name: &str, record_type: RecordType) -> Query {
    Query::new(name, record_type).expect("a name")
}
