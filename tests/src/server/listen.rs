//! The server's thread: accepts connections and executes commands of the test.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::task::Poll;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use super::Shared;
use super::connection::{Connection, ConnectionLog, run};
use crate::observe::ConnectionSeen;

/// The number of connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 1024;

/// A command of the test to the server's thread. The sender is dropped when the command has been executed.
pub(super) enum Command {
    /// Refuse connections.
    StopListening(mpsc::Sender<()>),
    /// Accept connections again.
    Listen(mpsc::Sender<()>),
}

/// Binds a free port and listens. With `ipv6_too`, also listens on the same port of `::1`, if the machine has
/// IPv6.
pub(super) fn bind(address: SocketAddr, ipv6_too: bool) -> io::Result<Vec<std::net::TcpListener>> {
    const TRIES: usize = 20;
    let mut result = Err(io::ErrorKind::AddrInUse.into());
    for _ in 0..TRIES {
        let first = std::net::TcpListener::bind(address)?;
        if !ipv6_too {
            return Ok(vec![first]);
        }
        let second = (std::net::Ipv6Addr::LOCALHOST, first.local_addr()?.port());
        match std::net::TcpListener::bind(second) {
            Ok(second) => return Ok(vec![first, second]),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => result = Err(error),
            Err(_) => return Ok(vec![first]),
        }
    }
    result
}

/// Accepts connections until the channel closes.
pub(super) async fn listen(
    listeners: Vec<std::net::TcpListener>,
    shared: Arc<Shared>,
    mut commands: UnboundedReceiver<Command>,
) -> io::Result<()> {
    let mut sockets = Sockets::Listening(listeners.into_iter().map(listener).collect::<io::Result<_>>()?);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                None => return Ok(()),
                Some(Command::StopListening(_done)) => sockets = sockets.reserve()?,
                Some(Command::Listen(_done)) => sockets = sockets.listen()?,
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    std::panic::resume_unwind(error.into_panic());
                }
            }
            accepted = sockets.accept() => {
                // An error means that the client closed the connection before it was accepted.
                if let Ok((tcp, client)) = accepted {
                    start(&mut connections, &shared, tcp, client)?;
                }
            }
        }
    }
}

/// Registers a connection, so that it can be ended by the test, and starts it.
fn start(
    connections: &mut JoinSet<()>,
    shared: &Arc<Shared>,
    tcp: TcpStream,
    client: SocketAddr,
) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let seen = ConnectionSeen::new(client, tcp.local_addr()?);
    let index = shared.log.update(|log| {
        log.connections.push(seen);
        log.connections.len() - 1
    });
    let faults = shared.script().connection(index);
    let log = Arc::new(ConnectionLog { log: shared.log.clone(), index });
    let (end_requests, receiver) = unbounded_channel();
    shared.register(end_requests);
    connections.spawn(run(Connection { shared: shared.clone(), log, faults }, tcp, receiver));
    Ok(())
}

/// The server's sockets, in either state.
enum Sockets {
    Listening(Vec<TcpListener>),
    /// Bound, so that no other process gets the port, but not listening: connections are refused.
    Reserved(Vec<(TcpSocket, SocketAddr)>),
}

impl Sockets {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self {
            Self::Reserved(_) => std::future::pending().await,
            Self::Listening(listeners) => {
                let any = |cx: &mut std::task::Context<'_>| {
                    let mut polls = listeners.iter().map(|listener| listener.poll_accept(cx));
                    polls.find(Poll::is_ready).unwrap_or(Poll::Pending)
                };
                std::future::poll_fn(any).await
            }
        }
    }

    fn reserve(self) -> io::Result<Self> {
        let Self::Listening(listeners) = self else { return Ok(self) };
        let mut reserved = Vec::new();
        for listener in listeners {
            let address = listener.local_addr()?;
            drop(listener);
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            reserved.push((socket, address));
        }
        Ok(Self::Reserved(reserved))
    }

    fn listen(self) -> io::Result<Self> {
        let Self::Reserved(reserved) = self else { return Ok(self) };
        let listeners = reserved.into_iter().map(|(socket, _)| socket.listen(BACKLOG));
        listeners.collect::<io::Result<_>>().map(Self::Listening)
    }
}

fn listener(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
