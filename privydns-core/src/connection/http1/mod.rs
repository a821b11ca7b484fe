//! HTTP/1.1 for DNS over HTTPS (RFC 8484, RFC 9112): one request at a time on a persistent connection.
//!
//! Every ambiguity ends the connection: if client and server may disagree on the end of a response, the next response
//! cannot be trusted.

mod body;
mod chunked;
mod head;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::response::{Progress, Reader, Response};
use super::lifecycle::Phase;
use super::receive_buffer::ReceiveBuffer;
use super::{Event, Key, Machine, lifecycle};
use crate::doh::{self, Endpoint};
use crate::error::{Cause, ProtocolError};
use crate::message::Query;

/// The idle timeout if the server sends none.
const IDLE_DEFAULT: Duration = Duration::from_secs(30);

/// One HTTP/1.1 connection to a DoH server.
pub struct Http1 {
    endpoint: Arc<Endpoint>,
    phase: Phase,
    pending: Option<PendingRequest>,
    refused: VecDeque<Key>,
    input: ReceiveBuffer,
    /// The encoded message, while the request around the message is written.
    scratch: Vec<u8>,
    idle_limit: Duration,
    /// Whether the peer has begun an HTTP/1 response.
    protocol_confirmed: bool,
}

struct PendingRequest {
    key: Key,
    query: Arc<Query>,
    /// The reader of the response; `None` before the request is sent.
    reader: Option<Reader>,
}

/// Whether a connection failed because the peer does not use HTTP/1, so that another version may be tried.
pub fn is_not_http1(cause: &Cause) -> bool {
    matches!(cause, Cause::Protocol(error) if *error == violation(head::NOT_HTTP1))
}

impl Http1 {
    /// Creates the machine for a connection on which TLS is up.
    pub fn new(_now: Instant, endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            phase: Phase::Open,
            pending: None,
            refused: VecDeque::new(),
            input: ReceiveBuffer::default(),
            scratch: Vec::new(),
            idle_limit: IDLE_DEFAULT,
            protocol_confirmed: false,
        }
    }

    /// Decodes received data up to the end of the response.
    fn receive(&mut self) -> Option<Event> {
        self.protocol_confirmed |= head::has_begun(self.input.unread());
        let Some(PendingRequest { query, reader: Some(reader), .. }) = &mut self.pending else {
            return self.receive_unsolicited();
        };
        let is_over = matches!(self.phase, Phase::Ending(Cause::Closed));
        match reader.read(&mut self.input, query, is_over) {
            Progress::Pending => None,
            Progress::Complete(response) => self.complete(response),
            Progress::Violated(what) => self.violated(what),
        }
    }

    fn complete(&mut self, response: Response) -> Option<Event> {
        let Response { result, retry_safe, is_kept, idle } = response;
        if !is_kept {
            self.input.clear();
            self.phase.end(Cause::Closed);
        }
        if let Some(server_limit) = idle {
            self.idle_limit = lifecycle::idle_limit(server_limit);
        }
        let PendingRequest { key, .. } = self.pending.take()?;
        Some(match result {
            Ok((message, age)) => Event::Answered { key, message, age },
            Err(cause) => Event::Failed { key, cause, retry_safe },
        })
    }

    /// Handles data without a request in flight: a 408 response before a close, or a server that disagrees about the
    /// end of the last response. In both cases no further request can be sent.
    fn receive_unsolicited(&mut self) -> Option<Event> {
        if self.input.is_empty() {
            return None;
        }
        if let Some(PendingRequest { key, .. }) = self.pending.take() {
            return Some(Event::Failed { key, cause: Cause::Closed, retry_safe: true });
        }
        match head::is_request_timeout(self.input.unread())? {
            true => {
                self.input.clear();
                self.phase.fail(Cause::Closed);
                None
            }
            false if self.protocol_confirmed => self.violated("data without a request"),
            false => self.violated(head::NOT_HTTP1),
        }
    }

    /// The peer violated the protocol: neither earlier nor later data is trusted.
    fn violated(&mut self, what: &'static str) -> Option<Event> {
        let what = if what == head::NOT_HTTP1 && self.protocol_confirmed {
            "data that is not a response"
        } else {
            what
        };
        self.input.clear();
        self.phase.fail(violation(what).into());
        self.next_final_event()
    }

    /// After the end of the connection: the pending request, and then the end.
    fn next_final_event(&mut self) -> Option<Event> {
        let Phase::Ending(cause) = &self.phase else { return None };
        let Some(PendingRequest { key, query, reader }) = self.pending.take() else {
            return self.phase.take_cause().map(Event::Ended);
        };
        self.input.clear();
        // The status of a partly received response says more than the cause of the end.
        let problem = reader.as_ref().and_then(|reader| reader.problem(&query));
        let retry_safe = reader.is_none() || is_not_http1(cause);
        Some(Event::Failed { key, cause: problem.map_or_else(|| cause.clone(), Cause::Http), retry_safe })
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        let reader = self.pending.as_ref().and_then(|pending| pending.reader.as_ref());
        self.input.held() + reader.map_or(0, Reader::held)
    }

    /// Whether the peer sent unrequested data: the connection is then not usable, whatever the data is.
    fn has_unsolicited_input(&self) -> bool {
        !self.input.is_empty() && self.pending.as_ref().is_none_or(|pending| pending.reader.is_none())
    }
}

impl Machine for Http1 {
    fn capacity(&self) -> usize {
        usize::from(!self.is_draining() && self.pending.is_none())
    }

    fn in_flight(&self) -> usize {
        usize::from(self.pending.is_some())
    }

    fn is_draining(&self) -> bool {
        !self.phase.is_open() || self.has_unsolicited_input()
    }

    fn idle_limit(&self) -> Duration {
        self.idle_limit
    }

    fn submit(&mut self, _now: Instant, key: Key, query: &Arc<Query>) {
        if self.capacity() == 0 {
            if !self.phase.is_over() {
                self.refused.push_back(key);
            }
            return;
        }
        self.pending = Some(PendingRequest { key, query: query.clone(), reader: None });
    }

    fn cancel(&mut self, _now: Instant, key: Key) {
        self.refused.retain(|&refused| refused != key);
        let cancelled = self.pending.take_if(|pending| pending.key == key);
        if cancelled.is_some_and(|pending| pending.reader.is_some()) {
            // The response to the cancelled request will still arrive, and no other request can be sent before that.
            self.input.clear();
            self.phase.end(Cause::Closed);
        }
    }

    fn close(&mut self, _now: Instant) {
        self.phase.drain();
    }

    fn handle_input(&mut self, _now: Instant, bytes: &[u8]) {
        if self.phase.is_connected() {
            self.input.push(bytes);
        }
    }

    fn handle_end(&mut self, _now: Instant, cause: Cause) {
        self.phase.end(cause);
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, _now: Instant, out: &mut Vec<u8>) -> bool {
        if !self.phase.is_connected() || !self.input.is_empty() {
            return false;
        }
        let Some(PendingRequest { query, reader: reader @ None, .. }) = &mut self.pending else {
            return false;
        };
        *reader = Some(Reader::new());
        self.scratch.clear();
        doh::encode_query(query, &mut self.scratch);
        out.clear();
        request::write(&self.endpoint, &self.scratch, out);
        true
    }

    fn poll_event(&mut self, _now: Instant) -> Option<Event> {
        if let Some(key) = self.refused.pop_front() {
            return Some(Event::Failed { key, cause: Cause::Closed, retry_safe: true });
        }
        self.receive().or_else(|| self.next_final_event())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

fn violation(what: &'static str) -> ProtocolError {
    ProtocolError { protocol: "http/1.1", what }
}

impl fmt::Debug for Http1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1")
            .field("endpoint", &self.endpoint)
            .field("phase", &self.phase)
            .field("in_flight", &self.in_flight())
            .field("idle_limit", &self.idle_limit)
            .finish_non_exhaustive()
    }
}
