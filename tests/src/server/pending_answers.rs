//! The changes to the responses of an HTTP/2 connection, on their way from [`Plan`] to
//! [`Rewriter`](super::rewrite::Rewriter).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;
use crate::frame::Frame;
use crate::script::{End, Http2Fault, Moment};

/// The changes to the responses of a connection. Clones share them.
#[derive(Clone, Default)]
pub(super) struct PendingAnswers(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    responses: BTreeMap<u32, Changes>,
    /// The smallest last stream of all GOAWAY frames. Responses on higher streams are not sent.
    last_stream: Option<u32>,
}

/// The changes to one response.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) faults: Vec<Http2Fault>,
    pub(super) piece: Option<usize>,
    pub(super) end_mid_body: Option<End>,
    pub(super) end_after: Option<End>,
    pub(super) has_begun: bool,
    pub(super) has_body: bool,
}

impl PendingAnswers {
    /// Registers the changes to a response, before `h2` gets the response. Returns how much of the response
    /// `h2` may get.
    pub(super) fn give(&self, stream: u32, plan: &Plan, end_mid_body: Option<End>) -> Share {
        let mut state = self.lock();
        if state.last_stream.is_some_and(|last| stream > last) {
            state.responses.insert(stream, Changes::default());
            return Share::Reset;
        }
        let (faults, piece, end_after) = (plan.http2.clone(), plan.piece, plan.end_after);
        if faults.is_empty() && piece.is_none() && end_mid_body.is_none() && end_after.is_none() {
            return Share::All;
        }
        let goaways = faults.iter().filter_map(|fault| match fault {
            Http2Fault::GoAway { last, .. } => Some(last.seen_from(stream)),
            _ => None,
        });
        state.last_stream = goaways.chain(state.last_stream).min();
        let share = if faults.iter().any(|fault| fault.cuts_all(stream)) {
            Share::Reset
        } else if end_mid_body.is_some() || faults.iter().any(|fault| fault.cuts_body(stream)) {
            Share::WithoutTrailers
        } else {
            Share::All
        };
        let changes = Changes { faults, piece, end_mid_body, end_after, ..Changes::default() };
        state.responses.insert(stream, changes);
        share
    }

    pub(super) fn take(&self, stream: u32) -> Option<Changes> {
        self.lock().responses.remove(&stream)
    }

    pub(super) fn put_back(&self, stream: u32, changes: Changes) {
        self.lock().responses.insert(stream, changes);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much of a response `h2` gets. `h2` must not encode a header block that the client does not receive: their
/// HPACK tables would differ from then on (RFC 7541 Section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    All,
    WithoutTrailers,
    /// A reset. The frames that replace the response, if any, are sent instead.
    Reset,
}

impl Changes {
    pub(super) fn has(&self, moment: Moment) -> bool {
        self.faults.iter().any(|fault| fault.moment() == Some(moment))
    }

    pub(super) fn pad(&self, flags: &mut u8, payload: &mut Vec<u8>) {
        for fault in &self.faults {
            if let Http2Fault::Padding(length) = fault {
                *flags |= Frame::PADDED;
                payload.insert(0, *length);
                payload.resize(payload.len() + usize::from(*length), 0);
            }
        }
    }
}
