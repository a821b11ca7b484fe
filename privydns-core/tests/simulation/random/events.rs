//! Random events: actions of callers, of hosts and of the machine.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use privydns_core::engine::Input;
use privydns_core::{CacheUse, Cause, CertificateProblem, Protocol, Query, QueryName, RecordType};

use super::behaviour::{Behaviour, RandomServer};
use super::run::Run;
use super::scenario::ROUTED;
use crate::world::{Accepts, Alpn, SpokenProtocol, ms, s};

impl Run {
    pub(super) fn set_up(&mut self, address: SocketAddr, number: usize) {
        let host = self.world.network.host(address);
        host.speaks = self.scenario.servers[number].speaks;
        if self.steady == Some(number) {
            return self.set_behaviour(address, number, Behaviour::Good);
        }
        host.one_way = self.draw.one_of(&[Duration::from_micros(50), ms(1), ms(10), ms(120)]);
        self.change_behaviour(address, number);
        if self.draw.percent(30) {
            self.change_acceptance(address);
        }
    }

    /// One random event.
    pub(super) fn act(&mut self) {
        match self.draw.between(0..=99) {
            0..=54 => self.burst(),
            55..=62 => self.cancel(),
            63..=90 => self.random_event(),
            91..=93 => self.world.time_out(),
            94 => self.world.tell(Input::WarmUp),
            95 => self.read_wall_clock(),
            96 => {
                self.changes += 1;
                self.world.tell(Input::NetworkChanged);
            }
            97 => {
                let leap = self.draw.one_of(&[ms(900), s(3), s(20), s(7200)]);
                self.world.leap(leap);
            }
            _ => self.pass(s(10)),
        }
    }

    pub(super) fn pause(&mut self) -> Duration {
        match self.draw.between(0..=9) {
            0..=1 => Duration::ZERO,
            2..=7 => self.draw.millis(0..=300),
            8 => self.draw.millis(0..=3000),
            _ => self.draw.millis(0..=40_000),
        }
    }

    /// One random event at a host.
    fn random_event(&mut self) {
        let (address, number) = self.draw.one_of(&self.hosts);
        if self.steady == Some(number) {
            return;
        }
        match self.draw.between(0..=13) {
            0..=3 => self.change_behaviour(address, number),
            4..=6 => self.change_acceptance(address),
            7 => self.world.network.reset_all(self.world.now(), address),
            8 => self.world.network.forget_all(address),
            9 => self.change_protocol(address, number),
            10 => self.die_or_come_back(address),
            11 => {
                let after = self.draw.millis(0..=3000);
                let ends_after = self.draw.one_of(&[None, Some(after)]);
                self.world.network.deafen_all(self.world.now(), address, ends_after);
            }
            12 => {
                let stall = self.draw.millis(100..=20_000);
                self.world.network.host(address).stalled_until = self.world.now() + stall;
            }
            _ => {
                let silence = self.draw.millis(100..=20_000);
                self.world.network.host(address).unreachable_until = self.world.now() + silence;
            }
        }
    }

    /// Stops a server with all its connections, or starts it again.
    fn die_or_come_back(&mut self, address: SocketAddr) {
        let host = self.world.network.host(address);
        if host.accepts == Accepts::Nothing {
            host.accepts(Accepts::Everything);
        } else {
            host.accepts(Accepts::Nothing);
            self.world.network.reset_all(self.world.now(), address);
        }
    }

    fn change_behaviour(&mut self, address: SocketAddr, number: usize) {
        let behaviour = self.draw.one_of(&Behaviour::ALL);
        self.set_behaviour(address, number, behaviour);
        let closes = self.draw.one_of(&[None, None, Some(ms(300)), Some(s(2)), Some(s(10))]);
        self.world.network.host(address).closes_when_idle = closes;
    }

    pub(super) fn set_behaviour(&mut self, address: SocketAddr, number: usize, behaviour: Behaviour) {
        let (draw, answer_log, scenario) = (self.draw.fork(), self.answer_log.clone(), self.scenario);
        let mut server = RandomServer { number, behaviour, draw, answer_log, scenario };
        self.world.network.host(address).serves(move |ask| server.serve(ask));
    }

    /// Changes a DoH server's HTTP version, and its ALPN answer.
    fn change_protocol(&mut self, address: SocketAddr, number: usize) {
        if self.scenario.servers[number].speaks != SpokenProtocol::Dot {
            let host = self.world.network.host(address);
            host.speaks = self.draw.one_of(&[SpokenProtocol::Http1, SpokenProtocol::Http2]);
            host.alpn = self.draw.one_of(&[Alpn::Honest, Alpn::Silent, Alpn::Agreeable]);
        }
    }

    fn change_acceptance(&mut self, address: SocketAddr) {
        let accepts = self.draw.one_of(&[
            Accepts::Everything,
            Accepts::Everything,
            Accepts::Everything,
            Accepts::Nothing,
            Accepts::Silently,
            Accepts::TcpAlone,
            Accepts::WithoutAlpn,
            Accepts::Failing(Cause::Tls(std::io::ErrorKind::InvalidData.into())),
            Accepts::Failing(Cause::Certificate(CertificateProblem::Expired)),
            Accepts::Failing(Cause::Closed),
        ]);
        self.world.network.host(address).accepts(accepts);
    }

    /// Reports the wall clock, which sometimes has jumped ahead of the monotonic clock.
    fn read_wall_clock(&mut self) {
        let ahead = self.draw.one_of(&[s(0), s(0), s(5), s(60)]);
        self.clock += ahead;
        self.slept += ahead;
        self.changes += usize::from(!ahead.is_zero());
        self.world.tell(Input::WallClock(SystemTime::UNIX_EPOCH + self.world.now() + self.clock));
    }

    fn burst(&mut self) {
        let count = match self.draw.between(0..=9) {
            0..=5 => 1,
            6..=8 => self.draw.between(2..=6),
            _ => self.draw.between(10..=60),
        };
        for _ in 0..count {
            let query = self.query();
            if self.draw.percent(70) {
                self.world.ask_shared_first(&query);
            } else {
                self.world.ask(&query);
            }
        }
        if self.draw.percent(5) {
            let query = self.query();
            self.world.tell(Input::Refresh(query.into()));
        }
    }

    fn query(&mut self) -> Query {
        let number = self.draw.between(0..=9);
        let domain = if self.draw.percent(30) { ROUTED } else { "example." };
        let below = if self.draw.percent(30) { "w." } else { "" };
        let name = format!("{below}n{number}.{domain}");
        let record_type = self.draw.one_of(&[RecordType::A, RecordType::AAAA]);
        let mut query = Query::for_name(QueryName::parse(&name).expect("a name"), record_type);
        *self.asked.entry(name.clone()).or_default() += 1;
        if self.draw.percent(10) {
            query = query.dnssec_ok(true);
        }
        if self.draw.percent(10) {
            query = query.with_timeout(self.draw.millis(1..=1000).min(self.scenario.timeout));
            self.hurried.insert(name.clone());
        }
        if self.draw.percent(15) {
            query = query.with_cache_use(self.draw.one_of(&[CacheUse::Bypass, CacheUse::Only]));
        }
        let choosy = query.clone().with_protocol(self.draw.one_of(&[Protocol::Tls, Protocol::Https]));
        if self.draw.percent(15) && !self.scenario.upstream_set(&choosy).is_empty() { choosy } else { query }
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
}
