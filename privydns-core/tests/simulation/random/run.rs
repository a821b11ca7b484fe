//! One run: callers who ask and leave, a network and servers that do as they like, and what has to hold for all that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use privydns_core::{CacheUse, Cause, CertificateProblem, Input, Protocol, Query, QueryName, RecordType};

use super::ledger::Ledger;
use super::shape::Shape;
use super::temper::{Moody, Temper};
use crate::world::draw::Draw;
use crate::world::{Accepts, Weather, World, ms, s};

/// Longer than any failure is remembered.
const FORGOTTEN: Duration = s(330);

pub(crate) struct Run {
    world: World,
    draw: Draw,
    shape: &'static Shape,
    ledger: Rc<RefCell<Ledger>>,
    /// Every address, and the number of its upstream.
    hosts: Vec<(SocketAddr, usize)>,
    /// How often each name was asked for.
    asked: BTreeMap<String, usize>,
    /// Connections asked for that were looked at.
    connects_seen: usize,
}

impl Run {
    /// Plays a seed to its end; what all inputs and outputs of the engine come to.
    pub(crate) fn play(seed: u64, is_printed: bool) -> u64 {
        let mut run = Self::new(seed);
        if is_printed {
            run.world.trace.print();
        }
        for _ in 0..run.draw.between(5..=40) {
            run.turn();
            let pause = run.pause();
            run.pass(pause);
        }
        if run.draw.percent(10) {
            run.close();
        } else {
            run.settle();
            run.recover();
        }
        run.world.trace.sum()
    }

    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let shape = Shape::of(draw.number());
        let mut world = World::seeded(shape.config.clone(), draw.seed());
        let weather = weather(draw.fork());
        world.network.weather = draw.percent(80).then_some(weather);
        let servers = shape.servers.iter().enumerate();
        let hosts = servers.flat_map(|(number, server)| server.addresses.iter().map(move |a| (*a, number)));
        let mut run = Self {
            world,
            draw,
            shape,
            ledger: Rc::default(),
            hosts: hosts.collect(),
            asked: BTreeMap::new(),
            connects_seen: 0,
        };
        for (address, number) in run.hosts.clone() {
            run.world.network.host(address).speaks = shape.servers[number].speaks;
            run.world.network.host(address).one_way = run.draw.one_of(&[ms(0), ms(1), ms(10), ms(120)]);
            run.change_temper(address, number);
            if run.draw.percent(30) {
                run.change_door(address);
            }
        }
        run
    }

    fn turn(&mut self) {
        let (address, number) = self.draw.one_of(&self.hosts);
        match self.draw.between(0..=99) {
            0..=54 => self.burst(),
            55..=64 => self.cancel(),
            65..=74 => self.change_temper(address, number),
            75..=82 => self.change_door(address),
            83..=86 => self.world.network.reset_all(self.world.now(), address),
            87..=89 => self.world.network.forget_all(address),
            90..=92 => {
                let silence = self.draw.millis(100..=20_000);
                self.world.network.host(address).unreachable_until = self.world.now() + silence;
            }
            93..=95 => self.world.time_out(),
            96..=97 => {
                let leap = self.draw.one_of(&[ms(900), s(3), s(20), s(7200)]);
                self.world.leap(leap);
            }
            _ => self.pass(s(10)),
        }
    }

    fn pause(&mut self) -> Duration {
        match self.draw.between(0..=9) {
            0..=1 => Duration::ZERO,
            2..=7 => self.draw.millis(0..=300),
            8 => self.draw.millis(0..=3000),
            _ => self.draw.millis(0..=40_000),
        }
    }

    /// Lets time pass, and looks after every step whether all is as it should be.
    fn pass(&mut self, time: Duration) {
        let end = self.world.now() + time;
        self.world.drain();
        self.look();
        while self.world.step(end) {
            self.look();
        }
        self.world.run_until(end);
    }

    fn look(&mut self) {
        for done in self.world.take_done() {
            self.ledger.borrow().check(self.shape, self.world.leapt, &done);
        }
        assert!(self.world.waiting().len() <= self.shape.max_lookups);
        self.look_at_connections();
    }

    /// Connections are opened one by one, and not many at once.
    fn look_at_connections(&mut self) {
        let Some((now, _)) = self.world.connects.last().copied() else { return };
        let new =
            self.world.connects.len() - std::mem::replace(&mut self.connects_seen, self.world.connects.len());
        if new == 0 {
            return;
        }
        for server in &self.shape.servers {
            let at_once = self.world.connects.iter().rev().take_while(|(at, _)| *at == now);
            let to_it = at_once.filter(|(_, address)| server.addresses.contains(address)).count();
            assert!(to_it <= server.max_connections * 2 + 1, "{to_it} connections at once");
        }
    }

    fn burst(&mut self) {
        let count = match self.draw.between(0..=9) {
            0..=5 => 1,
            6..=8 => self.draw.between(2..=6),
            _ => self.draw.between(10..=60),
        };
        for _ in 0..count {
            let query = self.query();
            *self.asked.entry(query.name().to_string()).or_default() += 1;
            if self.draw.percent(70) {
                self.world.ask_early(&query);
            } else {
                self.world.ask(&query);
            }
        }
        if self.draw.percent(5) {
            let query = self.query();
            *self.asked.entry(query.name().to_string()).or_default() += 1;
            self.world.tell(Input::Refresh(query.into()));
        }
    }

    fn query(&mut self) -> Query {
        let number = self.draw.between(0..=9);
        let name =
            if self.draw.percent(30) { format!("w.n{number}.example") } else { format!("n{number}.example") };
        let name = QueryName::parse(&name).expect("a name");
        let mut query = Query::for_name(name, self.draw.one_of(&[RecordType::A, RecordType::AAAA]));
        if self.draw.percent(10) {
            query = query.dnssec_ok(true);
        }
        if self.draw.percent(10) {
            query = query.timeout(self.draw.millis(1..=1000).min(self.shape.timeout));
        }
        if self.draw.percent(15) {
            query = query.cache(self.draw.one_of(&[CacheUse::Bypass, CacheUse::Only]));
        }
        let protocol = self.draw.one_of(&[Protocol::Tls, Protocol::Https]);
        if self.draw.percent(15) && self.shape.servers.iter().any(|server| server.protocol() == protocol) {
            query = query.protocol(protocol);
        }
        query
    }

    fn cancel(&mut self) {
        let waiting = self.world.waiting().collect::<Vec<_>>();
        let chance = self.draw.one_of(&[10, 50, 100]);
        for id in waiting {
            if self.draw.percent(chance) {
                self.world.cancel(id);
            }
        }
    }

    fn change_temper(&mut self, address: SocketAddr, number: usize) {
        let temper = self.draw.one_of(&Temper::ALL);
        self.set_temper(address, number, temper);
        let closes = self.draw.one_of(&[None, None, Some(ms(300)), Some(s(2)), Some(s(10))]);
        self.world.network.host(address).closes_when_idle = closes;
    }

    fn set_temper(&mut self, address: SocketAddr, number: usize, temper: Temper) {
        let mut moody = Moody {
            number,
            speaks: self.shape.servers[number].speaks,
            temper,
            draw: self.draw.fork(),
            ledger: self.ledger.clone(),
        };
        self.world.network.host(address).serves(move |ask| moody.serve(ask));
    }

    fn change_door(&mut self, address: SocketAddr) {
        let accepts = self.draw.one_of(&[
            Accepts::Everything,
            Accepts::Everything,
            Accepts::Everything,
            Accepts::Nothing,
            Accepts::Silently,
            Accepts::TcpAlone,
            Accepts::WithoutAlpn,
            Accepts::Failing(Cause::Tls("handshake failure".into())),
            Accepts::Failing(Cause::Certificate(CertificateProblem::Expired)),
            Accepts::Failing(Cause::Closed),
        ]);
        self.world.network.host(address).accepts(accepts);
    }

    fn close(&mut self) {
        self.world.tell(Input::Close);
        self.world.drain();
        self.look();
        assert_eq!(self.world.waiting().len(), 0, "closing ends every lookup");
        assert!(self.world.engine.is_closed());
        assert_eq!((self.world.wake(), self.world.network.open_connections()), (None, 0));
        self.pass(s(30));
        assert_eq!(self.world.connects.len(), self.connects_seen, "nothing is begun after the close");
    }

    /// Nobody asks any more: everything comes to rest, whatever the servers do.
    fn settle(&mut self) {
        self.pass(self.shape.timeout + s(1));
        assert_eq!(self.world.waiting().len(), 0, "no lookup outlives its deadline");
        // A dial takes 10 s at the most, and a connection that is idle is kept for 600 s at the most.
        self.pass(s(620));
        assert_eq!(self.world.network.open_connections(), 0, "what is idle is closed");
        assert_eq!(self.world.wake(), None, "an idle engine wants nothing");
        let rest = format!("{:?}", self.world.engine);
        assert!(rest.contains("lookups: 0, flights: 0, connections: 0"), "something is left: {rest}");
        self.check_effort();
    }

    /// No question is asked more often than the callers had attempts.
    fn check_effort(&mut self) {
        let mut sent = BTreeMap::<String, usize>::new();
        for (address, _) in self.hosts.clone() {
            for ask in &self.world.network.host(address).asked {
                *sent.entry(ask.question.name.clone()).or_default() += 1;
            }
        }
        // Each upstream may lose a stale connection, and teach its version of HTTP; four more refusals are free.
        let each = self.shape.attempts + 2 * self.shape.servers.len() + 4;
        for (name, sent) in sent {
            let asked = self.asked.get(&name).copied().unwrap_or_default();
            assert!(sent <= asked * 2 * each, "{name} was asked for {asked} times and sent {sent} times");
        }
    }

    /// All is well again, and what went wrong is forgotten: every lookup succeeds with its first attempt.
    fn recover(&mut self) {
        self.world.network.weather = None;
        for (address, number) in self.hosts.clone() {
            self.set_temper(address, number, Temper::Good);
            let host = self.world.network.host(address);
            host.accepts(Accepts::Everything).is_away(ms(10));
            host.closes_when_idle = None;
            host.unreachable_until = Duration::ZERO;
        }
        self.pass(FORGOTTEN);
        for number in 0..6 {
            let id = self.world.lookup(&format!("well{number}.example"));
            let done = self.world.finish(id);
            self.ledger.borrow().check(self.shape, self.world.leapt, &done);
            assert!(done.took <= ms(30 + 60), "{done:?}");
            let answer = done.answer();
            assert_eq!(answer.attempts(), 1, "{answer:?}");
            let pause = self.draw.millis(0..=2000);
            self.pass(pause);
        }
    }
}

fn weather(mut draw: Draw) -> Weather {
    Weather {
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
