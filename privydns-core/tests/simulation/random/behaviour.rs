//! Random servers: good, slow, failing, lying or silent.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::answer_log::{AnswerLog, LoggedAnswer};
use super::scenario::Scenario;
use crate::world::draw::Draw;
use crate::world::wire::{A, AAAA, Question, REFUSED, Reply, SERVFAIL};
use crate::world::{Act, Ask, Mangle, Misframe, Refusal, SpokenProtocol};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Good,
    Slow,
    Failing,
    Lying,
    Silent,
}

impl Behaviour {
    pub(crate) const ALL: [Self; 8] = [
        Self::Good,
        Self::Good,
        Self::Good,
        Self::Slow,
        Self::Failing,
        Self::Lying,
        Self::Lying,
        Self::Silent,
    ];
}

/// A server with a behaviour. Its number is that of its upstream.
pub(crate) struct RandomServer {
    pub(crate) number: usize,
    pub(crate) behaviour: Behaviour,
    pub(crate) draw: Draw,
    pub(crate) answer_log: Rc<RefCell<AnswerLog>>,
    /// The scenario, with the addresses of the servers whose names may be queried.
    pub(crate) scenario: &'static Scenario,
}

impl RandomServer {
    pub(crate) fn serve(&mut self, ask: &Ask) -> Vec<Act> {
        match self.behaviour {
            Behaviour::Good => vec![self.answer(ask, 30)],
            Behaviour::Slow => vec![self.answer(ask, 4000)],
            Behaviour::Silent => Vec::new(),
            Behaviour::Failing => self.fail(ask),
            Behaviour::Lying => self.lie(ask),
        }
    }

    fn said(&mut self, ask: &Ask) -> LoggedAnswer {
        LoggedAnswer {
            name: ask.question.name.clone(),
            record_type: ask.question.record_type,
            server: self.number,
            at: ask.at,
            ttl: self.draw.one_of(&[0, 1, 5, 30, 300, 3600]),
            is_lie: false,
            is_mangled: false,
            handed_out: Cell::new(None),
        }
    }

    /// A truthful answer.
    fn reply(&mut self, ask: &Ask, change: impl Fn(&mut LoggedAnswer)) -> Reply {
        if let Some(reply) = self.address(ask) {
            return reply;
        }
        let mut said = self.said(ask);
        change(&mut said);
        let mut answer_log = self.answer_log.borrow_mut();
        let reply = match self.draw.between(0..=9) {
            0 => answer_log.denial(&ask.question, said, true),
            1 => answer_log.denial(&ask.question, said, false),
            _ => answer_log.records(&ask.question, said),
        };
        match self.draw.between(0..=19) {
            0 => reply.keepalive(Duration::ZERO),
            1 => reply.keepalive(self.draw.millis(100..=60_000)),
            _ => reply,
        }
    }

    /// The answer to a query for a server's own addresses.
    fn address(&mut self, ask: &Ask) -> Option<Reply> {
        let number = ask.question.name.strip_prefix("dns")?.strip_suffix(".example.")?;
        let server = &self.scenario.servers[number.parse::<usize>().ok()?];
        let ttl = self.draw.one_of(&[0, 1, 30, 300]);
        let mut reply = Reply::to(&ask.question).soa(ttl, 0);
        for address in &server.addresses {
            reply = match (address.ip(), ask.question.record_type) {
                (IpAddr::V4(v4), A) => reply.record(ttl, &v4.octets()),
                (IpAddr::V6(v6), AAAA) => reply.record(ttl, &v6.octets()),
                _ => reply,
            };
        }
        Some(reply)
    }

    fn answer(&mut self, ask: &Ask, slowest: u64) -> Act {
        Act::Send(self.draw.millis(0..=slowest), self.reply(ask, |_| {}).octets())
    }

    fn fail(&mut self, ask: &Ask) -> Vec<Act> {
        let soon = self.draw.millis(0..=200);
        match self.draw.between(0..=11) {
            0 | 1 => vec![Act::Send(soon, Reply::to(&ask.question).rcode(SERVFAIL).octets())],
            2 => vec![Act::Send(soon, Reply::to(&ask.question).rcode(REFUSED).octets())],
            3 => vec![Act::Close(soon)],
            4 => vec![self.answer(ask, 100), Act::Close(soon)],
            5 => Vec::new(),
            6 => {
                let wait = self.draw.one_of(&[None, Some(0), Some(1), Some(4), Some(900)]);
                let status = self.draw.one_of(&[200, 302, 400, 404, 429, 500, 502, 503]);
                vec![Act::Refuse(soon, Refusal::Status(status, wait))]
            }
            7 => vec![Act::Refuse(soon, Refusal::Reset(self.draw.one_of(&[0, 1, 2, 7, 8, 11])))],
            8 => {
                let last = self.draw.one_of(&[0, ask.stream, ask.stream.saturating_sub(2), 0x7fff_ffff]);
                vec![Act::Refuse(soon, Refusal::GoAway(last)), self.answer(ask, 100)]
            }
            _ => vec![self.answer(ask, 100)],
        }
    }

    fn lie(&mut self, ask: &Ask) -> Vec<Act> {
        let soon = self.draw.millis(0..=100);
        let truth = self.answer(ask, 200);
        let lie = match self.draw.between(0..=11) {
            0 => {
                let id = ask.question.id ^ (1 << self.draw.below(16));
                // Over HTTP the ID has no meaning.
                let is_lie = self.scenario.servers[self.number].speaks == SpokenProtocol::Dot;
                Act::Send(soon, self.reply(ask, |said| said.is_lie = is_lie).id(id).octets())
            }
            1 => {
                let elsewhere = ask.question.about("elsewhere.example");
                Act::Send(soon, self.about(ask, &elsewhere))
            }
            2 => {
                // Another lookup's question, under an ID that may be in use.
                let other = ask.question.of_another_type();
                Act::Send(soon, self.about(ask, &other))
            }
            3 => Act::SendRaw(soon, self.draw.octets(1..=40)),
            4 => Act::SendRaw(soon, vec![0; usize::try_from(self.draw.between(1..=40)).expect("few")]),
            5 | 6 => {
                let message = self.reply(ask, |said| said.is_mangled = true).octets();
                let spares = message.len() - ask.question.end();
                Act::Mangle(soon, message, Mangle { draw: self.draw.fork(), spares })
            }
            9 => {
                let message = self.reply(ask, |said| said.is_mangled = true).octets();
                let longer = self.draw.one_of(&[-40, -1, 1, 2, 300]);
                Act::Misframe(soon, message, Misframe { longer, stream: 0 })
            }
            10 => {
                // The stream of another request, an idle stream, or stream 0.
                let stream = self.draw.one_of(&[2, 4, 64, ask.stream]);
                Act::Misframe(soon, self.reply(ask, |_| {}).octets(), Misframe { longer: 0, stream })
            }
            7 => Act::Send(soon, ask.question.echo()),
            8 => Act::Send(soon, Reply::to(&ask.question).octets()),
            _ => truth.clone(),
        };
        match self.draw.between(0..=2) {
            0 => vec![lie, truth],
            1 => vec![truth, lie],
            _ => vec![lie],
        }
    }

    /// An answer to a question that was not asked, sent as the answer to another.
    fn about(&mut self, ask: &Ask, question: &Question) -> Vec<u8> {
        let mut said = self.said(ask);
        said.name.clone_from(&question.name);
        said.record_type = question.record_type;
        self.answer_log.borrow_mut().records(question, said).octets()
    }
}
