//! A DNS server on loopback, with a separate thread, for tests of any DNS client.

mod connection;
mod dot;
mod handshake;
mod http1;
mod http2;
mod listen;
mod pending_answers;
mod plan;
mod raw;
mod request;
mod rewrite;
mod secured;
mod settings;
mod tee;
mod tls;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use self::connection::EndRequest;
use self::listen::Command;
use self::settings::Service;
pub use self::settings::{Alpn, ClientAuthentication, Http, Http2Settings, Refusal, Setup, TlsVersions};
use self::tls::Tls;
use crate::authority::{Authority, SERVER_NAME};
use crate::observe::{Log, Seen};
use crate::script::{Active, End, Script};
use crate::zone::Zone;

/// A running server. Dropping the server stops it.
///
/// The server has a separate thread and runtime. The methods are not `async` and can be called from any thread.
/// They return without the client's cooperation.
///
/// ```
/// use privydns_tests::{QueryFault, Script, Server};
///
/// let server = Server::dot().script(Script::new().on_query("slow.example.test.", QueryFault::Silent)).start();
/// println!("point a client at {}, and have it trust\n{}", server.upstream(), server.authority().root_pem());
/// assert_eq!(server.seen().query_count, 0);
/// ```
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    /// `None` while the server is being dropped. Closing this channel tells the thread to stop.
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// State that the server's thread shares with the handle.
#[derive(Debug)]
struct Shared {
    setup: Setup,
    tls: Tls,
    log: Arc<Log>,
    zone: Mutex<Arc<Zone>>,
    script: Mutex<Active>,
    /// Counts the calls of [`Server::release`].
    releases: watch::Sender<u64>,
    /// The channel to each connection. The channels of ended connections are closed.
    connections: Mutex<Vec<UnboundedSender<EndRequest>>>,
}

impl Server {
    /// DNS over TLS (RFC 7858).
    pub fn dot() -> Setup {
        Setup::new(Service::Dot)
    }

    /// DNS over HTTPS (RFC 8484) over HTTP/2 or HTTP/1.1, as ALPN negotiates.
    pub fn https() -> Setup {
        Setup::new(Service::Https { http2: true, http1: true })
    }

    /// DNS over HTTPS over HTTP/2 only.
    pub fn http2() -> Setup {
        Setup::new(Service::Https { http2: true, http1: false })
    }

    /// DNS over HTTPS over HTTP/1.1 only.
    pub fn http1() -> Setup {
        Setup::new(Service::Https { http2: false, http1: true })
    }

    fn start(setup: Setup) -> Self {
        let listeners = listen::bind(setup.bind, setup.wants_ipv6_too())
            .unwrap_or_else(|error| panic!("cannot listen on {}: {error}", setup.bind));
        let addresses = listeners
            .iter()
            .map(|listener| listener.local_addr().expect("a bound listener has an address"))
            .collect();
        let shared = Arc::new(Shared {
            tls: Tls::new(&setup),
            log: Arc::default(),
            zone: Mutex::new(Arc::new(setup.zone.clone())),
            script: Mutex::new(Active::new(setup.script.clone(), 0)),
            releases: watch::Sender::default(),
            connections: Mutex::default(),
            setup,
        });
        let (commands, receiver) = unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("privydns-tests".to_owned())
            .spawn(move || {
                let result = runtime.block_on(listen::listen(listeners, for_thread, receiver));
                result.expect("the server can accept connections");
            })
            .expect("a thread can be started");
        Self { addresses, shared, commands: Some(commands), thread: Some(thread) }
    }

    /// The address that the server listens on. If there are several, the first.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses that the server listens on. They have the same port.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The server in PrivyDNS's syntax for upstreams: `tls://127.0.0.1:PORT#NAME` or
    /// `https://NAME:PORT/PATH#ip=127.0.0.1`.
    pub fn upstream(&self) -> String {
        let address = self.address();
        match self.shared.setup.service {
            Service::Dot => format!("tls://{address}#{SERVER_NAME}"),
            Service::Https { .. } => {
                format!(
                    "https://{SERVER_NAME}:{}{}#ip={}",
                    address.port(),
                    self.shared.setup.path,
                    address.ip()
                )
            }
        }
    }

    /// The authority that issued the server's certificate, which clients must trust.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.shared.setup.authority
    }

    /// What the server has seen so far.
    pub fn seen(&self) -> Seen {
        self.shared.log.snapshot()
    }

    /// Waits until `is_so` returns true for what the server has seen, and returns what the server has seen by then.
    ///
    /// # Panics
    ///
    /// If the condition is not met within [`TIMEOUT`](crate::observe::TIMEOUT).
    pub fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) -> Seen {
        self.shared.log.wait_until(is_so)
    }

    /// Replaces the script and resets the counts. Answers whose faults are already determined do not change.
    pub fn set_script(&self, script: Script) {
        let mut active = self.shared.script();
        *active = Active::new(script, self.shared.log.connections());
    }

    /// Replaces the zone. The next query is answered from the new zone.
    pub fn set_zone(&self, zone: Zone) {
        *lock(&self.shared.zone) = Arc::new(zone);
    }

    /// Sends all answers that [`QueryFault::Hold`](crate::QueryFault::Hold) holds back.
    pub fn release(&self) {
        self.shared.releases.send_modify(|count| *count += 1);
    }

    /// Ends all connections, and returns when the server's side has closed. The server continues to accept
    /// connections.
    pub fn drop_connections(&self, end: End) {
        let (done, is_done) = mpsc::channel();
        for connection in &*lock(&self.shared.connections) {
            // An error means that the connection has ended.
            _ = connection.send(EndRequest { end, done: done.clone() });
        }
        drop(done);
        wait_for(&is_done);
    }

    /// Resets all connections and refuses new ones, as if the server's process had died. TLS tickets become
    /// invalid. The port stays reserved for [`restart`](Self::restart).
    pub fn kill(&self) {
        self.command(Command::StopListening);
        self.drop_connections(End::Reset);
        self.forget_sessions();
    }

    /// Accepts connections again, on the same port.
    pub fn restart(&self) {
        self.command(Command::Listen);
    }

    /// Invalidates the TLS tickets of all clients.
    pub fn forget_sessions(&self) {
        self.shared.tls.forget_sessions();
    }

    fn command(&self, command: impl FnOnce(mpsc::Sender<()>) -> Command) {
        let (done, is_done) = mpsc::channel();
        if let Some(commands) = &self.commands {
            // An error means that the thread has panicked. Dropping the server propagates the panic.
            _ = commands.send(command(done));
        }
        wait_for(&is_done);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.commands = None;
        let result = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking()
            && let Some(Err(panic)) = result
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Shared {
    fn zone(&self) -> Arc<Zone> {
        lock(&self.zone).clone()
    }

    fn script(&self) -> MutexGuard<'_, Active> {
        lock(&self.script)
    }

    fn register(&self, connection: UnboundedSender<EndRequest>) {
        let mut connections = lock(&self.connections);
        connections.retain(|connection| !connection.is_closed());
        connections.push(connection);
    }
}

/// Waits until all senders have been dropped.
fn wait_for(is_done: &mpsc::Receiver<()>) {
    while is_done.recv().is_ok() {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
