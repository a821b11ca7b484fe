//! A world for the engine to live in: a clock, a network, servers, callers. All of it is made up, and none of
//! it waits: an hour passes as fast as its events are worked off.
//!
//! [`World`] is the driver too. It checks the engine's contract as it [drives](drive), so that every test is also
//! a test of that: nothing is transmitted before TLS is up or without credit, each lookup ends once and in time,
//! the engine asks to be woken for the earliest deadline, no connection is closed twice, and a wake-up in the past
//! is asked for once.

pub(crate) mod draw;
mod drive;
mod host;
mod network;
mod network_conditions;
mod outcome;
mod protocol;
mod trace;
pub(crate) mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use privydns_core::{
    Answer, CacheResult, Config, Engine, Error, HttpVersion, Input, LookupId, Query, RecordType,
    ResolverBuilder, Shared, Upstream,
};

pub(crate) use host::{
    ADDRESS, AT_ONCE, Accepts, Act, Alpn, Ask, Host, Mangle, Misframe, answer, answer_after,
};
use network::Network;
pub(crate) use network_conditions::NetworkConditions;
pub(crate) use protocol::{Refusal, SpokenProtocol};
use trace::Trace;

/// The seed where a test does not care.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
    pub(crate) network: Network,
    pub(crate) trace: Trace,
    now: Duration,
    wake: Option<Duration>,
    /// How much later than that it is woken next.
    lateness: Duration,
    /// Whether the engine was told something since it was last drained.
    is_drained: bool,
    last_lookup: u64,
    waiting: BTreeMap<LookupId, Waiting>,
    /// Of those that wait.
    deadlines: BTreeSet<(Duration, LookupId)>,
    /// Whether the engine was ever woken late, or may have been, so that lookups end late.
    is_late: bool,
    /// By how much the clock has leapt.
    pub(crate) leapt: Duration,
    /// Each connection asked for: when, and where to.
    pub(crate) connects: Vec<(Duration, SocketAddr)>,
    done: BTreeMap<LookupId, Done>,
    /// The most queued attempts at once that broke the engine's rule of the queue.
    pub(crate) wrongly_queued: usize,
    message: Vec<u8>,
}

/// A lookup that is not done.
struct Waiting {
    query: Arc<Query>,
    since: Duration,
    deadline: Duration,
}

/// How a lookup ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) query: Arc<Query>,
    pub(crate) deadline: Duration,
    pub(crate) at: Duration,
    /// Since it was asked.
    pub(crate) took: Duration,
    pub(crate) result: Result<Answer, Error>,
}

/// The moment at which every world begins.
pub(crate) fn epoch() -> Instant {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a made-up clock has to begin somewhere")]
    *BEGINNING.get_or_init(Instant::now)
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The address of upstream number `index` of [`upstream`].
pub(crate) fn address(index: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, index], 853))
}

/// An upstream with one address, called `up0`, `up1`, ...
pub(crate) fn upstream(index: u8) -> Upstream {
    let server = format!("{}#dns{index}.example", address(index).ip());
    Upstream::tls(&server).expect("an upstream").with_label(format!("up{index}"))
}

/// The address of upstream number `index` of [`https_upstream`].
pub(crate) fn https_address(index: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, index], 443))
}

/// The same server as [`upstream`], asked by DoH over HTTP/1.1.
pub(crate) fn https_upstream(index: u8) -> Upstream {
    let url = format!("https://dns{index}.example/dns-query#ip={}", https_address(index).ip());
    let upstream = url.parse::<Upstream>().expect("an upstream");
    upstream.with_http_version(HttpVersion::Http1).with_label(format!("up{index}"))
}

pub(crate) fn query(name: &str) -> Query {
    Query::new(name, RecordType::A).expect("a name")
}

impl World {
    /// A world with this many upstreams and everything else as by default.
    pub(crate) fn with_upstreams(count: u8) -> Self {
        Self::new(Config::builder().upstreams((0..count).map(upstream)))
    }

    pub(crate) fn new(builder: ResolverBuilder) -> Self {
        Self::seeded(builder.build().expect("a configuration"), SEED)
    }

    pub(crate) fn seeded(config: Config, seed: [u8; 32]) -> Self {
        let shared = Arc::new(Shared::new(config, seed));
        Self {
            engine: Engine::new(shared.clone(), epoch(), seed),
            shared,
            network: Network::default(),
            trace: Trace::default(),
            now: Duration::ZERO,
            wake: None,
            lateness: Duration::ZERO,
            is_drained: true,
            last_lookup: 0,
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            is_late: false,
            leapt: Duration::ZERO,
            connects: Vec::new(),
            done: BTreeMap::new(),
            wrongly_queued: 0,
            message: Vec::new(),
        }
    }

    /// The host at the address of upstream `index`.
    pub(crate) fn host(&mut self, index: u8) -> &mut Host {
        self.network.host(address(index))
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// When the engine wants to be woken.
    pub(crate) fn wake(&self) -> Option<Duration> {
        self.wake
    }

    /// A caller asks the engine.
    pub(crate) fn ask(&mut self, query: &Query) -> LookupId {
        let (id, query) = self.begin(query);
        let deadline = epoch() + self.waiting[&id].deadline;
        self.tell(Input::Lookup { id, query, deadline });
        id
    }

    /// A caller asks as a handle of a resolver does: the engine only where the cache does not know.
    pub(crate) fn ask_shared_first(&mut self, query: &Query) -> LookupId {
        let answered = match self.shared.try_answer(self.instant(), query) {
            Ok(CacheResult::Miss(query_key)) => {
                let (id, query) = self.begin(query);
                let deadline = epoch() + self.waiting[&id].deadline;
                self.tell(Input::Miss { id, query, query_key, deadline });
                return id;
            }
            Ok(CacheResult::Answer(answer)) => Ok(answer),
            Ok(CacheResult::Refresh(answer)) => {
                self.tell(Input::Refresh(Arc::new(query.clone())));
                Ok(answer)
            }
            Ok(other) => panic!("an early answer that this world does not know: {other:?}"),
            Err(error) => Err(error),
        };
        let (id, _) = self.begin(query);
        self.lookup_done(id, answered);
        id
    }

    fn begin(&mut self, query: &Query) -> (LookupId, Arc<Query>) {
        self.last_lookup += 1;
        let id = LookupId(self.last_lookup);
        let query = Arc::new(query.clone());
        let deadline = self.shared.deadline(self.instant(), &query).saturating_duration_since(epoch());
        self.deadlines.insert((deadline, id));
        self.waiting.insert(id, Waiting { query: query.clone(), since: self.now, deadline });
        (id, query)
    }

    pub(crate) fn lookup(&mut self, name: &str) -> LookupId {
        self.ask(&query(name))
    }

    /// Asks, and lets time pass until the answer is there.
    pub(crate) fn resolve(&mut self, name: &str) -> Done {
        let id = self.lookup(name);
        self.finish(id)
    }

    /// Lets time pass until a lookup is done.
    pub(crate) fn finish(&mut self, id: LookupId) -> Done {
        self.drain();
        while !self.done.contains_key(&id) {
            assert!(self.step(Duration::MAX), "the world stands still and {id:?} is not done");
        }
        self.done.remove(&id).expect("it is done")
    }

    /// Lets time pass until no lookup waits; how those ended that were not taken yet, in the order of asking.
    pub(crate) fn finish_all(&mut self) -> Vec<Done> {
        self.drain();
        while !self.waiting.is_empty() {
            assert!(self.step(Duration::MAX), "the world stands still with lookups waiting");
        }
        self.take_done()
    }

    /// How those ended that were not taken yet, in the order of asking.
    pub(crate) fn take_done(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.done).into_values().collect()
    }

    /// How a lookup ended, if it did.
    pub(crate) fn done(&mut self, id: LookupId) -> Option<Done> {
        self.drain();
        self.done.remove(&id)
    }

    pub(crate) fn cancel(&mut self, id: LookupId) {
        let waiting = self.waiting.remove(&id).expect("a lookup that waits");
        self.deadlines.remove(&(waiting.deadline, id));
        self.tell(Input::Cancel(id));
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub(crate) fn run_until(&mut self, end: Duration) {
        self.drain();
        while self.step(end) {}
        self.now = end;
    }

    /// Every connection to the host of upstream `index` is reset.
    pub(crate) fn reset_all(&mut self, index: u8) {
        self.network.reset_all(self.now, address(index));
    }

    /// The clock leaps, as when the machine was asleep: what was to happen meanwhile happens late.
    pub(crate) fn leap(&mut self, time: Duration) {
        self.drain();
        self.now += time;
        self.is_late = true;
        self.leapt += time;
    }

    /// The lookups that are not done.
    pub(crate) fn waiting(&self) -> impl ExactSizeIterator<Item = LookupId> {
        self.waiting.keys().copied()
    }

    /// Questions on their way, as the engine tells of itself.
    pub(crate) fn flights(&self) -> usize {
        let text = format!("{:?}", self.engine);
        let (_, rest) = text.split_once("flights: ").expect("it tells");
        rest.split(',').next().and_then(|number| number.parse().ok()).expect("a number")
    }

    fn instant(&self) -> Instant {
        epoch() + self.now
    }
}

impl Done {
    /// The answer.
    #[track_caller]
    pub(crate) fn answer(self) -> Answer {
        self.result.expect("an answer")
    }

    /// The error.
    #[track_caller]
    pub(crate) fn error(self) -> Error {
        self.result.expect_err("an error")
    }
}
