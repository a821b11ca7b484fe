//! The driver: moves bytes and time between the engine and its sockets, and makes no decisions.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Token};
use privydns_core::engine::{ConnectionId, Engine, Input, Output, seed};
use privydns_core::handle::Inbox;
use privydns_core::{Error, RuntimeError};

use crate::stream::Stream;

/// The token of the driver's waker. Tokens of streams are greater.
const WAKE: Token = Token(0);
/// The number of socket events read at once; further events are read in the next round.
const EVENTS: usize = 256;
/// Space for the longest TLS record, or for many short ones.
const READ_SIZE: usize = 18 * 1024;

/// The driver. The leading thread owns the driver and calls [`round`](Self::round) repeatedly.
pub(crate) struct Driver {
    engine: Engine,
    inbox: Inbox,
    sockets: mio::Poll,
    events: Events,
    streams: BTreeMap<ConnectionId, Box<Stream>>,
    last_token: Token,
    wake_state: Arc<DriverWaker>,
    waker: Waker,
    /// The deadline that the engine waits for.
    deadline: Option<Instant>,
    message: Vec<u8>,
    buffer: Box<[u8]>,
}

/// Interrupts a waiting driver when its inbox has a new entry.
struct DriverWaker {
    interrupt: mio::Waker,
    /// Whether a thread is driving. A thread that starts to drive reads the inbox first.
    is_driven: AtomicBool,
}

impl Driver {
    pub(crate) fn new(inbox: Inbox) -> Result<Self, Error> {
        let refused = |error: io::Error| RuntimeError::NoEventQueue(error.into());
        let sockets = mio::Poll::new().map_err(refused)?;
        let interrupt = mio::Waker::new(sockets.registry(), WAKE).map_err(refused)?;
        let wake_state = Arc::new(DriverWaker { interrupt, is_driven: AtomicBool::new(false) });
        Ok(Self {
            engine: Engine::new(inbox.shared(), Instant::now(), seed()?),
            inbox,
            sockets,
            events: Events::with_capacity(EVENTS),
            streams: BTreeMap::new(),
            last_token: WAKE,
            waker: wake_state.clone().into(),
            wake_state,
            deadline: None,
            message: Vec::new(),
            buffer: vec![0; READ_SIZE].into(),
        })
    }

    /// Waits for an event, or until `limit`, and handles it.
    pub(crate) fn round(&mut self, limit: Option<Instant>) {
        self.wake_state.is_driven.store(true, Relaxed);
        self.wait(limit);
        let now = Instant::now();
        self.engine.handle_input(now, Input::WallClock(SystemTime::now()));
        // Sockets and timers are handled before callers, so that no query goes to a connection that has ended.
        self.advance_streams(now);
        self.engine.handle_input(now, Input::Timeout);
        while let Poll::Ready(input) = self.inbox.poll_input(&mut Context::from_waker(&self.waker)) {
            self.engine.handle_input(now, input);
        }
        self.drain(now);
    }

    /// Notes that no thread drives from now on.
    pub(crate) fn rest(&mut self) {
        self.wake_state.is_driven.store(false, Relaxed);
    }

    /// Whether the engine was closed and has finished.
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
        // A signal interrupts `poll`; the interruption is treated like an event.
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

    /// Carries out the engine's outputs until the engine waits, then flushes.
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

    /// Writes the transmitted messages. Returns whether the engine got credit back and may have more outputs.
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
            // If the wake fails, the inbox is read at the driver's next timeout.
            let _ = self.interrupt.wake();
        }
    }
}
