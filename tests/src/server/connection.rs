//! Serves one connection from accepting TCP until both sides have closed.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::plan::Plan;
use super::secured::Secured;
use super::settings::{ClientAuthentication, Http, Refusal, Service};
use super::tee::Tee;
use super::{Shared, dot, handshake, http1, http2, raw};
use crate::observe::{ClientEnd, ConnectionSeen, KEPT, Log, QuerySeen, RequestSeen};
use crate::script::{ConnectionFault, End};
use crate::wire;

/// How long the server tries to write the end of a connection to a client that does not read.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// What every part of the server needs to know about a connection.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) log: Arc<ConnectionLog>,
    pub(super) faults: Vec<ConnectionFault>,
}

/// The log of one connection, a part of the server's log.
#[derive(Debug)]
pub(super) struct ConnectionLog {
    pub(super) log: Arc<Log>,
    pub(super) index: usize,
}

impl ConnectionLog {
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut ConnectionSeen) -> T) -> T {
        self.log.update(|seen| change(&mut seen.connections[self.index]))
    }
}

/// A request by the test to end the connection.
pub(super) struct EndRequest {
    pub(super) end: End,
    /// Dropped when the connection has ended.
    pub(super) done: mpsc::Sender<()>,
}

/// How a connection ends that has been idle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    after: Duration,
    pub(super) end: End,
    pub(super) announces_end: bool,
}

/// Runs a connection until both sides have closed.
pub(super) async fn run(
    connection: Connection,
    tcp: TcpStream,
    mut end_requests: UnboundedReceiver<EndRequest>,
) {
    let mut tee = Tee::new(tcp, connection.log.clone());
    let done = match session(&mut tee, &connection, &mut end_requests).await {
        Left::Nothing(done) => done,
        Left::Tcp(end, done) => {
            connection.log.update(|seen| seen.ended_by_server = Some(end));
            if tee.end(end).await.is_ok() && end != End::Reset {
                drop(done);
                let client_end = tokio::select! {
                    client_end = tee.drain() => client_end,
                    Some(request) = end_requests.recv() => {
                        _ = tee.end(request.end).await;
                        ClientEnd::Reset
                    }
                };
                connection.log.update(|seen| seen.ended_by_client = Some(client_end));
                None
            } else {
                done
            }
        }
    };
    drop(tee);
    connection.log.update(|seen| seen.is_open = false);
    drop(done);
}

/// What remains to be done after a session.
enum Left {
    /// The socket is to be closed, and then the test to be told.
    Nothing(Option<mpsc::Sender<()>>),
    /// TCP is to be ended: there is no TLS session that could be ended.
    Tcp(End, Option<mpsc::Sender<()>>),
}

async fn session(
    tee: &mut Tee,
    connection: &Connection,
    end_requests: &mut UnboundedReceiver<EndRequest>,
) -> Left {
    let accepted = tokio::select! {
        biased;
        Some(request) = end_requests.recv() => return Left::Tcp(request.end, Some(request.done)),
        accepted = handshake::accept(tee, connection) => accepted,
    };
    let mut stream = match accepted {
        Ok(stream) => stream,
        Err(end) => return Left::Tcp(end, None),
    };
    let (served, done) = tokio::select! {
        biased;
        Some(request) = end_requests.recv() => (Ok(request.end), Some(request.done)),
        served = serve(&mut stream, connection) => (served, None),
    };
    if let Ok(end) = served {
        end_within(&mut stream, connection, end).await;
        if end == End::Reset {
            return Left::Nothing(done);
        }
    }
    drop(done);
    tokio::select! {
        biased;
        Some(request) = end_requests.recv() => {
            end_within(&mut stream, connection, request.end).await;
            return Left::Nothing(Some(request.done));
        }
        client_end = stream.drain() => connection.log.update(|seen| seen.ended_by_client = Some(client_end)),
    }
    if served.is_err() {
        _ = tokio::time::timeout(END_TIMEOUT, stream.end(End::CloseNotify)).await;
    }
    Left::Nothing(None)
}

async fn end_within(stream: &mut Secured<'_>, connection: &Connection, end: End) {
    connection.log.update(|seen| seen.ended_by_server = Some(end));
    _ = tokio::time::timeout(END_TIMEOUT, stream.end(end)).await;
}

/// Serves until the script ends the connection. The error means that the client has ended the connection.
async fn serve(stream: &mut Secured<'_>, connection: &Connection) -> io::Result<End> {
    let shared = &connection.shared;
    let refusal = connection.refusal(stream.client_chain());
    match refusal {
        None | Some(Refusal::Alert) => {}
        Some(Refusal::Page) if shared.setup.service != Service::Dot => {}
        Some(Refusal::CloseNotify | Refusal::Page) => return Ok(End::CloseNotify),
        Some(Refusal::Eof) => return Ok(End::Fin),
        Some(Refusal::Reset) => return Ok(End::Reset),
    }
    for fault in &connection.faults {
        match fault {
            ConnectionFault::EndAfterHandshake(end) => return Ok(*end),
            ConnectionFault::Deaf => std::future::pending().await,
            ConnectionFault::Raw(steps) => return raw::serve(stream, steps).await,
            _ => {}
        }
    }
    let is_refused = refusal.is_some();
    match shared.setup.service {
        Service::Dot => dot::serve(stream, connection).await,
        Service::Https { http2, .. } => {
            let is_http2 = stream.protocol().map_or(http2, |protocol| protocol == b"h2");
            let agreed = if is_http2 { Http::Two } else { Http::One };
            match shared.setup.speaks.unwrap_or(agreed) {
                Http::One => http1::serve(stream, connection, is_refused).await,
                Http::Two => http2::serve(stream, connection, is_refused).await,
            }
        }
    }
}

impl Connection {
    /// Answers a query and logs the query.
    pub(super) fn plan(&self, query: &[u8], request: Option<RequestSeen>) -> Plan {
        let shared = &self.shared;
        let mut plan = Plan::new(shared.zone().answer(query, &shared.setup.manner));
        if request.is_some() {
            plan.ttl = wire::smallest_ttl(&plan.message);
        }
        for fault in self.query_faults(query) {
            plan.add(query, fault, &shared.releases);
        }
        // Logged last: a test that sees the query in the log may rely on the plan being made.
        self.log.log.update(|seen| {
            seen.query_count += 1;
            let connection = &mut seen.connections[self.log.index];
            connection.queries += 1;
            if seen.queries.len() < KEPT {
                let record = connection.records.len().saturating_sub(1);
                seen.queries.push(QuerySeen::new(self.log.index, record, query, request));
            }
        });
        plan
    }

    /// Waits until the connection has been idle for as long as the script allows. Waits forever if the script
    /// sets no limit or if the connection has had no query.
    pub(super) async fn idle(&self, since: Instant) -> Idle {
        let idle = self.faults.iter().find_map(|fault| match fault {
            ConnectionFault::EndWhenIdle(after, end) => {
                Some(Idle { after: *after, end: *end, announces_end: false })
            }
            ConnectionFault::FarewellWhenIdle(after) => {
                Some(Idle { after: *after, end: End::CloseNotify, announces_end: true })
            }
            _ => None,
        });
        match idle.filter(|_| self.log.update(|seen| seen.queries > 0)) {
            Some(idle) => {
                tokio::time::sleep_until(since + idle.after).await;
                idle
            }
            None => std::future::pending().await,
        }
    }

    fn query_faults(&self, query: &[u8]) -> Vec<crate::QueryFault> {
        let mut script = self.shared.script();
        if script.is_without_query_faults() {
            return Vec::new();
        }
        let Some(query) = wire::Query::read(query) else { return script.query("", 0.into(), self.log.index) };
        let labels: Vec<_> = query.labels().map(String::from_utf8_lossy).collect();
        let name = labels.join(".").to_ascii_lowercase();
        script.query(&name, query.record_type().into(), self.log.index)
    }

    /// How the client is refused, or `None` if the client is accepted.
    fn refusal(&self, chain: &[CertificateDer<'_>]) -> Option<Refusal> {
        let forced = self.faults.iter().find_map(|fault| match fault {
            ConnectionFault::RefuseClient(refusal) => Some(*refusal),
            _ => None,
        });
        let setup = &self.shared.setup;
        let is_accepted = match setup.client_authentication {
            ClientAuthentication::NotAsked => true,
            ClientAuthentication::Optional => chain.is_empty() || self.shared.tls.accepts(chain),
            ClientAuthentication::Required => self.shared.tls.accepts(chain),
        };
        forced.or((!is_accepted).then_some(setup.refusal))
    }
}
