//! The plan for one query: the answer with all faults.

use std::time::Duration;

use tokio::sync::watch;

use crate::script::{End, Http1Fault, Http2Fault, HttpFault, QueryFault};

#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The DNS message.
    pub(super) message: Vec<u8>,
    /// The smallest TTL of the answer, before any fault changes it.
    pub(super) ttl: Option<u32>,
    delay: Duration,
    release: Option<watch::Receiver<u64>>,
    is_silent: bool,
    pub(super) gather: Option<Gather>,
    pub(super) end_before: Option<End>,
    pub(super) end_after: Option<End>,
    pub(super) piece: Option<usize>,
    pub(super) repeat: usize,
    pub(super) excess: u16,
    pub(super) raw: Option<Vec<u8>>,
    pub(super) http: Vec<HttpFault>,
    pub(super) http1: Vec<Http1Fault>,
    pub(super) http2: Vec<Http2Fault>,
}

/// How answers wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gather {
    /// Until this many wait; then they are sent in reverse order.
    Reversed(usize),
    /// Until this many wait; then they are sent in one record.
    Together(usize),
}

impl Plan {
    pub(super) fn new(message: Vec<u8>) -> Self {
        Self { message, ..Self::default() }
    }

    pub(super) fn add(&mut self, query: &[u8], fault: QueryFault, releases: &watch::Sender<u64>) {
        match fault {
            QueryFault::Delay(delay) => self.delay += delay,
            QueryFault::Hold => self.release = Some(releases.subscribe()),
            QueryFault::Silent => self.is_silent = true,
            QueryFault::EndBefore(end) => self.end_before = Some(end),
            QueryFault::EndAfter(end) => self.end_after = Some(end),
            QueryFault::Reorder(count) => self.gather = Some(Gather::Reversed(count)),
            QueryFault::Coalesce(count) => self.gather = Some(Gather::Together(count)),
            QueryFault::Split(piece) => self.piece = Some(piece),
            QueryFault::Repeat(count) => self.repeat = count.saturating_sub(1),
            QueryFault::ExcessLength(excess) => self.excess = excess,
            QueryFault::Raw(bytes) => self.raw = Some(bytes),
            QueryFault::Message(fault) => fault.apply(query, &mut self.message),
            QueryFault::Http(fault) => self.http.push(fault),
            QueryFault::Http1(fault) => self.http1.push(fault),
            QueryFault::Http2(fault) => self.http2.push(fault),
        }
    }

    /// Whether the answer can be sent now.
    pub(super) fn is_due(&self) -> bool {
        self.delay.is_zero() && self.release.is_none() && !self.is_silent
    }

    /// Waits until the answer may be sent.
    pub(super) async fn due(mut self) -> Self {
        tokio::time::sleep(self.delay).await;
        if let Some(release) = &mut self.release {
            // This fails only if the server is gone, which ends this task, too.
            _ = release.changed().await;
        }
        if self.is_silent {
            std::future::pending::<()>().await;
        }
        self
    }
}

/// Answers to be sent, in groups. Each group is sent in one write.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    held: Vec<T>,
    groups: Vec<Vec<T>>,
}

impl<T> Outbox<T> {
    pub(super) fn new() -> Self {
        Self { held: Vec::new(), groups: Vec::new() }
    }

    /// Adds an answer that is due. The answer is sent now, or held until the answers it is sent with are due.
    pub(super) fn add(&mut self, gather: Option<Gather>, answer: T) {
        match gather {
            None => self.groups.push(vec![answer]),
            Some(Gather::Reversed(count)) => {
                self.held.push(answer);
                if self.held.len() >= count {
                    self.groups.extend(self.held.drain(..).rev().map(|answer| vec![answer]));
                }
            }
            Some(Gather::Together(count)) => {
                self.held.push(answer);
                if self.held.len() >= count {
                    self.groups.push(std::mem::take(&mut self.held));
                }
            }
        }
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Vec<T>> {
        self.groups.drain(..)
    }
}
