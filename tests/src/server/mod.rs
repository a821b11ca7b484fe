//! A DNS server on loopback, on a thread of its own, for tests of any kind of client.

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

use self::connection::Order;
use self::listen::Command;
use self::settings::Service;
pub use self::settings::{Alpn, ClientAuthentication, Http, Http2Settings, Refusal, Setup, TlsVersions};
use self::tls::Tls;
use crate::authority::{Authority, SERVER_NAME};
use crate::observe::{Log, Seen};
use crate::script::{Active, End, Script};
use crate::zone::Zone;

/// A server that runs. Dropping it stops it.
///
/// It has a thread and a runtime of its own, so that its methods can be called from anywhere: none is `async`, and
/// none needs the client's cooperation to return.
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
    /// `None` when the server is being dropped: its closing tells the thread to end.
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// What the server's thread and its handle have in common.
#[derive(Debug)]
struct Shared {
    setup: Setup,
    tls: Tls,
    log: Arc<Log>,
    zone: Mutex<Arc<Zone>>,
    script: Mutex<Active>,
    /// Counts the calls of [`Server::release`].
    releases: watch::Sender<u64>,
    /// Where each connection takes orders; those of ended ones are closed.
    connections: Mutex<Vec<UnboundedSender<Order>>>,
}

impl Server {
    /// DNS over TLS (RFC 7858).
    pub fn dot() -> Setup {
        Setup::new(Service::Dot)
    }

    /// DNS over HTTPS (RFC 8484) over HTTP/2 or HTTP/1.1, as ALPN has it.
    pub fn https() -> Setup {
        Setup::new(Service::Https { http2: true, http1: true })
    }

    /// DNS over HTTPS over HTTP/2 alone.
    pub fn http2() -> Setup {
        Setup::new(Service::Https { http2: true, http1: false })
    }

    /// DNS over HTTPS over HTTP/1.1 alone.
    pub fn http1() -> Setup {
        Setup::new(Service::Https { http2: false, http1: true })
    }

    fn start(setup: Setup) -> Self {
        let listeners = listen::bind(setup.bind, setup.wants_ipv6_too())
            .unwrap_or_else(|error| panic!("cannot listen on {}: {error}", setup.bind));
        let addresses =
            listeners.iter().map(|listener| listener.local_addr().expect("it is bound")).collect();
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
        let runtime = runtime.expect("a runtime can be made");
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("privydns-tests".to_owned())
            .spawn(move || {
                let result = runtime.block_on(listen::listen(listeners, for_thread, receiver));
                result.expect("a server on loopback can go on listening");
            })
            .expect("a thread can be started");
        Self { addresses, shared, commands: Some(commands), thread: Some(thread) }
    }

    /// The address that it listens on; of several, the first.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses that it listens on. Their port is the same.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How PrivyDNS names this server as an upstream: `tls://127.0.0.1:PORT#NAME` or
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

    /// The authority that issued its certificate, for clients to trust.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.shared.setup.authority
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Seen {
        self.shared.log.snapshot()
    }

    /// Waits until it has seen what `is_so` asks for, and says what it has seen by then.
    ///
    /// # Panics
    ///
    /// When that takes longer than [`TIMEOUT`](crate::observe::TIMEOUT).
    pub fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) -> Seen {
        self.shared.log.wait_until(is_so)
    }

    /// Replaces the script. Counting begins anew; answers already planned stay as they are.
    pub fn set_script(&self, script: Script) {
        let mut active = self.shared.script();
        *active = Active::new(script, self.shared.log.connections());
    }

    /// Replaces the zone: the next query is answered from the new one.
    pub fn set_zone(&self, zone: Zone) {
        *lock(&self.shared.zone) = Arc::new(zone);
    }

    /// Lets go of all answers that [`QueryFault::Hold`](crate::QueryFault::Hold) keeps.
    pub fn release(&self) {
        self.shared.releases.send_modify(|count| *count += 1);
    }

    /// Ends all connections, and returns when it is done on the server's side. New ones are accepted.
    pub fn drop_connections(&self, end: End) {
        let (done, is_done) = mpsc::channel();
        for connection in &*lock(&self.shared.connections) {
            // One that is not there to take the order has ended.
            _ = connection.send(Order { end, done: done.clone() });
        }
        drop(done);
        wait_for(&is_done);
    }

    /// Resets all connections and refuses new ones: the server's process died. Tickets are worthless from now
    /// on. The port stays reserved for [`restart`](Self::restart).
    pub fn kill(&self) {
        self.command(Command::Deafen);
        self.drop_connections(End::Reset);
        self.forget_sessions();
    }

    /// Accepts connections again, on the same port.
    pub fn restart(&self) {
        self.command(Command::Listen);
    }

    /// Makes every client's TLS tickets worthless.
    pub fn forget_sessions(&self) {
        self.shared.tls.forget_sessions();
    }

    fn command(&self, command: impl FnOnce(mpsc::Sender<()>) -> Command) {
        let (done, is_done) = mpsc::channel();
        if let Some(commands) = &self.commands {
            // A thread that is not there to take the command has panicked, and dropping the server tells.
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

    fn register(&self, connection: UnboundedSender<Order>) {
        let mut connections = lock(&self.connections);
        connections.retain(|connection| !connection.is_closed());
        connections.push(connection);
    }
}

/// Waits until all senders are gone.
fn wait_for(is_done: &mpsc::Receiver<()>) {
    while is_done.recv().is_ok() {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
