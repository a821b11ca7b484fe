//! The task that carries a resolver's engine: it moves bytes and time, and decides nothing.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use privydns_core::{
    Answer, Cause, ConnectionId, Engine, Error, Input, LookupId, Output, Query, Stage, Target, tls::cause_of,
};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{Connect, TlsConnector};

/// What a handle asks of the driver.
pub(crate) enum Command {
    Lookup {
        id: LookupId,
        query: Arc<Query>,
        deadline: std::time::Instant,
        waiter: oneshot::Sender<Result<Answer, Error>>,
    },
    Cancel(LookupId),
    Refresh(Arc<Query>),
    Close,
}

/// Commands taken between two rounds of reading and writing, so that a flood of them does not starve the
/// sockets.
const COMMANDS_A_ROUND: usize = 1024;

/// An engine with tokio's sockets and timer around it. As a future it ends when the engine is closed, by
/// command or because the last handle is gone.
pub(crate) struct Driver {
    engine: Engine,
    commands: mpsc::UnboundedReceiver<Command>,
    waiters: HashMap<LookupId, oneshot::Sender<Result<Answer, Error>>>,
    connections: BTreeMap<ConnectionId, Connection>,
    alarm: Pin<Box<Sleep>>,
    is_alarm_set: bool,
    message: Vec<u8>,
}

enum Connection {
    Connecting { target: Target, tcp: Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>> },
    Handshaking(Box<Connect<TcpStream>>),
    Open { stream: Box<TlsStream<TcpStream>>, unflushed: bool },
}

impl Driver {
    pub(crate) fn new(engine: Engine, commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            engine,
            commands,
            waiters: HashMap::new(),
            connections: BTreeMap::new(),
            alarm: Box::pin(sleep_until(Instant::now())),
            is_alarm_set: false,
            message: Vec::new(),
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        self.engine.handle_input(Instant::now().into_std(), input);
    }

    /// Takes commands. Says whether there were any.
    fn poll_commands(&mut self, cx: &mut Context<'_>) -> bool {
        for taken in 0..COMMANDS_A_ROUND {
            match self.commands.poll_recv(cx) {
                Poll::Pending => return taken > 0,
                Poll::Ready(Some(Command::Lookup { id, query, deadline, waiter })) => {
                    self.waiters.insert(id, waiter);
                    self.tell(Input::Lookup { id, query, deadline });
                }
                Poll::Ready(Some(Command::Cancel(id))) => {
                    self.waiters.remove(&id);
                    self.tell(Input::Cancel(id));
                }
                Poll::Ready(Some(Command::Refresh(query))) => self.tell(Input::Refresh(query)),
                Poll::Ready(Some(Command::Close) | None) => {
                    self.commands.close();
                    self.tell(Input::Close);
                    return false;
                }
            }
        }
        true
    }

    /// Moves every connection on as far as it goes. Says whether the engine was told anything.
    fn poll_connections(&mut self, cx: &mut Context<'_>) -> bool {
        let mut was_told = false;
        let Self { engine, connections, .. } = self;
        connections.retain(|id, connection| {
            loop {
                match connection.poll(cx, *id, engine) {
                    Poll::Pending => return true,
                    Poll::Ready(Ok(())) => was_told = true,
                    Poll::Ready(Err(cause)) => {
                        was_told = true;
                        engine.handle_input(Instant::now().into_std(), Input::Ended { id: *id, cause });
                        return false;
                    }
                }
            }
        });
        was_told
    }

    /// Carries out what the engine wants until it waits, then flushes and sets the alarm.
    fn drain(&mut self, cx: &mut Context<'_>) {
        loop {
            match self.engine.poll_output(Instant::now().into_std(), &mut self.message) {
                Output::Connect { id, target } => {
                    let tcp = Box::pin(TcpStream::connect(target.address));
                    self.connections.insert(id, Connection::Connecting { target, tcp });
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
                        let _ = Pin::new(&mut *stream).poll_shutdown(cx);
                    }
                }
                Output::Done { id, result } => {
                    if let Some(waiter) = self.waiters.remove(&id) {
                        drop(waiter.send(result));
                    }
                }
                Output::Wait(deadline) => {
                    self.is_alarm_set = deadline.is_some();
                    if let Some(deadline) = deadline {
                        self.alarm.as_mut().reset(deadline.into());
                    }
                    if !self.flush(cx) {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// Writes what was transmitted. Says whether the engine got credit back, and may have more.
    fn flush(&mut self, cx: &mut Context<'_>) -> bool {
        let mut was_told = false;
        for (id, connection) in &mut self.connections {
            if let Connection::Open { stream, unflushed: unflushed @ true } = connection
                // A failed write is left to the next read, which finds the peer's last words.
                && Pin::new(stream).poll_flush(cx).is_ready()
            {
                *unflushed = false;
                was_told = true;
                self.engine.handle_input(Instant::now().into_std(), Input::Written(*id));
            }
        }
        was_told
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> bool {
        let is_due = self.is_alarm_set && self.alarm.as_mut().poll(cx).is_ready();
        if is_due {
            self.tell(Input::Timeout);
        }
        is_due
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        loop {
            let mut was_told = driver.poll_commands(cx);
            was_told |= driver.poll_connections(cx);
            driver.drain(cx);
            was_told |= driver.poll_alarm(cx);
            if driver.engine.is_closed() {
                return Poll::Ready(());
            }
            if !was_told {
                return Poll::Pending;
            }
        }
    }
}

impl Connection {
    /// One step: a stage passed, or bytes handed to the engine.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        id: ConnectionId,
        engine: &mut Engine,
    ) -> Poll<Result<(), Cause>> {
        let now = || Instant::now().into_std();
        match self {
            Self::Connecting { target, tcp } => {
                let tcp = ready!(tcp.as_mut().poll(cx)).map_err(|error| cause_of(&error, Stage::Connect))?;
                // Nagle's algorithm would hold a query back until the last one is acknowledged.
                tcp.set_nodelay(true).map_err(|error| cause_of(&error, Stage::Connect))?;
                let connector = TlsConnector::from(target.tls.clone());
                let handshake = connector.connect(target.server_name.clone(), tcp);
                *self = Self::Handshaking(Box::new(handshake));
                engine.handle_input(now(), Input::Handshaking(id));
            }
            Self::Handshaking(handshake) => {
                let mut stream =
                    ready!(Pin::new(handshake).poll(cx)).map_err(|error| cause_of(&error, Stage::Tls))?;
                let (_, session) = stream.get_mut();
                session.set_buffer_limit(None);
                let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
                let resumed = session.handshake_kind() == Some(tokio_rustls::rustls::HandshakeKind::Resumed);
                *self = Self::Open { stream: Box::new(stream), unflushed: false };
                engine.handle_input(now(), Input::Connected { id, alpn: alpn.as_deref(), resumed });
            }
            Self::Open { stream, .. } => {
                let mut stream = Pin::new(&mut **stream);
                let bytes = ready!(stream.as_mut().poll_fill_buf(cx))
                    .map_err(|error| cause_of(&error, Stage::Exchange))?;
                if bytes.is_empty() {
                    return Poll::Ready(Err(Cause::Closed));
                }
                let length = bytes.len();
                engine.handle_input(now(), Input::Received { id, bytes });
                stream.consume(length);
            }
        }
        Poll::Ready(Ok(()))
    }
}
