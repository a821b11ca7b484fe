//! The simulated world of an engine: a clock, a network, servers and callers. Time is simulated, so that an hour passes
//! as fast as its events can be handled.
//!
//! [`World`] is also the driver. It checks the engine's contract while it [drives](drive), so that every test checks
//! the contract as well: no transmit before TLS is up or without credit, exactly one end for each lookup, at or before
//! its deadline, a timer for the earliest deadline, no second close of a connection, and at most one timer in the past.

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
use std::sync::Arc;
use std::time::{Duration, Instant};

use privydns_core::engine::{CacheResult, Engine, Input, LookupId, Shared};
use privydns_core::{Answer, Config, Error, HttpVersion, Query, RecordType, ResolverBuilder, Upstream};

pub(crate) use host::{
    ADDRESS, AT_ONCE, Accepts, Act, Alpn, Ask, Host, Mangle, Misframe, answer, answer_after,
};
use network::Network;
pub(crate) use network_conditions::NetworkConditions;
pub(crate) use privydns_core::testkit::{epoch, ms, s};
pub(crate) use protocol::{Refusal, SpokenProtocol};
use trace::Trace;

/// The default seed.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
    pub(crate) network: Network,
    pub(crate) trace: Trace,
    now: Duration,
    wake: Option<Duration>,
    /// How late the next timer expires.
    lateness: Duration,
    /// Whether the engine has been drained since the last input.
    is_drained: bool,
    last_lookup: u64,
    waiting: BTreeMap<LookupId, Waiting>,
    /// The deadlines of the waiting lookups.
    deadlines: BTreeSet<(Duration, LookupId)>,
    /// Whether a timer ever expired late, so that lookups may end late.
    is_late: bool,
    /// The sum of all clock jumps.
    pub(crate) leapt: Duration,
    /// Each requested connection: time and address.
    pub(crate) connects: Vec<(Duration, SocketAddr)>,
    done: BTreeMap<LookupId, Done>,
    /// The most queued attempts at once that broke the engine's rule of the queue.
    pub(crate) wrongly_queued: usize,
    message: Vec<u8>,
}

/// A waiting lookup.
struct Waiting {
    query: Arc<Query>,
    since: Duration,
    deadline: Duration,
}

/// The end of a lookup.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) query: Arc<Query>,
    pub(crate) deadline: Duration,
    pub(crate) at: Duration,
    /// The duration since the lookup began.
    pub(crate) took: Duration,
    pub(crate) result: Result<Answer, Error>,
}

/// The address of upstream number `index` of [`upstream`].
pub(crate) fn address(index: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, index], 853))
}

/// An upstream with one address, with the label `up0`, `up1`, ...
pub(crate) fn upstream(index: u8) -> Upstream {
    let server = format!("{}#dns{index}.example", address(index).ip());
    Upstream::tls(&server).expect("an upstream").with_label(format!("up{index}"))
}

/// The address of upstream number `index` of [`https_upstream`].
pub(crate) fn https_address(index: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, index], 443))
}

/// The server of [`upstream`] over DoH with HTTP/1.1.
pub(crate) fn https_upstream(index: u8) -> Upstream {
    let url = format!("https://dns{index}.example/dns-query#ip={}", https_address(index).ip());
    let upstream = url.parse::<Upstream>().expect("an upstream");
    upstream.with_http_version(HttpVersion::Http1).with_label(format!("up{index}"))
}

pub(crate) fn query(name: &str) -> Query {
    Query::new(name, RecordType::A).expect("a name")
}

impl World {
    /// A world with this many upstreams and default settings.
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

    /// The time of the engine's timer.
    pub(crate) fn wake(&self) -> Option<Duration> {
        self.wake
    }

    /// Begins a lookup in the engine.
    pub(crate) fn ask(&mut self, query: &Query) -> LookupId {
        let (id, query) = self.begin(query);
        let deadline = epoch() + self.waiting[&id].deadline;
        self.tell(Input::Lookup { id, query, deadline });
        id
    }

    /// Begins a lookup as a resolver's handle does: through the engine only after a cache miss.
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

    /// Begins a lookup, and advances the time until the lookup ends.
    pub(crate) fn resolve(&mut self, name: &str) -> Done {
        let id = self.lookup(name);
        self.finish(id)
    }

    /// Advances the time until a lookup ends.
    pub(crate) fn finish(&mut self, id: LookupId) -> Done {
        self.drain();
        while !self.done.contains_key(&id) {
            assert!(self.step(Duration::MAX), "the world stands still and {id:?} is not done");
        }
        self.done.remove(&id).expect("it is done")
    }

    /// Advances the time until no lookup waits. Returns the ended lookups that were not taken yet, in the order of
    /// their start.
    pub(crate) fn finish_all(&mut self) -> Vec<Done> {
        self.drain();
        while !self.waiting.is_empty() {
            assert!(self.step(Duration::MAX), "the world stands still with lookups waiting");
        }
        self.take_done()
    }

    /// The ended lookups that were not taken yet, in the order of their start.
    pub(crate) fn take_done(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.done).into_values().collect()
    }

    /// The end of a lookup, if it has ended.
    pub(crate) fn done(&mut self, id: LookupId) -> Option<Done> {
        self.drain();
        self.done.remove(&id)
    }

    pub(crate) fn cancel(&mut self, id: LookupId) {
        let waiting = self.waiting.remove(&id).expect("a lookup that waits");
        self.deadlines.remove(&(waiting.deadline, id));
        self.tell(Input::Cancel(id));
    }

    /// Advances the time.
    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub(crate) fn run_until(&mut self, end: Duration) {
        self.drain();
        while self.step(end) {}
        self.now = end;
    }

    /// Resets every connection to the host of upstream `index`.
    pub(crate) fn reset_all(&mut self, index: u8) {
        self.network.reset_all(self.now, address(index));
    }

    /// Jumps ahead in time, as after suspend: events of that time happen late.
    pub(crate) fn leap(&mut self, time: Duration) {
        self.drain();
        self.now += time;
        self.is_late = true;
        self.leapt += time;
    }

    /// The lookups that wait.
    pub(crate) fn waiting(&self) -> impl ExactSizeIterator<Item = LookupId> {
        self.waiting.keys().copied()
    }

    /// The number of flights, read from the engine's `Debug` output.
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
