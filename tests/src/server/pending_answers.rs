//! What is to become of the responses of an HTTP/2 connection, from where plans are made to where frames are written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;
use crate::frame::Frame;
use crate::script::{End, Http2Fault, Moment};

/// What is to be done to the responses of a connection. Clones share it.
#[derive(Clone, Default)]
pub(super) struct PendingAnswers(Arc<Mutex<Ordered>>);

#[derive(Default)]
struct Ordered {
    responses: BTreeMap<u32, Order>,
    /// The least last stream of all GOAWAYs: responses above it are not sent.
    last_stream: Option<u32>,
}

/// What is to be done to one response.
#[derive(Default)]
pub(super) struct Order {
    pub(super) faults: Vec<Http2Fault>,
    pub(super) piece: Option<usize>,
    pub(super) end_mid_body: Option<End>,
    pub(super) end_after: Option<End>,
    pub(super) has_begun: bool,
    pub(super) has_body: bool,
}

impl PendingAnswers {
    /// To be called before the response is given to `h2`. Says how much of it `h2` is to be given.
    pub(super) fn give(&self, stream: u32, plan: &Plan, end_mid_body: Option<End>) -> Share {
        let mut ordered = self.lock();
        if ordered.last_stream.is_some_and(|last| stream > last) {
            ordered.responses.insert(stream, Order::default());
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
        ordered.last_stream = goaways.chain(ordered.last_stream).min();
        let share = if faults.iter().any(|fault| fault.cuts_all(stream)) {
            Share::Reset
        } else if end_mid_body.is_some() || faults.iter().any(|fault| fault.cuts_body(stream)) {
            Share::WithoutTrailers
        } else {
            Share::All
        };
        let order = Order { faults, piece, end_mid_body, end_after, ..Order::default() };
        ordered.responses.insert(stream, order);
        share
    }

    pub(super) fn take(&self, stream: u32) -> Option<Order> {
        self.lock().responses.remove(&stream)
    }

    pub(super) fn put_back(&self, stream: u32, order: Order) {
        self.lock().responses.insert(stream, order);
    }

    fn lock(&self) -> MutexGuard<'_, Ordered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much of a response `h2` is to be given. It must not write a header block that the client does not get:
/// the two would have different HPACK tables from then on (RFC 7541 Section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    All,
    WithoutTrailers,
    /// A reset, which stands for the frames that come in place of the response, if any.
    Reset,
}

impl Order {
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
