//! The first check of received bytes: whether they are a response to the query.

use std::time::Duration;

use super::edns::Options;
use super::query::Query;
use super::wire::{CLASS_IN, TYPE_OPT, check_name, skim, u16_at};
use super::{HEADER, MAX_MESSAGE};
use crate::error::MessageError;

const RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const RCODE: u8 = 0x0f;
const NOERROR: u8 = 0;
const NXDOMAIN: u8 = 3;

/// The message's ID, or `None` if the message is too short.
pub(crate) fn id_of(bytes: &[u8]) -> Option<u16> {
    u16_at(bytes, 0).ok()
}

/// How long the server keeps an idle connection open (RFC 7828), from a response that has not been parsed
/// yet.
pub(crate) fn keepalive_of(bytes: &[u8]) -> Option<Duration> {
    let opt = skim(bytes).find(|record| record.record_type == TYPE_OPT)?;
    Options::of(&bytes[opt.data()]).keepalive()
}

/// Checks that the bytes are a response whose question is the query's: same name in any case, same type,
/// class IN.
///
/// A response without a question is accepted only if it reports a failure, since a failure cannot be mistaken
/// for data of another name. Comparing the ID is left to the caller, and parsing the records to
/// [`Message::parse`](super::Message).
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

/// The offset of the first record in a response with the query's question.
pub(super) fn question_end(query: &Query) -> usize {
    HEADER + query.name().as_wire().len() + 4
}

/// Whether the question after the header is the query's. The first name of a message cannot be compressed,
/// and length bytes are not letters, so the bytes can be compared directly.
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
