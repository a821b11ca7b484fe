//! An engine with its sockets around it: it moves bytes and time, and decides nothing.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Token};
use privydns_core::handle::Inbox;
use privydns_core::{ConfigError, ConnectionId, Engine, Error, Input, Output, tls};

use crate::stream::Stream;

/// The token of the alarm. Those of streams are above it.
const ALARM: Token = Token(0);
/// Sockets that are told of at once; those beyond are told of in the next round.
const EVENTS: usize = 256;
/// Room for the longest TLS record, or for many short ones.
const READ_SIZE: usize = 18 * 1024;

/// Belongs to one thread at a time, which calls [`round`](Self::round) again and again.
pub(crate) struct Driver {
    engine: Engine,
    inbox: Inbox,
    sockets: mio::Poll,
    events: Events,
    streams: BTreeMap<ConnectionId, Box<Stream>>,
    last_token: Token,
    wake_state: Arc<DriverWaker>,
    waker: Waker,
    /// What the engine waits for.
    deadline: Option<Instant>,
    message: Vec<u8>,
    buffer: Box<[u8]>,
}

/// Interrupts a driver that waits: there is something in its inbox.
struct DriverWaker {
    interrupt: mio::Waker,
    /// Whether somebody drives. Who starts to drive looks into the inbox first.
    is_driven: AtomicBool,
}

impl Driver {
    pub(crate) fn new(inbox: Inbox) -> Result<Self, Error> {
        let refused = |error: io::Error| ConfigError::NoEventQueue(error.to_string());
        let sockets = mio::Poll::new().map_err(refused)?;
        let interrupt = mio::Waker::new(sockets.registry(), ALARM).map_err(refused)?;
        let wake_state = Arc::new(DriverWaker { interrupt, is_driven: AtomicBool::new(false) });
        Ok(Self {
            engine: Engine::new(inbox.shared(), Instant::now(), tls::seed()?),
            inbox,
            sockets,
            events: Events::with_capacity(EVENTS),
            streams: BTreeMap::new(),
            last_token: ALARM,
            waker: wake_state.clone().into(),
            wake_state,
            deadline: None,
            message: Vec::new(),
            buffer: vec![0; READ_SIZE].into(),
        })
    }

    /// Waits until there is something to do, or until `limit`, and does it.
    pub(crate) fn round(&mut self, limit: Option<Instant>) {
        self.wake_state.is_driven.store(true, Relaxed);
        self.wait(limit);
        let now = Instant::now();
        self.engine.handle_input(now, Input::WallClock(SystemTime::now()));
        // Sockets and what is due come before callers: no query goes to a connection that is over.
        self.advance_streams(now);
        self.engine.handle_input(now, Input::Timeout);
        while let Poll::Ready(input) = self.inbox.poll_input(&mut Context::from_waker(&self.waker)) {
            self.engine.handle_input(now, input);
        }
        self.drain(now);
    }

    /// Nobody drives from now on, for a while.
    pub(crate) fn rest(&mut self) {
        self.wake_state.is_driven.store(false, Relaxed);
    }

    /// Whether it was told to close, and has.
    pub(crate) fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    fn wait(&mut self, limit: Option<Instant>) {
        let timeout = if self.streams.values().any(|stream| stream.can_read()) {
            Some(Duration::ZERO)
        } else {
            let until = self.deadline.into_iter().chain(limit).min();
            until.map(|until| until.saturating_duration_since(Instant::now()))
        };
        // It fails when a signal interrupts it, which is as good as an event.
        let _ = self.sockets.poll(&mut self.events, timeout);
        for event in &self.events {
            if let Some(stream) = self.streams.values_mut().find(|stream| stream.token == event.token()) {
                stream.notice(event);
            }
        }
    }

    fn advance_streams(&mut self, now: Instant) {
        let Self { engine, streams, buffer, .. } = self;
        streams.retain(|id, stream| {
            let advanced = stream.advance(*id, buffer, &mut |input| engine.handle_input(now, input));
            if engine.awaits_answer(*id) {
                stream.acknowledge();
            }
            advanced.map_err(|cause| engine.handle_input(now, Input::Ended { id: *id, cause })).is_ok()
        });
    }

    /// Carries out what the engine wants until it waits, then flushes.
    fn drain(&mut self, now: Instant) {
        loop {
            match self.engine.poll_output(now, &mut self.message) {
                Output::Connect { id, target } => {
                    self.last_token.0 += 1;
                    match Stream::open(target, self.last_token, self.sockets.registry()) {
                        Ok(stream) => drop(self.streams.insert(id, Box::new(stream))),
                        Err(cause) => self.engine.handle_input(now, Input::Ended { id, cause }),
                    }
                }
                Output::Transmit(id) => {
                    if let Some(stream) = self.streams.get_mut(&id) {
                        stream.transmit(&self.message);
                    }
                }
                Output::Close(id) => {
                    if let Some(stream) = self.streams.remove(&id) {
                        stream.close();
                    }
                }
                Output::Done { id, result } => self.inbox.done(id, result),
                Output::Wait(deadline) => {
                    self.deadline = deadline;
                    if !self.flush(now) {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// Writes what was transmitted. Says whether the engine got credit back, and may have more.
    fn flush(&mut self, now: Instant) -> bool {
        let mut was_told = false;
        for (id, stream) in &mut self.streams {
            if stream.flush() {
                was_told = true;
                self.engine.handle_input(now, Input::Written(*id));
            }
        }
        was_told
    }
}

impl Wake for DriverWaker {
    fn wake(self: Arc<Self>) {
        if self.is_driven.load(Relaxed) {
            // Should it fail, the inbox is seen to when the driver wakes by itself.
            let _ = self.interrupt.wake();
        }
    }
}
