//! A world for the engine to live in: a clock, a network, servers, callers. All of it is made up, and none of
//! it waits: an hour passes as fast as its events are worked off.
//!
//! [`World`] is the driver. It checks the engine's contract as it drives, so that every test is also a test of
//! that: nothing is transmitted before TLS is up, each lookup ends once and in time, no connection is closed
//! twice, and a wake-up asked for in the past is asked for once.

mod host;
mod network;
mod speech;
mod trace;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use privydns_core::{
    Answer, Builder, Config, Engine, Error, HttpVersion, Input, LookupId, Output, Query, RecordType, Shared,
    Upstream,
};

pub(crate) use host::{ADDRESS, AT_ONCE, Accepts, Act, Ask, Host, Speaks, answer, answer_after};
use network::{Network, Notice};
use trace::Trace;

/// More outputs than this without a `Wait` are taken for an engine that does not stop.
const MOST_OUTPUTS: usize = 100_000;

/// The seed where a test does not care.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
    pub(crate) network: Network,
    pub(crate) trace: Trace,
    now: Duration,
    wake: Option<Duration>,
    /// Whether the engine was told something since it was last drained.
    is_drained: bool,
    last_lookup: u64,
    waiting: BTreeMap<LookupId, Waiting>,
    done: BTreeMap<LookupId, Done>,
    message: Vec<u8>,
}

/// A lookup that is not done.
struct Waiting {
    since: Duration,
    deadline: Duration,
}

/// How a lookup ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) at: Duration,
    /// Since it was asked.
    pub(crate) took: Duration,
    pub(crate) result: Result<Answer, Error>,
}

/// The moment at which every world begins.
pub(crate) fn beginning() -> Instant {
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
    Upstream::tls(&server).expect("an upstream").labelled(format!("up{index}"))
}

/// The address of upstream number `index` of [`https_upstream`].
pub(crate) fn https_address(index: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, index], 443))
}

/// The same server as [`upstream`], asked by DoH over HTTP/1.1.
pub(crate) fn https_upstream(index: u8) -> Upstream {
    let url = format!("https://dns{index}.example/dns-query#ip={}", https_address(index).ip());
    let upstream = url.parse::<Upstream>().expect("an upstream");
    upstream.http_version(HttpVersion::Http1).labelled(format!("up{index}"))
}

pub(crate) fn query(name: &str) -> Query {
    Query::new(name, RecordType::A).expect("a name")
}

impl World {
    /// A world with this many upstreams and everything else as by default.
    pub(crate) fn with_upstreams(count: u8) -> Self {
        Self::new(Config::builder().upstreams((0..count).map(upstream)))
    }

    pub(crate) fn new(builder: Builder) -> Self {
        Self::seeded(builder.build().expect("a configuration"), SEED)
    }

    pub(crate) fn seeded(config: Config, seed: [u8; 32]) -> Self {
        let shared = Arc::new(Shared::new(config, seed));
        Self {
            engine: Engine::new(shared.clone(), beginning(), seed),
            shared,
            network: Network::default(),
            trace: Trace::default(),
            now: Duration::ZERO,
            wake: None,
            is_drained: true,
            last_lookup: 0,
            waiting: BTreeMap::new(),
            done: BTreeMap::new(),
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

    /// A caller asks, as a handle of a resolver does, but leaves it all to the engine.
    pub(crate) fn ask(&mut self, query: &Query) -> LookupId {
        self.last_lookup += 1;
        let id = LookupId(self.last_lookup);
        let deadline = self.shared.deadline(self.instant(), query);
        let waiting = Waiting { since: self.now, deadline: deadline.saturating_duration_since(beginning()) };
        self.waiting.insert(id, waiting);
        self.tell(Input::Lookup { id, query: Arc::new(query.clone()), deadline });
        id
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
        std::mem::take(&mut self.done).into_values().collect()
    }

    /// How a lookup ended, if it did.
    pub(crate) fn done(&mut self, id: LookupId) -> Option<Done> {
        self.drain();
        self.done.remove(&id)
    }

    pub(crate) fn cancel(&mut self, id: LookupId) {
        self.waiting.remove(&id).expect("a lookup that waits");
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

    /// Tells the engine something now.
    pub(crate) fn tell(&mut self, input: Input<'_>) {
        self.trace.input(self.now, &input);
        self.engine.handle_input(self.instant(), input);
        self.is_drained = false;
    }

    /// The next thing happens, unless that is after `end`.
    fn step(&mut self, end: Duration) -> bool {
        let event = self.network.next_event();
        let Some(next) = event.into_iter().chain(self.wake).min().filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        if event.is_some_and(|event| event <= self.now) {
            match self.network.happen() {
                None => {}
                Some(Notice::Handshaking(id)) => self.tell(Input::Handshaking(id)),
                Some(Notice::Connected(id, alpn)) => {
                    self.tell(Input::Connected { id, alpn, resumed: false });
                }
                Some(Notice::Received(id, bytes)) => self.tell(Input::Received { id, bytes: &bytes }),
                Some(Notice::Ended(id, cause)) => self.tell(Input::Ended { id, cause }),
            }
            self.drain();
        } else {
            self.tell(Input::Timeout);
            self.drain();
            assert!(self.wake.is_none_or(|wake| wake > self.now), "asked to be woken in the past twice");
        }
        true
    }

    /// Does what the engine says, until it has nothing more to say.
    pub(crate) fn drain(&mut self) {
        if std::mem::replace(&mut self.is_drained, true) {
            return;
        }
        for _ in 0..MOST_OUTPUTS {
            let output = self.engine.poll_output(self.instant(), &mut self.message);
            self.trace.output(self.now, &output, &self.message);
            match output {
                Output::Connect { id, target } => self.network.connect(self.now, id, &target),
                Output::Transmit(id) => self.network.transmit(id, &self.message),
                Output::Close(id) => self.network.close(id),
                Output::Done { id, result } => self.lookup_done(id, result),
                Output::Wait(wake) => {
                    let written = self.network.flush(self.now);
                    if written.is_empty() {
                        self.wake = wake.map(|wake| wake.saturating_duration_since(beginning()));
                        return;
                    }
                    for id in written {
                        self.engine.handle_input(self.instant(), Input::Written(id));
                    }
                }
                other => panic!("an output that this world does not know: {other:?}"),
            }
        }
        panic!("the engine does not stop saying what to do");
    }

    fn lookup_done(&mut self, id: LookupId, result: Result<Answer, Error>) {
        let waiting =
            self.waiting.remove(&id).expect("a lookup is done once, and not after it was cancelled");
        let Waiting { since, deadline } = waiting;
        let at = self.now;
        assert!(at <= deadline, "{id:?} is done at {at:?}, and its deadline was {deadline:?}");
        self.done.insert(id, Done { at, took: at.saturating_sub(since), result });
    }

    fn instant(&self) -> Instant {
        beginning() + self.now
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
