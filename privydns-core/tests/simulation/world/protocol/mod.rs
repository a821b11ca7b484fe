//! The protocols as a server speaks them: octets to queries, and messages to octets.

mod dot;
mod http1;
mod http2;

use super::host::Alpn;
use super::wire::Question;
use dot::Dot;
use http1::Http1;
use http2::Http2;

/// The protocol that a server speaks once TLS is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpokenProtocol {
    Dot,
    Http1,
    Http2,
}

/// Which of the requests of a connection something belongs to; over HTTP/2 its stream, else 0.
pub(crate) type Stream = u32;

/// What came of octets.
#[derive(Default)]
pub(crate) struct Heard {
    /// Queries, and the requests that they came in.
    pub(crate) questions: Vec<(Stream, Question)>,
    /// What the protocol has the server say at once.
    pub(crate) owed: Vec<u8>,
    /// Whether the client spoke another protocol, and is left after what is owed.
    pub(crate) is_foreign: bool,
}

/// An answer that is no DNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An HTTP status, with seconds to wait. Over DoT, a message that says so.
    Status(u16, Option<u32>),
    /// The stream is reset with this code; over another protocol nothing is said.
    Reset(u32),
    /// No streams after this one are answered; over another protocol nothing is said.
    GoAway(Stream),
}

/// The server's side of one connection.
pub(crate) enum ServerProtocol {
    Dot(Dot),
    Http1(Http1),
    Http2(Http2),
}

impl ServerProtocol {
    pub(crate) fn new(speaks: SpokenProtocol) -> Self {
        match speaks {
            SpokenProtocol::Dot => Self::Dot(Dot::default()),
            SpokenProtocol::Http1 => Self::Http1(Http1::default()),
            SpokenProtocol::Http2 => Self::Http2(Http2::default()),
        }
    }

    /// What the server picks of the protocols offered.
    pub(crate) fn alpn(&self, alpn: Alpn, offered: &[Vec<u8>]) -> Option<Vec<u8>> {
        let own: &[u8] = match self {
            Self::Dot(_) => b"dot",
            Self::Http1(_) => b"http/1.1",
            Self::Http2(_) => b"h2",
        };
        match alpn {
            Alpn::Honest => offered.iter().find(|protocol| *protocol == own).cloned(),
            Alpn::Silent => None,
            Alpn::Agreeable => offered.first().cloned(),
        }
    }

    /// What the server says first.
    pub(crate) fn greeting(&self) -> Vec<u8> {
        match self {
            Self::Dot(_) | Self::Http1(_) => Vec::new(),
            Self::Http2(_) => http2::settings(),
        }
    }

    /// Takes what came, in pieces of any size.
    pub(crate) fn receive(&mut self, octets: &[u8]) -> Heard {
        match self {
            Self::Dot(dot) => dot.receive(octets),
            Self::Http1(http1) => http1.receive(octets),
            Self::Http2(http2) => http2.receive(octets),
        }
    }

    /// A DNS message in the protocol's framing.
    pub(crate) fn frame(&self, stream: Stream, message: &[u8]) -> Vec<u8> {
        self.frame_as(stream, message, message.len())
    }

    /// The same, with a length that need not be the message's.
    pub(crate) fn frame_as(&self, stream: Stream, message: &[u8], length: usize) -> Vec<u8> {
        match self {
            Self::Dot(_) => dot::frame(message, length),
            Self::Http1(_) => http1::frame(message, length),
            Self::Http2(_) => http2::frame(stream, message, length),
        }
    }

    pub(crate) fn refuse(&self, stream: Stream, refusal: &Refusal) -> Vec<u8> {
        match self {
            Self::Dot(_) => Vec::new(),
            Self::Http1(_) => http1::refuse(refusal),
            Self::Http2(_) => http2::refuse(stream, refusal),
        }
    }
}
