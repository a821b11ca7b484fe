//! What a server saw: connections, queries, TLS records, HTTP/2 frames, and how it all ended.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::rr::{Name, RecordType};

use crate::frame::Frame;
use crate::script::End;
use crate::wire;
use crate::zone::edns::{CLIENT_SUBNET, KEEPALIVE, PADDING};

/// Of everything that a client can repeat (queries; and per connection reads, records, frames) this many are
/// kept; the rest is only counted.
pub const KEPT: usize = 20_000;

/// How long [`Server::wait_until`](crate::Server::wait_until) waits before it calls the test failed.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that a server saw since its start.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Seen {
    /// The connections that it accepted, in that order.
    pub connections: Vec<ConnectionSeen>,
    /// The first [`KEPT`] queries, in the order in which they came.
    pub queries: Vec<QuerySeen>,
    /// All queries, counted.
    pub query_count: u64,
}

impl Seen {
    /// Connections whose TLS handshake succeeded.
    pub fn handshakes(&self) -> usize {
        self.connections.iter().filter(|connection| connection.handshake.is_some()).count()
    }

    /// Connections whose TLS session was resumed.
    pub fn resumed(&self) -> usize {
        self.connections.iter().filter(|connection| connection.handshake == Some(Handshake::Resumed)).count()
    }

    /// Connections that have not ended.
    pub fn open(&self) -> usize {
        self.connections.iter().filter(|connection| connection.is_open).count()
    }

    /// The queries for a name. Case and a trailing dot make no difference.
    pub fn queries_for(&self, name: &str) -> impl Iterator<Item = &QuerySeen> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.queries.iter().filter(move |query| query.name.trim_end_matches('.').eq_ignore_ascii_case(&name))
    }
}

/// One connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionSeen {
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address that the client connected to.
    pub server: SocketAddr,
    /// The server name that the client sent (RFC 6066 Section 3).
    pub server_name: Option<String>,
    /// The application protocols that the client offered (RFC 7301), in its order.
    pub offered: Vec<Vec<u8>>,
    /// The application protocol that was agreed on.
    pub protocol: Option<Vec<u8>>,
    /// The TLS version: `0x0303` is 1.2, `0x0304` is 1.3.
    pub tls_version: Option<u16>,
    /// How the TLS handshake went, once it has succeeded.
    pub handshake: Option<Handshake>,
    /// Why the TLS handshake failed, in the words of rustls.
    pub failure: Option<String>,
    /// The certificate that the client showed, as DER.
    pub client_certificate: Option<Vec<u8>>,
    /// How many octets each read from the TCP socket brought, from the first on.
    pub reads: Vec<usize>,
    /// The TLS records with application data.
    pub records: Vec<RecordSeen>,
    /// How many queries came on it.
    pub queries: u64,
    /// The HTTP/2 frames that the client sent, save HEADERS, CONTINUATION and DATA.
    pub frames: Vec<Frame>,
    /// HTTP requests that were no DNS queries, with the status that each got.
    pub rejected: Vec<(u16, RequestSeen)>,
    /// What the client did against HTTP's rules, if anything, in the words of `h2` and `httparse`.
    pub violation: Option<String>,
    /// How the client ended its side, once it has.
    pub ended_by_client: Option<ClientEnd>,
    /// How the server ended its side, once it has of its own accord.
    pub ended_by_server: Option<End>,
    /// Whether it has not ended.
    pub is_open: bool,
}

impl ConnectionSeen {
    pub(crate) fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            client,
            server,
            server_name: None,
            offered: Vec::new(),
            protocol: None,
            tls_version: None,
            handshake: None,
            failure: None,
            client_certificate: None,
            reads: Vec::new(),
            records: Vec::new(),
            queries: 0,
            frames: Vec::new(),
            rejected: Vec::new(),
            violation: None,
            ended_by_client: None,
            ended_by_server: None,
            is_open: true,
        }
    }
}

/// A TLS record with application data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordSeen {
    /// The octets inside.
    pub length: usize,
    /// The place in [`ConnectionSeen::reads`] of the read that brought its end. Records of one read left the
    /// client in one write, or in few.
    pub read: usize,
}

/// How a TLS handshake went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handshake {
    /// In full, with certificates.
    Full,
    /// From a ticket.
    Resumed,
}

/// How a client ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEnd {
    /// With TLS's `close_notify`.
    CloseNotify,
    /// With TCP's FIN alone.
    Fin,
    /// With a reset, or in the middle of something.
    Reset,
}

/// One query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QuerySeen {
    /// The place of its connection in [`Seen::connections`].
    pub connection: usize,
    /// The place in [`ConnectionSeen::records`] of the TLS record that brought its end.
    pub record: usize,
    /// The name asked for, in the query's own case, with the final dot; empty where the octets are no query.
    pub name: String,
    /// The type asked for.
    pub record_type: RecordType,
    /// The message's ID.
    pub id: u16,
    /// RD.
    pub recursion_desired: bool,
    /// AD.
    pub authentic_data: bool,
    /// CD.
    pub checking_disabled: bool,
    /// The OPT record, where there is one.
    pub edns: Option<EdnsSeen>,
    /// The HTTP request that it came in, if it did.
    pub request: Option<RequestSeen>,
    /// The message.
    pub bytes: Vec<u8>,
}

impl QuerySeen {
    pub(crate) fn new(connection: usize, record: usize, bytes: &[u8], request: Option<RequestSeen>) -> Self {
        let query = wire::Query::read(bytes);
        let name = query.and_then(|query| Name::from_labels(query.labels()).ok());
        Self {
            connection,
            record,
            name: name.map(|name| name.to_ascii()).unwrap_or_default(),
            record_type: query.map_or(RecordType::ZERO, |query| query.record_type().into()),
            id: query.map_or(0, |query| query.id()),
            recursion_desired: query.is_some_and(|query| query.recursion_desired()),
            authentic_data: query.is_some_and(|query| query.authentic_data()),
            checking_disabled: query.is_some_and(|query| query.checking_disabled()),
            edns: query.and_then(|query| query.opt()).map(|opt| EdnsSeen {
                payload: opt.payload,
                dnssec_ok: opt.dnssec_ok(),
                options: opt.options().map(|(code, data)| (code, data.to_vec())).collect(),
            }),
            request,
            bytes: bytes.to_vec(),
        }
    }
}

/// The OPT record of a query (RFC 6891).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdnsSeen {
    /// The payload size.
    pub payload: u16,
    /// DO.
    pub dnssec_ok: bool,
    /// Codes and data of the options, in their order.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl EdnsSeen {
    /// How many octets of padding there are (RFC 7830).
    pub fn padding(&self) -> Option<usize> {
        self.option(PADDING).map(<[u8]>::len)
    }

    /// The data of the keepalive option (RFC 7828), which a client leaves empty.
    pub fn keepalive(&self) -> Option<&[u8]> {
        self.option(KEEPALIVE)
    }

    /// The client subnet option (RFC 7871 Section 6).
    pub fn client_subnet(&self) -> Option<ClientSubnetSeen> {
        let (&[family_high, family_low, source, scope], address) =
            self.option(CLIENT_SUBNET)?.split_first_chunk::<4>()?;
        let family = u16::from_be_bytes([family_high, family_low]);
        Some(ClientSubnetSeen { family, source, scope, address: address.to_vec() })
    }

    /// The data of the first option of this code.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find_map(|(known, data)| (*known == code).then_some(data.as_slice()))
    }
}

/// A client subnet option, undigested.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientSubnetSeen {
    /// 1 for IPv4, 2 for IPv6.
    pub family: u16,
    /// The source prefix length.
    pub source: u8,
    /// The scope prefix length, 0 in queries.
    pub scope: u8,
    /// As many octets of the address as were sent.
    pub address: Vec<u8>,
}

/// The HTTP request around a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestSeen {
    /// `2` or `1`: the major version.
    pub version: u8,
    /// The method.
    pub method: String,
    /// The host that was asked, as `:authority` or `Host` has it.
    pub authority: String,
    /// Path and query.
    pub target: String,
    /// Header fields, names in lower case; not HTTP/2's pseudo-header fields.
    pub headers: Vec<(String, String)>,
}

impl RequestSeen {
    /// The value of the first header field of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}

/// The log that a server writes, and that tests wait on.
#[derive(Debug, Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    seen: Seen,
    /// Tests that wait for a change. Without any, a change costs no system call.
    waiting: usize,
}

impl Log {
    pub(crate) fn snapshot(&self) -> Seen {
        self.lock().seen.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.lock().seen.connections.len()
    }

    /// Changes what was seen.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state.seen);
        if state.waiting > 0 {
            self.changed.notify_all();
        }
        result
    }

    pub(crate) fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + TIMEOUT;
        let mut state = self.lock();
        while !is_so(&state.seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not seen within {TIMEOUT:?}; seen so far: {:#?}", state.seen);
            state.waiting += 1;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
        state.seen.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds to a list of which only the first [`KEPT`] are kept.
pub(crate) fn keep<T>(list: &mut Vec<T>, item: impl FnOnce() -> T) {
    if list.len() < KEPT {
        list.push(item());
    }
}
