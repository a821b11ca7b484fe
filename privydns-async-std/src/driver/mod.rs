//! The task that carries a resolver's engine: it moves bytes and time, and decides nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use async_io::Timer;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::HandshakeKind;
use futures_rustls::{Connect, TlsConnector};
use privydns_core::engine::{ConnectionId, Engine, Input, Output, cause_of};
use privydns_core::handle::Inbox;
use privydns_core::{Cause, Stage};

use crate::socket::Socket;
use crate::tcp::{TcpResult, open_tcp};

/// Steps that one connection takes in one round, so that none keeps the others, or the callers, from theirs.
/// One is as much as the buffer holds, some thirty answers.
const STEPS_A_ROUND: usize = 2;

/// Inputs taken from callers in one round, so that a flood of them does not starve the sockets.
const INPUTS_A_ROUND: usize = 1024;

/// As much as a TLS record holds, so that one read empties it.
const READ_SIZE: usize = 16 * 1024;

/// An engine with async-io's sockets and timer around it. As a future it ends when the engine is closed, by
/// command or because the last handle is gone.
pub(crate) struct Driver {
    engine: Engine,
    inbox: Inbox,
    connections: BTreeMap<ConnectionId, Connection>,
    timer: Timer,
    /// What the timer is set to: the deadline, or an earlier time.
    timer_at: Option<Instant>,
    /// What the engine waits for.
    deadline: Option<Instant>,
    message: Vec<u8>,
    buffer: Box<[u8]>,
}

/// TLS has the socket to itself, without a buffer between: that would keep a fatal alert from the peer, and
/// futures-rustls 0.26 waits for ever once a flush within the handshake is pending, which a socket's never is.
enum Connection {
    Connecting(Pin<Box<dyn Future<Output = TcpResult> + Send>>),
    Handshaking(Box<Connect<Socket>>),
    Open { stream: Box<TlsStream<Socket>>, unflushed: bool },
}

impl Driver {
    pub(crate) fn new(inbox: Inbox, seed: [u8; 32]) -> Self {
        Self {
            engine: Engine::new(inbox.shared(), Instant::now(), seed),
            inbox,
            connections: BTreeMap::new(),
            timer: Timer::never(),
            timer_at: None,
            deadline: None,
            message: Vec::new(),
            buffer: vec![0; READ_SIZE].into(),
        }
    }

    /// Moves every connection on. Says whether one may have more to do.
    fn poll_connections(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut has_more = false;
        let Self { engine, connections, buffer, .. } = self;
        connections.retain(|id, connection| {
            for _ in 0..STEPS_A_ROUND {
                match connection.poll(cx, now, *id, engine, buffer) {
                    Poll::Pending => {
                        if engine.awaits_answer(*id) {
                            connection.acknowledge();
                        }
                        return true;
                    }
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(cause)) => {
                        engine.handle_input(now, Input::Ended { id: *id, cause });
                        return false;
                    }
                }
            }
            has_more = true;
            true
        });
        has_more
    }

    /// Takes what the callers want. Says whether there may be more.
    fn poll_inbox(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        for _ in 0..INPUTS_A_ROUND {
            match self.inbox.poll_input(cx) {
                Poll::Ready(input) => self.engine.handle_input(now, input),
                Poll::Pending => return false,
            }
        }
        true
    }

    /// Carries out what the engine wants until it waits, and flushes. Says whether there is a new
    /// connection, which was not polled yet.
    fn drain(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut is_connecting = false;
        loop {
            match self.engine.poll_output(now, &mut self.message) {
                Output::Connect { id, target } => {
                    self.connections.insert(id, Connection::Connecting(Box::pin(open_tcp(target))));
                    is_connecting = true;
                }
                Output::Transmit(id) => {
                    if let Some(Connection::Open { stream, unflushed }) = self.connections.get_mut(&id) {
                        // Into rustls' own buffer, which has no limit here and cannot fail: one record a message.
                        drop(stream.get_mut().1.writer().write_all(&self.message));
                        *unflushed = true;
                    }
                }
                Output::Close(id) => {
                    if let Some(Connection::Open { mut stream, .. }) = self.connections.remove(&id) {
                        // A peer whose window is full does not read a goodbye either: it is not waited for.
                        let _ = Pin::new(&mut *stream).poll_close(cx);
                    }
                }
                Output::Done { id, result } => self.inbox.done(id, result),
                Output::Wait(deadline) => {
                    if self.flush(cx, now) {
                        continue;
                    }
                    self.deadline = deadline;
                    return is_connecting;
                }
                _ => {}
            }
        }
    }

    /// Writes what was transmitted. Says whether the engine got credit back, and may have more.
    fn flush(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut was_told = false;
        for (id, connection) in &mut self.connections {
            if let Connection::Open { stream, unflushed: unflushed @ true } = connection
                // A failed write is left to the next read, which finds the peer's last words.
                && Pin::new(stream).poll_flush(cx).is_ready()
            {
                *unflushed = false;
                was_told = true;
                self.engine.handle_input(now, Input::Written(*id));
            }
        }
        was_told
    }

    /// Tells the engine when its time has come. Says whether it has.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        // Set anew for an earlier time alone: to ring in vain now and then costs less than to be moved with every
        // lookup.
        if let Some(deadline) = self.deadline
            && self.timer_at.is_none_or(|at| deadline < at)
        {
            self.timer.set_at(deadline);
            self.timer_at = Some(deadline);
        }
        let is_due = self.timer_at.is_some() && Pin::new(&mut self.timer).poll(cx).is_ready();
        if is_due {
            self.timer_at = None;
            self.engine.handle_input(Instant::now(), Input::Timeout);
        }
        is_due
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        // One time for all that a round finds: to read the clock for each lookup would cost as much as to encode it.
        let now = Instant::now();
        // After a wait, which may have been a sleep of the whole machine.
        driver.engine.handle_input(now, Input::WallClock(SystemTime::now()));
        // Connections first: no query goes to one that is over.
        let mut is_busy = driver.poll_connections(cx, now);
        is_busy |= driver.poll_inbox(cx, now);
        is_busy |= driver.drain(cx, now);
        is_busy |= driver.poll_timer(cx);
        if driver.engine.is_closed() {
            return Poll::Ready(());
        }
        if is_busy {
            // Not in another round: callers who have their answers ask again first, and the server works on that while
            // more is read.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Connection {
    /// Has what was read acknowledged at once.
    fn acknowledge(&mut self) {
        if let Self::Open { stream, .. } = self {
            stream.get_mut().0.acknowledge();
        }
    }

    /// One step: a stage passed, or bytes handed to the engine.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        id: ConnectionId,
        engine: &mut Engine,
        buffer: &mut [u8],
    ) -> Poll<Result<(), Cause>> {
        match self {
            Self::Connecting(reaching) => {
                let (tcp, target) = ready!(reaching.as_mut().poll(cx))?;
                let handshake = TlsConnector::from(target.tls).connect(target.server_name, Socket::new(tcp));
                *self = Self::Handshaking(Box::new(handshake));
                engine.handle_input(now, Input::Handshaking(id));
            }
            Self::Handshaking(handshake) => {
                let mut stream =
                    ready!(Pin::new(handshake).poll(cx)).map_err(|error| cause_of(error, Stage::Tls))?;
                let (_, session) = stream.get_mut();
                session.set_buffer_limit(None);
                let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
                let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
                *self = Self::Open { stream: Box::new(stream), unflushed: false };
                engine.handle_input(now, Input::Connected { id, alpn: alpn.as_deref(), resumed });
            }
            Self::Open { stream, .. } => match ready!(Pin::new(&mut **stream).poll_read(cx, buffer)) {
                Ok(0) => return Poll::Ready(Err(Cause::Closed)),
                Ok(length) => {
                    engine.handle_input(now, Input::Received { id, bytes: &buffer[..length] });
                }
                Err(error) => {
                    // What was decrypted before the error came before it.
                    let mut bytes = Vec::new();
                    let _ = stream.get_mut().1.reader().read_to_end(&mut bytes);
                    if !bytes.is_empty() {
                        engine.handle_input(now, Input::Received { id, bytes: &bytes });
                    }
                    return Poll::Ready(Err(cause_of(error, Stage::Query)));
                }
            },
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
