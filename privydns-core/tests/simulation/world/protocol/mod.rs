//! The protocols at the server: from bytes to queries, and from messages to bytes.

mod dot;
mod http1;
mod http2;

use super::host::Alpn;
use super::wire::Question;
use dot::Dot;
use http1::Http1;
use http2::Http2;

/// The protocol of a server once TLS is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpokenProtocol {
    Dot,
    Http1,
    Http2,
}

/// The request within a connection: its stream over HTTP/2, otherwise 0.
pub(crate) type Stream = u32;

/// The result of received bytes.
#[derive(Default)]
pub(crate) struct Heard {
    /// Queries, with the requests that carried them.
    pub(crate) questions: Vec<(Stream, Question)>,
    /// Bytes that the protocol requires the server to send at once.
    pub(crate) owed: Vec<u8>,
    /// Whether the client used another protocol, so that the server closes after `owed` is sent.
    pub(crate) is_foreign: bool,
}

/// A response without a DNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An HTTP status, with the seconds of `Retry-After`; over DoT, a message with the same meaning.
    Status(u16, Option<u32>),
    /// A stream reset with this code; nothing over other protocols.
    Reset(u32),
    /// GOAWAY with this last stream; nothing over other protocols.
    GoAway(Stream),
}

/// The server's end of one connection.
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

    /// The server's choice among the offered protocols.
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

    /// The bytes that the server sends first.
    pub(crate) fn greeting(&self) -> Vec<u8> {
        match self {
            Self::Dot(_) | Self::Http1(_) => Vec::new(),
            Self::Http2(_) => http2::settings(),
        }
    }

    /// Handles received bytes, in pieces of any size.
    pub(crate) fn receive(&mut self, octets: &[u8]) -> Heard {
        match self {
            Self::Dot(dot) => dot.receive(octets),
            Self::Http1(http1) => http1.receive(octets),
            Self::Http2(http2) => http2.receive(octets),
        }
    }

    /// Frames a DNS message.
    pub(crate) fn frame(&self, stream: Stream, message: &[u8]) -> Vec<u8> {
        self.frame_as(stream, message, message.len())
    }

    /// Frames a DNS message with a given length, right or wrong.
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
