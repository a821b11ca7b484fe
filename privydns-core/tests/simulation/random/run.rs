//! One random run, and its invariants.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use privydns_core::engine::Input;
use privydns_core::{CacheUse, Cause, CertificateProblem};

use super::answer_log::AnswerLog;
use super::behaviour::Behaviour;
use super::scenario::{Scenario, Server};
use super::statistics::Statistics;
use crate::world::draw::Draw;
use crate::world::{Accepts, Alpn, Done, NetworkConditions, SpokenProtocol, World, ms, query, s};

/// Longer than any failure is remembered.
const FORGOTTEN: Duration = s(330);

/// Counts the runs in which an attempt was queued against the rule of the queue.
pub(crate) const WRONGLY_QUEUED: &str = "runs with wrongly queued attempts";

pub(crate) struct Run {
    pub(super) world: World,
    pub(super) draw: Draw,
    pub(super) scenario: &'static Scenario,
    pub(super) answer_log: Rc<RefCell<AnswerLog>>,
    /// Every address, with the number of its server.
    pub(super) hosts: Vec<(SocketAddr, usize)>,
    /// The server without faults, if there is one.
    pub(super) steady: Option<usize>,
    /// How far the wall clock is ahead of the monotonic clock.
    pub(super) clock: Duration,
    /// The part of that difference that came from jumps, as after suspend: cached answers age by it.
    pub(super) slept: Duration,
    /// How often everything in flight had to be sent again.
    pub(super) changes: usize,
    /// How often each name was queried.
    pub(super) asked: BTreeMap<String, usize>,
    /// Names that were queried with a short timeout at least once.
    pub(super) hurried: BTreeSet<String>,
    /// The number of requested connections that were checked.
    connects_seen: usize,
    statistics: Statistics,
}

impl Run {
    /// Plays a seed to its end. Returns the hash over all inputs and outputs, and the statistics.
    pub(crate) fn play(seed: u64, is_printed: bool) -> (u64, Statistics) {
        let mut run = Self::new(seed);
        if is_printed {
            run.world.trace.print();
        }
        for _ in 0..run.draw.between(5..=40) {
            run.act();
            let pause = run.pause();
            run.pass(pause);
        }
        if run.draw.percent(10) {
            run.close();
        } else {
            run.settle();
            run.recover();
        }
        run.statistics.count("connections", run.world.connects.len());
        run.statistics.count(WRONGLY_QUEUED, usize::from(run.world.wrongly_queued > 0));
        (run.world.trace.sum(), run.statistics)
    }

    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let scenario = Scenario::of(draw.number());
        let mut world = World::seeded(scenario.config.clone(), draw.seed());
        let steady = steady(scenario, &mut draw);
        let conditions =
            if steady.is_some() { low_delay_conditions(draw.fork()) } else { random_conditions(draw.fork()) };
        world.network.conditions = draw.percent(80).then_some(conditions);
        world.network.strangers = Some(Accepts::Failing(Cause::Certificate(CertificateProblem::WrongName)));
        let servers = scenario.servers.iter().enumerate();
        let hosts = servers.flat_map(|(number, server)| server.addresses.iter().map(move |a| (*a, number)));
        let mut run = Self {
            world,
            draw,
            scenario,
            answer_log: Rc::default(),
            hosts: hosts.collect(),
            steady,
            clock: Duration::ZERO,
            slept: Duration::ZERO,
            changes: 0,
            asked: BTreeMap::new(),
            hurried: BTreeSet::new(),
            connects_seen: 0,
            statistics: Statistics::default(),
        };
        for (address, number) in run.hosts.clone() {
            run.set_up(address, number);
        }
        run
    }

    /// Advances the time, and checks the invariants after every step.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.world.now() + time;
        self.world.drain();
        self.check_invariants();
        while self.world.step(end) {
            self.check_invariants();
        }
        self.world.run_until(end);
    }

    fn check_invariants(&mut self) {
        for done in self.world.take_done() {
            self.statistics.done(&done);
            assert!(
                done.result.is_ok() || !self.must_succeed(&done),
                "a server without faults was available: {done:?}"
            );
            self.answer_log.borrow().check(self.scenario, self.world.leapt + self.slept, &done);
            self.check_choice(&done);
        }
        assert!(self.world.waiting().len() <= self.scenario.max_lookups);
        self.check_connections();
    }

    /// Whether a lookup must be answered: a server without faults may be asked, and there is enough time for that.
    fn must_succeed(&self, done: &Done) -> bool {
        let upstream_set = self.scenario.upstream_set(&done.query);
        let is_refused = done.query.cache_use() == CacheUse::Only || done.took.is_zero();
        let has_time = done.query.timeout().is_none() && self.scenario.timeout >= s(5);
        self.steady.is_some_and(|steady| upstream_set.contains(&steady))
            && self.scenario.attempts >= upstream_set.len()
            && has_time
            && !is_refused
            && self.world.leapt.is_zero()
    }

    /// If the first upstream is the one without faults, only that upstream is asked. Exception: a lookup with a short
    /// timeout may try another upstream after half of its time.
    fn check_choice(&self, done: &Done) {
        let is_first = self.scenario.is_ordered
            && self.steady == self.scenario.upstream_set(&done.query).first().copied();
        if let (true, true, Ok(answer)) = (is_first, self.world.leapt.is_zero(), &done.result)
            && !answer.is_cached()
            && !answer.is_stale()
            && !self.hurried.contains(&done.query.name().to_string())
        {
            let is_chosen = self.steady.is_some_and(|steady| answer.upstream() == format!("up{steady}"));
            assert!(is_chosen && answer.attempts() == 1, "the first choice was available: {done:?}");
        }
    }

    /// Connections are opened one by one.
    fn check_connections(&mut self) {
        let seen = std::mem::replace(&mut self.connects_seen, self.world.connects.len());
        let Some((now, _)) = self.world.connects[seen..].last().copied() else { return };
        for server in &self.scenario.servers {
            let at_once = self.world.connects.iter().rev().take_while(|(at, _)| *at == now);
            let to_it = at_once.filter(|(_, address)| server.addresses.contains(address)).count();
            assert!(to_it <= server.max_connections * 2 + 1, "{to_it} connections at once");
        }
        self.check_limits();
    }

    /// Flights are bounded by lookups, and connections by flights: a connection that takes no queries has an answer
    /// pending.
    fn check_limits(&self) {
        let flights = self.world.flights();
        // Each server's name may be queried with two types, and each server may be probed.
        let servers = 3 * self.scenario.servers.len();
        assert!(flights <= 2 * self.scenario.max_lookups + servers, "{flights} questions on their way");
        for server in &self.scenario.servers {
            let open = self.world.network.open_connections_to(&server.addresses);
            let most =
                (server.max_connections + 1) * server.addresses.len() + flights * self.scenario.attempts;
            assert!(open <= most, "{open} connections to one server for {flights} questions");
        }
    }

    fn close(&mut self) {
        // No lookup has to be answered any more.
        self.steady = None;
        self.world.tell(Input::Close);
        self.world.drain();
        self.check_invariants();
        assert_eq!(self.world.waiting().len(), 0, "closing ends every lookup");
        assert!(self.world.engine.is_closed());
        assert_eq!((self.world.wake(), self.world.network.open_connections()), (None, 0));
        let refresh = Input::Refresh(Arc::new(query("late.example")));
        for late in [Input::NetworkChanged, Input::WarmUp, Input::Timeout, refresh] {
            self.world.tell(late);
        }
        self.pass(s(30));
        assert_eq!(self.world.connects.len(), self.connects_seen, "nothing is begun after the close");
    }

    /// No more lookups begin: all state is released, whatever the servers do.
    fn settle(&mut self) {
        self.pass(self.scenario.timeout + s(1));
        assert_eq!(self.world.waiting().len(), 0, "no lookup outlives its deadline");
        // A dial takes at most 10 s, and an idle connection is kept for at most 600 s.
        self.pass(s(620));
        let rest = format!("{:?}", self.world.engine);
        assert_eq!((self.world.engine.lookups_in_flight(), self.world.flights()), (0, 0), "left: {rest}");
        if !self.scenario.pings {
            assert_eq!(self.world.network.open_connections(), 0, "what is idle is closed");
            assert!(rest.contains("connections: 0"), "something is left: {rest}");
            assert_eq!(self.world.wake(), None, "an idle engine wants nothing");
        }
        self.check_effort();
        self.check_hedges();
    }

    /// No question is sent more often than the callers' attempts allow.
    fn check_effort(&mut self) {
        let mut sent = BTreeMap::<String, usize>::new();
        for (address, _) in self.hosts.clone() {
            self.statistics.count("queries at servers", self.world.network.host(address).asked.len());
            for ask in &self.world.network.host(address).asked {
                *sent.entry(ask.question.name.clone()).or_default() += 1;
            }
        }
        // Each upstream may lose a stale connection, and may teach its version of HTTP; four more refusals are free.
        let each = (self.scenario.attempts + 2 * self.scenario.servers.len() + 4) * (1 + self.changes);
        // Only the engine queries the addresses of upstreams.
        for (name, sent) in sent.into_iter().filter(|(name, _)| !name.starts_with("dns")) {
            let asked = self.asked.get(&name).copied().unwrap_or_default();
            assert!(sent <= asked * each, "{name} was asked for {asked} times and sent {sent} times");
        }
    }

    /// Hedges stay within their share of the queries.
    fn check_hedges(&self) {
        let upstreams = self.world.shared.stats().upstreams;
        let (queries, hedges) = upstreams.iter().fold((0, 0), |(q, h), u| (q + u.queries, h + u.hedges));
        assert!(
            hedges * 100 <= queries * self.scenario.hedged_percent,
            "{hedges} hedges of {queries} queries"
        );
    }

    /// All servers are healthy again, and failures are forgotten: every lookup succeeds with its first attempt.
    fn recover(&mut self) {
        self.world.network.conditions = None;
        for (address, number) in self.hosts.clone() {
            self.set_behaviour(address, number, Behaviour::Good);
            let host = self.world.network.host(address);
            host.accepts(Accepts::Everything).is_away(ms(10));
            host.closes_when_idle = None;
            host.alpn = Alpn::Honest;
            host.unreachable_until = Duration::ZERO;
            host.stalled_until = Duration::ZERO;
        }
        self.pass(FORGOTTEN);
        let nameless = self.scenario.servers.iter().filter(|server| server.is_nameless).count();
        // Three round trips and the server's delay; the same for each of two queries for a server's address.
        let longest = ms(30 + 60) * u32::try_from(1 + 2 * nameless).expect("a few");
        for number in 0..6 {
            let id = self.world.lookup(&format!("well{number}.example"));
            let done = self.world.finish(id);
            self.answer_log.borrow().check(self.scenario, self.world.leapt + self.slept, &done);
            assert!(done.took <= longest, "{done:?}");
            let attempts = usize::from(done.answer().attempts());
            assert!(attempts <= self.scenario.parallel, "{attempts} attempts");
            let pause = self.draw.millis(0..=2000);
            self.pass(pause);
        }
    }
}

/// Chooses a server without faults. HTTP/1.1 is excluded, because one query at a time may be too slow for a burst;
/// servers known by name are excluded, because they depend on others.
fn steady(scenario: &Scenario, draw: &mut Draw) -> Option<usize> {
    let may_be =
        |(_, server): &(usize, &Server)| server.speaks != SpokenProtocol::Http1 && !server.is_nameless;
    let servers = scenario.servers.iter().enumerate().filter(may_be).map(|(number, _)| number);
    let servers = servers.collect::<Vec<_>>();
    (!servers.is_empty() && draw.percent(40)).then(|| draw.one_of(&servers))
}

fn random_conditions(mut draw: Draw) -> NetworkConditions {
    NetworkConditions {
        jitter: draw.one_of(&[0, 5, 50, 400]),
        splits: draw.one_of(&[0, 30, 90]),
        joins: draw.one_of(&[0, 50, 100]),
        stalls: draw.one_of(&[0, 0, 5, 30]),
        echoes: draw.one_of(&[0, 50]),
        batches: draw.one_of(&[0, 50, 90]),
        skews: draw.one_of(&[0, 0, 10]),
        lateness: draw.one_of(&[0, 0, 0, 20, 300]),
        draw,
    }
}

/// Network conditions that delay messages by little. A wrong time delays them as well.
fn low_delay_conditions(draw: Draw) -> NetworkConditions {
    let conditions = random_conditions(draw);
    let (jitter, lateness) = (conditions.jitter.min(50), conditions.lateness.min(20));
    NetworkConditions { jitter, lateness, stalls: 0, skews: 0, ..conditions }
}
