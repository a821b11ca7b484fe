//! The server that all clients are measured against. The server is a separate process, and so fast that it does not
//! limit the figures.
//!
//! The server answers every query for an A record with the same address. It reads commands from standard input,
//! one word per line, and ends when standard input closes.

mod answer;
mod connection;
mod dot;
mod http2;
mod remote;

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use data_encoding::HEXLOWER;
use privydns_tests::{Authority, ServerCertificate};
use rustls::ServerConfig;
use rustls::version::TLS13;

use crate::machine::{self, Side};
use connection::Protocol;
use dot::Dot;
use http2::Http2;

pub(crate) use remote::Remote;

/// The argument that makes this program run the server.
pub(crate) const ARGUMENT: &str = "--serve";

/// State that all connections of the process share.
#[derive(Default)]
struct Server {
    queries: AtomicU64,
    resumed: AtomicU64,
    accepted: AtomicU64,
    /// Queries that a new connection awaits before it answers them, and how many it expects in all. With 0, it answers
    /// at once.
    batch_size: AtomicU64,
    batch_total: AtomicU64,
    /// The open connections, which can be closed by a command.
    open: Mutex<BTreeMap<u64, TcpStream>>,
}

/// Serves until standard input closes.
pub(crate) fn run() -> io::Result<()> {
    machine::pin(Side::Server);
    let authority = Authority::new();
    let server = Arc::new(Server::default());
    let dot = server.listen::<Dot>(&authority, b"dot")?;
    let http2 = server.listen::<Http2>(&authority, b"h2")?;
    let mut output = io::stdout();
    writeln!(output, "{dot} {http2} {}", HEXLOWER.encode(authority.root_der()))?;
    for command in io::stdin().lock().lines() {
        match command?.as_str() {
            "close" => server.close(),
            "count" => {
                let [accepted, resumed, queries] =
                    [&server.accepted, &server.resumed, &server.queries].map(|count| count.load(Relaxed));
                let cpu = machine::process_cpu().as_nanos();
                writeln!(output, "{accepted} {resumed} {queries} {cpu}")?;
            }
            other => {
                let no_such_command = || io::Error::other(format!("unknown command: {other}"));
                server.set_batch(other).ok_or_else(no_such_command)?;
                writeln!(output)?;
            }
        }
        output.flush()?;
    }
    Ok(())
}

impl Server {
    /// Serves one protocol on a new port, and returns the port.
    fn listen<P: Protocol>(self: &Arc<Self>, authority: &Authority, alpn: &[u8]) -> io::Result<u16> {
        let identity = authority.server(ServerCertificate::Good);
        let mut config = ServerConfig::builder_with_provider(privydns_core::crypto_provider())
            .with_protocol_versions(&[&TLS13])
            .and_then(|builder| {
                let builder = builder.with_no_client_auth();
                builder.with_single_cert(identity.chain_der().to_vec(), identity.key_der())
            })
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![alpn.to_vec()];
        let (server, config) = (self.clone(), Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (server, config) = (server.clone(), config.clone());
                let number = server.accepted.fetch_add(1, Relaxed);
                thread::spawn(move || {
                    server.keep(number, &socket);
                    // Errors are ignored: clients may end a connection in any way.
                    drop(connection::serve::<P>(&server, socket, config));
                    server.lock().remove(&number);
                });
            }
        });
        Ok(port)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, number: u64, socket: &TcpStream) {
        if let Ok(socket) = socket.try_clone() {
            self.lock().insert(number, socket);
        }
    }

    /// Takes the command `batch SIZE TOTAL`. `None` if it is another.
    fn set_batch(&self, command: &str) -> Option<()> {
        let (size, total) = command.strip_prefix("batch ")?.split_once(' ')?;
        self.batch_size.store(size.parse().ok()?, Relaxed);
        self.batch_total.store(total.parse().ok()?, Relaxed);
        Some(())
    }

    /// Closes all connections with `close_notify`.
    fn close(&self) {
        for socket in self.lock().values() {
            drop(socket.shutdown(Shutdown::Read));
        }
    }
}
