//! The first look at octets that came: are they a response to this query at all?

use std::time::Duration;

use super::edns::Options;
use super::error::MessageError;
use super::query::Query;
use super::wire::{CLASS_IN, TYPE_OPT, check_name, skim, u16_at};
use super::{HEADER, MAX_MESSAGE};

const RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const RCODE: u8 = 0x0f;
const NOERROR: u8 = 0;
const NXDOMAIN: u8 = 3;

/// The message's ID, if there is a whole one.
pub(crate) fn id_of(bytes: &[u8]) -> Option<u16> {
    u16_at(bytes, 0).ok()
}

/// How long the server keeps the connection without a query on it (RFC 7828), if a response that is not walked
/// yet says so.
pub(crate) fn keepalive_of(bytes: &[u8]) -> Option<Duration> {
    let opt = skim(bytes).find(|record| record.record_type == TYPE_OPT)?;
    Options::of(&bytes[opt.data()]).keepalive()
}

/// Whether octets are a response whose question is the query's: same name in any case, same type, class IN.
///
/// A response without a question is taken only where it reports a failure, since then there is nothing to
/// mistake it for. The ID is the caller's to compare, and the records are [`Message::parse`](super::Message)'s.
pub(crate) fn check_response(bytes: &[u8], query: &Query) -> Result<(), MessageError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(MessageError::TooLong);
    }
    let header: &[u8; HEADER] = bytes.first_chunk().ok_or(MessageError::TooShort)?;
    if header[2] & RESPONSE == 0 {
        return Err(MessageError::NotResponse);
    }
    if header[2] & OPCODE != 0 {
        return Err(MessageError::Opcode((header[2] & OPCODE) >> 3));
    }
    match u16::from_be_bytes([header[4], header[5]]) {
        0 if matches!(header[3] & RCODE, NOERROR | NXDOMAIN) => Err(MessageError::NoQuestion),
        0 => Ok(()),
        1 if is_question(bytes, query) => Ok(()),
        1 if bytes.len() < check_name(bytes, HEADER)? + 4 => Err(MessageError::UnexpectedEnd),
        1 => Err(MessageError::WrongQuestion),
        count => Err(MessageError::QuestionCount(count)),
    }
}

/// Where the records begin in a response with the query's question.
pub(super) fn question_end(query: &Query) -> usize {
    HEADER + query.name().as_wire().len() + 4
}

/// Whether the question after the header is the query's. The first name of a message has nothing to point to, so
/// its octets are the name's, and length octets are no letters.
pub(super) fn is_question(bytes: &[u8], query: &Query) -> bool {
    let name = query.name().as_wire();
    let Some((question, rest)) = bytes.get(HEADER..).and_then(|rest| rest.split_at_checked(name.len()))
    else {
        return false;
    };
    let [type_high, type_low] = query.type_number().to_be_bytes();
    let [class_high, class_low] = CLASS_IN.to_be_bytes();
    question.eq_ignore_ascii_case(name) && rest.starts_with(&[type_high, type_low, class_high, class_low])
}
