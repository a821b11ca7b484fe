//! Simulated hosts: how they accept connections, and how they handle queries.

use std::sync::Arc;
use std::time::Duration;

use privydns_core::{Cause, CertificateProblem};
use rustls::ClientConfig;

use super::draw::Draw;
use super::protocol::{Refusal, SpokenProtocol, Stream};
use super::wire::{Question, Reply};

/// The address in every default answer.
pub(crate) const ADDRESS: [u8; 4] = [203, 0, 113, 7];
/// The TTL of default answers.
pub(crate) const TTL: u32 = 300;

/// One address of the simulated network, and the server behind it.
pub(crate) struct Host {
    /// The one-way delay.
    pub(crate) one_way: Duration,
    pub(crate) accepts: Accepts,
    pub(crate) speaks: SpokenProtocol,
    pub(crate) alpn: Alpn,
    /// Called with each query that arrives.
    pub(crate) serve: Serve,
    /// The server closes a connection after this idle time.
    pub(crate) closes_when_idle: Option<Duration>,
    /// Until this time no packet passes; packets sent before then arrive at that time.
    pub(crate) unreachable_until: Duration,
    /// Until this time the operating system accepts no data for this host.
    pub(crate) stalled_until: Duration,
    /// The times of all connection requests.
    pub(crate) dialled: Vec<Duration>,
    /// The TLS configuration of the latest request.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// The number of connections that reached TLS.
    pub(crate) connected: usize,
    /// The queries that arrived, without the engine's own.
    pub(crate) asked: Vec<Ask>,
    /// The times of the engine's probe queries.
    pub(crate) probed: Vec<Duration>,
}

/// The server's handler of queries.
pub(crate) type Serve = Box<dyn FnMut(&Ask) -> Vec<Act>>;

/// The fate of a connection request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    Everything,
    /// TCP answers with a reset.
    Nothing,
    /// Packets are dropped.
    Silently,
    /// TCP connects, and TLS stays silent.
    TcpAlone,
    /// The handshake fails with this cause.
    Failing(Cause),
    /// The handshake fails if ALPN offers a protocol.
    WithoutAlpn,
}

/// The server's answer to ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// The protocol that the server uses, if offered.
    Honest,
    /// No protocol.
    Silent,
    /// The first offered protocol.
    Agreeable,
}

/// A query that arrived at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) at: Duration,
    /// The index of the connection to this host, and of the query on it, both from 0.
    pub(crate) connection: usize,
    pub(crate) number: usize,
    pub(crate) stream: Stream,
    pub(crate) question: Question,
}

/// An action of the server, some time after a query arrived.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends a DNS message, framed for its protocol.
    Send(Duration, Vec<u8>),
    /// Sends another kind of response, framed for its protocol.
    Refuse(Duration, Refusal),
    /// Sends bytes without framing.
    SendRaw(Duration, Vec<u8>),
    /// Sends a DNS message in a wrong frame.
    Misframe(Duration, Vec<u8>, Misframe),
    /// Sends a DNS message, and damages its frame and content.
    Mangle(Duration, Vec<u8>, Mangle),
    /// Ends the connection.
    Close(Duration),
}

/// Errors of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misframe {
    /// The difference between the stated and the real length.
    pub(crate) longer: i16,
    /// The bits to flip in the stream identifier.
    pub(crate) stream: Stream,
}

impl Misframe {
    /// The stated length of the message.
    pub(crate) fn length(self, message: &[u8]) -> usize {
        message.len().saturating_add_signed(self.longer.into())
    }
}

/// Random damage to bytes, except to the last ones: only the server can tell whether a record's content is right.
#[derive(Clone, Debug)]
pub(crate) struct Mangle {
    pub(crate) draw: Draw,
    /// How many bytes at the end stay intact.
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
    /// A server at a distance of 10 ms that answers every query at once.
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

    /// Accepts queries and never answers.
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

/// The default answer, at once.
pub(crate) fn answer(question: &Question) -> Vec<Act> {
    answer_after(AT_ONCE, question)
}

pub(crate) fn answer_after(delay: Duration, question: &Question) -> Vec<Act> {
    vec![Act::Send(delay, Reply::to(question).record(TTL, &ADDRESS).octets())]
}
