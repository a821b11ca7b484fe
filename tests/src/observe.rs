//! The log of a server: connections, queries, TLS records, HTTP/2 frames, and how each connection ended.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::rr::{Name, RecordType};

use crate::frame::Frame;
use crate::script::End;
use crate::wire;
use crate::zone::edns::{CLIENT_SUBNET, KEEPALIVE, PADDING};

/// The maximum number of entries in each list that a client can make arbitrarily long: queries, and the reads,
/// records and frames of one connection. Further entries are counted but not kept.
pub const KEPT: usize = 20_000;

/// The time after which [`Server::wait_until`](crate::Server::wait_until) fails the test.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that a server has received since the start.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Seen {
    /// All accepted connections, in the order of acceptance.
    pub connections: Vec<ConnectionSeen>,
    /// The first [`KEPT`] queries, in the order of arrival.
    pub queries: Vec<QuerySeen>,
    /// The number of all queries.
    pub query_count: u64,
}

impl Seen {
    /// The number of connections whose TLS handshake succeeded.
    pub fn handshakes(&self) -> usize {
        self.connections.iter().filter(|connection| connection.handshake.is_some()).count()
    }

    /// The number of connections that resumed a TLS session.
    pub fn resumed(&self) -> usize {
        self.connections.iter().filter(|connection| connection.handshake == Some(Handshake::Resumed)).count()
    }

    /// The number of connections that have not ended.
    pub fn open(&self) -> usize {
        self.connections.iter().filter(|connection| connection.is_open).count()
    }

    /// The queries for a name, compared without regard to case or a trailing dot.
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
    /// The application protocols that the client offered (RFC 7301), in the client's order.
    pub offered: Vec<Vec<u8>>,
    /// The negotiated application protocol.
    pub protocol: Option<Vec<u8>>,
    /// The TLS version: `0x0303` for TLS 1.2, `0x0304` for TLS 1.3.
    pub tls_version: Option<u16>,
    /// The kind of TLS handshake, after the handshake has succeeded.
    pub handshake: Option<Handshake>,
    /// The error of a failed TLS handshake, as rustls reports it.
    pub failure: Option<String>,
    /// The certificate that the client presented, as DER.
    pub client_certificate: Option<Vec<u8>>,
    /// The number of bytes that each read from the TCP socket returned, starting with the first.
    pub reads: Vec<usize>,
    /// The TLS records that contained application data.
    pub records: Vec<RecordSeen>,
    /// The number of queries on this connection.
    pub queries: u64,
    /// The HTTP/2 frames that the client sent, except HEADERS, CONTINUATION and DATA.
    pub frames: Vec<Frame>,
    /// HTTP requests that were not DNS queries, each with the status of the response.
    pub rejected: Vec<(u16, RequestSeen)>,
    /// The client's violation of HTTP, as `h2` or `httparse` reports it.
    pub violation: Option<String>,
    /// How the client closed the connection, after it did.
    pub ended_by_client: Option<ClientEnd>,
    /// How the server closed the connection, if the server did so first.
    pub ended_by_server: Option<End>,
    /// Whether the connection is open.
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
    /// The length of the plaintext in bytes.
    pub length: usize,
    /// The index in [`ConnectionSeen::reads`] of the read that completed this record. Records with the same
    /// index were sent in one write or in a few.
    pub read: usize,
}

/// The kind of a TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handshake {
    /// A full handshake with certificates.
    Full,
    /// A handshake that resumed a session.
    Resumed,
}

/// How a client closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEnd {
    /// By a TLS `close_notify` alert.
    CloseNotify,
    /// By a TCP FIN without `close_notify`.
    Fin,
    /// By a TCP reset, or within a TLS record.
    Reset,
}

/// One query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QuerySeen {
    /// The index of the connection in [`Seen::connections`].
    pub connection: usize,
    /// The index in [`ConnectionSeen::records`] of the TLS record that completed the query.
    pub record: usize,
    /// The queried name, in the case that the client sent, with the final dot; empty if the bytes are not a
    /// query.
    pub name: String,
    /// The queried type.
    pub record_type: RecordType,
    /// The message ID.
    pub id: u16,
    /// The RD flag.
    pub recursion_desired: bool,
    /// The AD flag.
    pub authentic_data: bool,
    /// The CD flag.
    pub checking_disabled: bool,
    /// The OPT record, if present.
    pub edns: Option<EdnsSeen>,
    /// The HTTP request that carried the query; `None` over DoT.
    pub request: Option<RequestSeen>,
    /// The DNS message.
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
    /// The UDP payload size.
    pub payload: u16,
    /// The DO flag.
    pub dnssec_ok: bool,
    /// The option codes and option data, in the order of the message.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl EdnsSeen {
    /// The length of the padding in bytes (RFC 7830).
    pub fn padding(&self) -> Option<usize> {
        self.option(PADDING).map(<[u8]>::len)
    }

    /// The data of the keepalive option (RFC 7828). Clients send the option without data.
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

    /// The data of the first option with this code.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find_map(|(known, data)| (*known == code).then_some(data.as_slice()))
    }
}

/// A client subnet option, without validation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientSubnetSeen {
    /// The address family: 1 for IPv4, 2 for IPv6.
    pub family: u16,
    /// The source prefix length.
    pub source: u8,
    /// The scope prefix length, which is 0 in queries.
    pub scope: u8,
    /// The address bytes that were sent.
    pub address: Vec<u8>,
}

/// The HTTP request that carried a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestSeen {
    /// The major HTTP version, `2` or `1`.
    pub version: u8,
    /// The method.
    pub method: String,
    /// The value of `:authority` or `Host`.
    pub authority: String,
    /// The path and the query component.
    pub target: String,
    /// The header fields, with names in lower case, without HTTP/2's pseudo-header fields.
    pub headers: Vec<(String, String)>,
}

impl RequestSeen {
    /// The value of the first header field with this name, which must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}

/// The log that a server writes and that tests wait on.
#[derive(Debug, Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    seen: Seen,
    /// The number of tests that wait for a change. A change makes no system call if this number is 0.
    waiting: usize,
}

impl Log {
    pub(crate) fn snapshot(&self) -> Seen {
        self.lock().seen.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.lock().seen.connections.len()
    }

    /// Changes the log and wakes the tests that wait.
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
            assert!(
                !left.is_zero(),
                "the server did not see this within {TIMEOUT:?}; it has seen: {:#?}",
                state.seen
            );
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

/// Adds an item to a list, unless the list has [`KEPT`] items.
pub(crate) fn keep<T>(list: &mut Vec<T>, item: impl FnOnce() -> T) {
    if list.len() < KEPT {
        list.push(item());
    }
}
