//! TCP connections to a name, with its addresses raced as they arrive.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll as Queue, Token};
use privydns_core::handle::{ConnectStep, Connecting};

use crate::resolver::Inner;

/// How long each is waited for in turn while both sockets and lookups are pending.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Connects to the first address that accepts.
pub(crate) fn connect(
    resolver: &Inner,
    mut connecting: Connecting<'_>,
    lookup_limit: Instant,
) -> io::Result<std::net::TcpStream> {
    let mut race = Race::new()?;
    loop {
        if lookup_limit <= Instant::now() {
            connecting.give_up_lookups(Instant::now());
        }
        let step = if connecting.is_racing() {
            if connecting.waits_for_addresses(Instant::now()) {
                resolver.poll_once();
            }
            connecting.poll(Instant::now(), &mut Context::from_waker(Waker::noop()))
        } else {
            wait_for_step(resolver, &mut connecting, lookup_limit)
        };
        match step {
            ConnectStep::Connect(address) => {
                if let Err(error) = race.begin(address) {
                    connecting.failed(Instant::now(), error);
                }
            }
            ConnectStep::Failed(error) => return Err(error),
            ConnectStep::Wait(until) if connecting.is_racing() => {
                let now = Instant::now();
                let turn = if connecting.waits_for_addresses(now) { now + POLL_INTERVAL } else { until };
                race.wait(until.min(turn))?;
                if let Some(winner) = race.see_to(|error| connecting.failed(Instant::now(), error)) {
                    return blocking(winner);
                }
            }
            ConnectStep::Wait(_) => {}
        }
    }
}

/// Waits for the next step while no connection attempt is running.
fn wait_for_step(resolver: &Inner, connecting: &mut Connecting<'_>, limit: Instant) -> ConnectStep {
    let first = connecting.poll(Instant::now(), &mut Context::from_waker(Waker::noop()));
    let ConnectStep::Wait(until) = first else { return first };
    let until = until.min(limit);
    let step = poll_fn(|context| match connecting.poll(Instant::now(), context) {
        ConnectStep::Wait(earlier) if earlier < until => Poll::Ready(ConnectStep::Wait(earlier)),
        ConnectStep::Wait(_) => Poll::Pending,
        step => Poll::Ready(step),
    });
    resolver.leader.wait(step, Some(until)).unwrap_or(ConnectStep::Wait(until))
}

/// The sockets that are connecting.
struct Race {
    queue: Queue,
    events: Events,
    sockets: Vec<TcpStream>,
}

impl Race {
    fn new() -> io::Result<Self> {
        Ok(Self { queue: Queue::new()?, events: Events::with_capacity(16), sockets: Vec::new() })
    }

    fn begin(&mut self, address: SocketAddr) -> io::Result<()> {
        let mut socket = TcpStream::connect(address)?;
        // The sockets are few, so every socket is checked after an event.
        self.queue.registry().register(&mut socket, Token(0), Interest::WRITABLE)?;
        self.sockets.push(socket);
        Ok(())
    }

    /// Waits for an event of a socket, until a time.
    fn wait(&mut self, until: Instant) -> io::Result<()> {
        let time = until.saturating_duration_since(Instant::now());
        match self.queue.poll(&mut self.events, Some(time)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the failed sockets, and returns a connected one.
    fn see_to(&mut self, mut failed: impl FnMut(io::Error)) -> Option<TcpStream> {
        let mut winner = None;
        // Each socket is checked once: the system reports an error only once, and without the error a socket seems to
        // be connecting for ever.
        self.sockets = std::mem::take(&mut self.sockets)
            .into_iter()
            .filter_map(|socket| match outcome(&socket) {
                Ok(true) => {
                    winner.get_or_insert(socket);
                    None
                }
                Ok(false) => Some(socket),
                Err(error) => {
                    failed(error);
                    None
                }
            })
            .collect();
        winner
    }
}

/// Whether a socket is connected.
fn outcome(socket: &TcpStream) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if is_under_way(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an error of `peer_addr` means that the socket is not connected yet. On macOS the error is an invalid
/// argument.
fn is_under_way(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotConnected | io::ErrorKind::InvalidInput)
}

fn blocking(socket: TcpStream) -> io::Result<std::net::TcpStream> {
    let socket = std::net::TcpStream::from(socket);
    socket.set_nonblocking(false)?;
    Ok(socket)
}
