//! Bursts of requests, kept to what servers can take.

use std::time::Instant;

use super::limits::{BURST_PAUSE, MAX_BURST};

/// The requests that went out since the server last answered any.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    sent: usize,
    /// When the pause after a full burst is over.
    resumes_at: Option<Instant>,
}

impl Pacer {
    /// Whether another request may go out.
    pub(super) fn has_room(&mut self, now: Instant) -> bool {
        self.handle_timeout(now);
        self.resumes_at.is_none()
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.sent += 1;
        if self.sent == MAX_BURST {
            self.resumes_at = Some(now + BURST_PAUSE);
        }
    }

    /// The server works on what it was sent.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.resumes_at.is_some_and(|resumes_at| resumes_at <= now) {
            *self = Self::default();
        }
    }

    pub(super) fn resumes_at(&self) -> Option<Instant> {
        self.resumes_at
    }
}
