//! Servers: how they take connections, and what they do with a query.

use std::sync::Arc;
use std::time::Duration;

use privydns_core::{Cause, CertificateProblem};
use rustls::ClientConfig;

use super::draw::Draw;
use super::protocol::{Refusal, SpokenProtocol, Stream};
use super::wire::{Question, Reply};

/// The address that every answering server gives, unless a test says otherwise.
pub(crate) const ADDRESS: [u8; 4] = [203, 0, 113, 7];
/// The TTL of what it gives.
pub(crate) const TTL: u32 = 300;

/// One address of the simulated network, and the server behind it.
pub(crate) struct Host {
    /// From here to there, or back.
    pub(crate) one_way: Duration,
    pub(crate) accepts: Accepts,
    pub(crate) speaks: SpokenProtocol,
    pub(crate) alpn: Alpn,
    /// Called with each query that arrives.
    pub(crate) serve: Serve,
    /// The server closes a connection on which nothing came for this long.
    pub(crate) closes_when_idle: Option<Duration>,
    /// Nothing gets there or back before this time; what is sent until then arrives at it.
    pub(crate) unreachable_until: Duration,
    /// The operating system takes nothing for this host before this time.
    pub(crate) stalled_until: Duration,
    /// When each connection was asked for.
    pub(crate) dialled: Vec<Duration>,
    /// What the last of them was to make TLS with.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// How many of them came as far as TLS.
    pub(crate) connected: usize,
    /// Each query that arrived, but for those of the engine's own.
    pub(crate) asked: Vec<Ask>,
    /// When the engine asked to see whether the server is there.
    pub(crate) probed: Vec<Duration>,
}

/// What a server does with each query.
pub(crate) type Serve = Box<dyn FnMut(&Ask) -> Vec<Act>>;

/// What becomes of a connection that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    Everything,
    /// TCP answers with a reset.
    Nothing,
    /// Packets vanish.
    Silently,
    /// TCP is up, and then nothing.
    TcpAlone,
    /// The handshake fails for this cause.
    Failing(Cause),
    /// The handshake fails where a protocol is offered by ALPN.
    WithoutAlpn,
}

/// What a server says that it speaks, where it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// What it speaks, if that is offered.
    Honest,
    /// Nothing.
    Silent,
    /// The first that is offered.
    Agreeable,
}

/// A query, as it arrives at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) at: Duration,
    /// The how manieth connection to this host brought it, and the how manieth query it is, both from 0.
    pub(crate) connection: usize,
    pub(crate) number: usize,
    pub(crate) stream: Stream,
    pub(crate) question: Question,
}

/// What a server does, some time after a query came.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends a DNS message, in the framing of its protocol.
    Send(Duration, Vec<u8>),
    /// Answers with something else, in the same framing.
    Refuse(Duration, Refusal),
    /// Sends octets as they are.
    SendRaw(Duration, Vec<u8>),
    /// Sends a DNS message in a framing that says something else of it.
    Misframe(Duration, Vec<u8>, Misframe),
    /// Sends a DNS message in its framing, after this was done to both.
    Mangle(Duration, Vec<u8>, Mangle),
    /// Ends the connection.
    Close(Duration),
}

/// What a framing says that is not so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misframe {
    /// By how much the message is longer than it is.
    pub(crate) longer: i16,
    /// The bits of its stream that are others.
    pub(crate) stream: Stream,
}

impl Misframe {
    /// How long the message is said to be.
    pub(crate) fn length(self, message: &[u8]) -> usize {
        message.len().saturating_add_signed(self.longer.into())
    }
}

/// Damage to octets, but not to their last ones: what a record says of a question is nobody's to check but the
/// server's.
#[derive(Clone, Debug)]
pub(crate) struct Mangle {
    pub(crate) draw: Draw,
    /// How many octets at the end stay as they are.
    pub(crate) spares: usize,
}

impl Mangle {
    pub(crate) fn done_to(mut self, mut octets: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.draw.between(1..=3) {
            let at = self.draw.below(octets.len().saturating_sub(self.spares).max(1));
            match self.draw.between(0..=3) {
                0 => octets[at] = self.draw.octets(1..=1)[0],
                1 => octets[at] ^= 1 << self.draw.below(8),
                2 => octets.insert(at, self.draw.octets(1..=1)[0]),
                _ if octets.len() > 1 => drop(octets.remove(at)),
                _ => {}
            }
        }
        if self.draw.percent(20) {
            octets.truncate(self.draw.below(octets.len()) + 1);
        }
        octets
    }
}

pub(crate) const AT_ONCE: Duration = Duration::ZERO;

impl Host {
    /// A server 10 ms away that answers everything at once.
    pub(crate) fn new() -> Self {
        Self {
            one_way: Duration::from_millis(10),
            accepts: Accepts::Everything,
            speaks: SpokenProtocol::Dot,
            serve: Box::new(|ask| answer(&ask.question)),
            closes_when_idle: None,
            unreachable_until: Duration::ZERO,
            stalled_until: Duration::ZERO,
            alpn: Alpn::Honest,
            dialled: Vec::new(),
            tls: None,
            connected: 0,
            asked: Vec::new(),
            probed: Vec::new(),
        }
    }

    pub(crate) fn serves(&mut self, serve: impl FnMut(&Ask) -> Vec<Act> + 'static) -> &mut Self {
        self.serve = Box::new(serve);
        self
    }

    pub(crate) fn replies(&mut self, reply: impl Fn(&Question) -> Reply + 'static) -> &mut Self {
        self.serves(move |ask| vec![Act::Send(AT_ONCE, reply(&ask.question).octets())])
    }

    pub(crate) fn answers(&mut self) -> &mut Self {
        self.serves(|ask| answer(&ask.question))
    }

    /// Takes queries, and never says anything.
    pub(crate) fn keeps_silent(&mut self) -> &mut Self {
        self.serves(|_| Vec::new())
    }

    pub(crate) fn accepts(&mut self, accepts: Accepts) -> &mut Self {
        self.accepts = accepts;
        self
    }

    pub(crate) fn has_wrong_certificate(&mut self) -> &mut Self {
        self.accepts(Accepts::Failing(Cause::Certificate(CertificateProblem::WrongName)))
    }

    pub(crate) fn is_away(&mut self, one_way: Duration) -> &mut Self {
        self.one_way = one_way;
        self
    }
}

/// The usual answer, at once.
pub(crate) fn answer(question: &Question) -> Vec<Act> {
    answer_after(AT_ONCE, question)
}

pub(crate) fn answer_after(delay: Duration, question: &Question) -> Vec<Act> {
    vec![Act::Send(delay, Reply::to(question).record(TTL, &ADDRESS).octets())]
}
