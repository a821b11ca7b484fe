//! What goes into the engine, and what comes out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::cache::QueryKey;
use crate::error::{Cause, Error, IoError, Stage};
use crate::message::{Answer, Query};
use crate::proxy::Tunnel;
use crate::tls::cause_of;

/// Names one lookup. The driver chooses it, and never uses it for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub u64);

/// Names one connection. The engine chooses it, and never uses it for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u64);

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A caller wants an answer. It gets exactly one [`Output::Done`], not later than `deadline`.
    Lookup {
        /// The lookup.
        id: LookupId,
        /// What it asks.
        query: Arc<Query>,
        /// When its caller stops waiting.
        deadline: Instant,
    },
    /// A lookup that [`Shared::try_answer`](crate::engine::Shared::try_answer) could not answer just now: as `Lookup`, but the
    /// cache is not looked into again without a reason.
    Miss {
        /// The lookup.
        id: LookupId,
        /// What it asks.
        query: Arc<Query>,
        /// Where [`CacheResult::Miss`](crate::engine::CacheResult::Miss) said that it belongs.
        query_key: QueryKey,
        /// When its caller stops waiting.
        deadline: Instant,
    },
    /// A caller no longer wants its answer; there will be no `Done`.
    Cancel(LookupId),
    /// An answer in the cache is near its end and was asked for: have it renewed for those who come later.
    Refresh(Arc<Query>),
    /// TCP is up, the tunnel through the proxy too, where there is one, and the TLS handshake begins. It only makes
    /// errors name the right stage.
    Handshaking(ConnectionId),
    /// TLS is up.
    Connected {
        /// The connection.
        id: ConnectionId,
        /// The application protocol that the server picked, if any.
        alpn: Option<&'a [u8]>,
        /// Whether the TLS session was resumed.
        resumed: bool,
    },
    /// Bytes came out of the TLS stream.
    Received {
        /// The connection.
        id: ConnectionId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// All that was transmitted on this connection has been handed to the operating system.
    Written(ConnectionId),
    /// The connection could not be made, or is over. Its cause is that which [`Target::cause_of`], before TLS, or
    /// [`cause_of`](crate::engine::cause_of) makes of the I/O error; [`Cause::Closed`] for an end of stream.
    Ended {
        /// The connection.
        id: ConnectionId,
        /// Why.
        cause: Cause,
    },
    /// The time that [`Output::Wait`] named has come; harmless at any other time.
    Timeout,
    /// Connections are wanted before they are needed: to those upstreams that the next lookups would go to first.
    WarmUp,
    /// The machine is on another network: connections, TLS tickets, round-trip times and what was held against
    /// upstreams are void, and what was in flight begins anew. The cache stays.
    NetworkChanged,
    /// What the wall clock says. A steady clock stands still while a machine sleeps; a jump of this one against
    /// it counts as a changed network. A driver tells it whenever it was woken by its timer, or after a wait.
    WallClock(SystemTime),
    /// The resolver is closed: every lookup ends, every connection says goodbye.
    Close,
}

/// Something to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Open a connection: TCP, then the tunnel, where the target has one, then TLS. It is answered by `Connected`
    /// or `Ended`.
    Connect {
        /// What to call it.
        id: ConnectionId,
        /// Where to, and as whom.
        target: Target,
    },
    /// The buffer holds one whole message for this connection: write it into one TLS record of its own.
    Transmit(ConnectionId),
    /// Write what was transmitted, say goodbye (`close_notify`) and drop the connection. Nothing more is said
    /// of it, and nothing more wants to be heard of it.
    Close(ConnectionId),
    /// A lookup is over.
    Done {
        /// The lookup.
        id: LookupId,
        /// Its answer.
        result: Result<Answer, Error>,
    },
    /// Nothing more to do until something happens, or until this time. Flush what was written.
    Wait(Option<Instant>),
}

/// Where a connection goes, and how it is secured.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The address to connect to: the server's, or its proxy's.
    pub address: SocketAddr,
    /// What to say to the proxy on the new connection, before TLS begins on it.
    pub tunnel: Option<Tunnel>,
    /// The name that the certificate must be for, and that is sent as SNI.
    pub server_name: ServerName<'static>,
    /// Everything else that TLS needs: roots, pins, the client's certificate, ALPN, tickets.
    pub tls: Arc<ClientConfig>,
}

impl Target {
    /// What an I/O error means that came before TLS: while connecting, or in the tunnel.
    pub fn cause_of(&self, error: io::Error) -> Cause {
        match &self.tunnel {
            Some(_) => Cause::Proxy(IoError::described(format!("{}: {error}", self.address), error)),
            None => cause_of(error, Stage::Connect),
        }
    }

    /// How far a connection has come before TLS begins.
    pub(super) fn first_stage(&self) -> Stage {
        if self.tunnel.is_some() { Stage::Proxy } else { Stage::Connect }
    }
}
