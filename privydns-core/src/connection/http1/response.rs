//! The incremental reader of one response: interim heads, the final head, the body.

use std::sync::Arc;
use std::time::Duration;

use super::body::{Body, BodyError};
use super::head::{self, Head};
use crate::connection::receive_buffer::ReceiveBuffer;
use crate::doh::{self, ResponseHead};
use crate::error::{Cause, HttpProblem};
use crate::message::Query;

/// The maximum number of interim responses (1xx) before the final one.
const MAX_INTERIM: u8 = 8;

/// The status of a server that timed out while waiting for a request (RFC 9110 Section 15.5.9).
const REQUEST_TIMEOUT: u16 = 408;

/// Reads the response to one request.
#[derive(Debug)]
pub(super) struct Reader {
    interim: u8,
    stage: ReadState,
}

#[derive(Debug)]
enum ReadState {
    /// How far the end of the head has been searched for.
    Head {
        scanned: usize,
    },
    Body {
        head: ResponseHead,
        body: Body,
        is_kept: bool,
        idle: Option<Duration>,
    },
}

/// The result of reading.
pub(super) enum Progress {
    /// The response is incomplete.
    Pending,
    /// The response is complete.
    Complete(Response),
    /// The peer violated the protocol.
    Violated(&'static str),
}

/// A complete response.
pub(super) struct Response {
    /// The answer and the answer's age, or the error.
    pub(super) result: Result<(Arc<[u8]>, u32), Cause>,
    /// Whether the server states that the request was not received.
    pub(super) retry_safe: bool,
    /// Whether the connection persists after the response.
    pub(super) is_kept: bool,
    /// The server's idle timeout for the persistent connection, if it sends one.
    pub(super) idle: Option<Duration>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { interim: 0, stage: ReadState::Head { scanned: 0 } }
    }

    /// Continues reading. `is_over` says that the stream has ended and no more data follows.
    pub(super) fn read(&mut self, input: &mut ReceiveBuffer, query: &Query, is_over: bool) -> Progress {
        self.try_read(input, query, is_over).map_or_else(Progress::Violated, |response| {
            response.map_or(Progress::Pending, Progress::Complete)
        })
    }

    fn try_read(
        &mut self,
        input: &mut ReceiveBuffer,
        query: &Query,
        is_over: bool,
    ) -> Result<Option<Response>, &'static str> {
        while let ReadState::Head { scanned } = &mut self.stage {
            let Some(end) = head::find_end(input.unread(), scanned)? else { return Ok(None) };
            let Head { response, framing, is_kept, idle } = head::parse(input.take(end))?;
            match response.status() {
                // The client never sends an Upgrade field.
                101 => return Err("status 101 without an Upgrade request"),
                100..200 if self.interim == MAX_INTERIM => return Err("too many interim responses"),
                100..200 => {
                    self.interim += 1;
                    self.stage = ReadState::Head { scanned: 0 };
                }
                // The server timed out before receiving the request: timeout and request crossed, and the server
                // closes now.
                REQUEST_TIMEOUT => return Ok(Some(Response::unread(&response, query, true))),
                _ => match Body::new(framing) {
                    Ok(body) => self.stage = ReadState::Body { head: response, body, is_kept, idle },
                    Err(_) => return Ok(Some(Response::unread(&response, query, false))),
                },
            }
        }
        let ReadState::Body { head, body, is_kept, idle } = &mut self.stage else { return Ok(None) };
        match body.read(input, is_over) {
            Ok(None) => Ok(None),
            Ok(Some(body)) => Ok(Some(Response {
                result: doh::finish(head, body, query),
                retry_safe: false,
                is_kept: *is_kept,
                idle: *idle,
            })),
            Err(BodyError::TooLong) => Ok(Some(Response::unread(head, query, false))),
            Err(BodyError::Malformed(what)) => Err(what),
        }
    }

    /// The number of bytes of the body that are kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        match &self.stage {
            ReadState::Body { body: Body::Chunked(chunked), .. } => chunked.held(),
            ReadState::Body { .. } | ReadState::Head { .. } => 0,
        }
    }

    /// The reason, given by the head, why the response will contain no answer.
    pub(super) fn problem(&self, query: &Query) -> Option<HttpProblem> {
        match &self.stage {
            ReadState::Body { head, .. } => head.problem(query),
            ReadState::Head { .. } => None,
        }
    }
}

impl Response {
    /// A response whose body is not read. No later data on the connection is read either.
    fn unread(head: &ResponseHead, query: &Query, retry_safe: bool) -> Self {
        let problem = head.problem(query).unwrap_or(HttpProblem::BodyTooLong);
        Self { result: Err(problem.into()), retry_safe, is_kept: false, idle: None }
    }
}
