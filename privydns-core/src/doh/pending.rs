//! Stands in for the message module's functions until they are there.

use std::sync::Arc;

use crate::message::{MessageError, Query};

pub(super) const HEADER: usize = 12;

pub(super) enum Carrier {
    Http,
}

pub(super) fn encode(_query: &Query, _id: u16, _carrier: Carrier, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 12]);
}

pub(super) fn check_response(bytes: &[u8], _query: &Query) -> Result<(), MessageError> {
    if Arc::<[u8]>::from(bytes).len() < 12 { Err(MessageError) } else { Ok(()) }
}
