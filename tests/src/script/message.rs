//! Faults inside a DNS message, independent of the transport.

use std::time::Duration;

use hickory_proto::op::ResponseCode;

use crate::wire::{HEADER, Query, counts, records};
use crate::zone::edns::{EXTENDED_ERROR, KEEPALIVE, option, tenths};

/// A fault in the DNS message of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageFault {
    /// The ID differs from that of the query.
    WrongId,
    /// The question has another name.
    WrongName,
    /// The question has another type.
    WrongType,
    /// The question has another class.
    WrongClass,
    /// The message has no question.
    NoQuestion,
    /// The header counts two questions.
    TwoQuestions,
    /// The QR flag marks the message as a query.
    NotAResponse,
    /// The opcode is STATUS.
    WrongOpcode,
    /// The TC flag is set.
    TruncatedFlag,
    /// The second half of the message is missing. The length prefix is that of the first half.
    Cut,
    /// Only this many bytes of the message are left. The length prefix is that of these bytes.
    CutTo(usize),
    /// The message is replaced by random bytes of the same length.
    Garbage,
    /// This many zero bytes follow the message. The length prefix includes them.
    Trailing(usize),
    /// The owner name of the first answer record points to itself.
    PointerLoop,
    /// The message has no records, and this response code.
    Code(ResponseCode),
    /// The message has no records, this response code, and an extended error (RFC 8914).
    ExtendedError(ResponseCode, u16, String),
    /// An EDNS keepalive option (RFC 7828) with this timeout, whether or not the client asked for one.
    Keepalive(Duration),
    /// All TTLs have this value.
    Ttl(u32),
    /// The message is replaced by this one, with the query's ID.
    Message(Vec<u8>),
}

impl MessageFault {
    pub(crate) fn apply(&self, query: &[u8], answer: &mut Vec<u8>) {
        let question_end = Query::read(query).map_or(HEADER, |query| HEADER + query.question().len());
        let is_whole = answer.len() >= question_end && question_end > HEADER;
        match self {
            Self::WrongId => answer[1] ^= 0x5a,
            Self::WrongName if is_whole => answer[HEADER + 1] ^= 1,
            Self::WrongType if is_whole => answer[question_end - 3] ^= 1,
            Self::WrongClass if is_whole => answer[question_end - 1] ^= 2,
            Self::NoQuestion if is_whole => {
                *answer = without_records(answer, HEADER);
                answer[5] = 0;
            }
            Self::TwoQuestions => answer[5] = 2,
            Self::NotAResponse => answer[2] &= 0x7f,
            Self::WrongOpcode => answer[2] |= 2 << 3,
            Self::TruncatedFlag => answer[2] |= 0b10,
            Self::Cut => answer.truncate(answer.len() / 2),
            Self::CutTo(length) => answer.truncate(*length),
            Self::Garbage => garbage(answer),
            Self::Trailing(length) => answer.resize(answer.len() + length, 0),
            Self::PointerLoop if is_whole && counts(answer)[1] > 0 => {
                let target = u16::try_from(question_end).expect("a question is short") | 0xc000;
                answer[question_end..question_end + 2].copy_from_slice(&target.to_be_bytes());
            }
            Self::Code(code) => fail(query, answer, question_end, *code, &[]),
            Self::ExtendedError(code, number, text) => {
                let mut options = Vec::new();
                option(&mut options, EXTENDED_ERROR, &[&number.to_be_bytes(), text.as_bytes()].concat());
                fail(query, answer, question_end, *code, &options);
            }
            Self::Keepalive(timeout) => {
                let mut options = Vec::new();
                option(&mut options, KEEPALIVE, &tenths(*timeout).to_be_bytes());
                add_options(answer, &options);
            }
            Self::Ttl(ttl) => {
                for at in records(answer).unwrap_or_default() {
                    // In an OPT record, these four bytes are flags.
                    if answer[at..at + 2] != [0, 41] {
                        answer[at + 4..at + 8].copy_from_slice(&ttl.to_be_bytes());
                    }
                }
            }
            Self::Message(message) => {
                let id = [answer[0], answer[1]];
                answer.clone_from(message);
                if let Some(start) = answer.get_mut(..2) {
                    start.copy_from_slice(&id);
                }
            }
            Self::WrongName | Self::WrongType | Self::WrongClass | Self::NoQuestion | Self::PointerLoop => {}
        }
    }
}

fn garbage(answer: &mut [u8]) {
    let mut state: u32 = 0x9e37_79b9;
    for byte in answer {
        state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        *byte = (state >> 24) as u8;
    }
}

/// The header and the bytes up to `end`, with the counts of records set to 0.
fn without_records(answer: &[u8], end: usize) -> Vec<u8> {
    let mut shortened = answer[..end].to_vec();
    shortened[6..HEADER].fill(0);
    shortened
}

fn fail(query: &[u8], answer: &mut Vec<u8>, question_end: usize, code: ResponseCode, options: &[u8]) {
    *answer = without_records(answer, question_end.min(answer.len()));
    answer[3] = answer[3] & 0xf0 | code.low();
    let has_edns = Query::read(query).is_some_and(|query| query.opt().is_some());
    if has_edns || code.high() > 0 {
        answer.extend([0, 0, 41, 0x04, 0xd0, code.high(), 0, 0, 0, 0, 0]);
        answer[11] = 1;
        add_options(answer, options);
    }
}

/// Appends options to the answer's OPT record, or to a new OPT record. An existing OPT record is the last
/// record, because the zone writes it last.
fn add_options(answer: &mut Vec<u8>, options: &[u8]) {
    let opt = records(answer).unwrap_or_default().into_iter().find(|&at| answer[at..at + 2] == [0, 41]);
    if opt.is_none() {
        answer.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        answer[11] += 1;
    }
    let length_at = opt.map_or(answer.len() - 2, |at| at + 8);
    let length = u16::from_be_bytes([answer[length_at], answer[length_at + 1]]);
    let length = length + u16::try_from(options.len()).expect("options are short");
    answer[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    answer.extend(options);
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Message;

    use super::*;
    use crate::zone::{Manner, Zone};

    const QUERY: &[u8] =
        b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01\x03www\x07example\x04test\x00\x00\x01\x00\x01\
        \x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";

    fn with(fault: &MessageFault) -> Vec<u8> {
        let mut answer = Zone::example().answer(QUERY, &Manner::default());
        fault.apply(QUERY, &mut answer);
        answer
    }

    fn parsed(fault: &MessageFault) -> Message {
        Message::from_vec(&with(fault)).unwrap()
    }

    #[test]
    fn identity_faults_change_only_the_named_field() {
        assert_eq!(parsed(&MessageFault::WrongId).metadata.id, 0x1234 ^ 0x5a);
        assert_eq!(parsed(&MessageFault::WrongName).queries[0].name().to_ascii(), "vww.example.test.");
        assert_ne!(u16::from(parsed(&MessageFault::WrongType).queries[0].query_type()), 1);
        assert_ne!(u16::from(parsed(&MessageFault::WrongClass).queries[0].query_class()), 1);
        let bare = parsed(&MessageFault::NoQuestion);
        assert!(bare.queries.is_empty() && bare.answers.is_empty());
        assert!(parsed(&MessageFault::TruncatedFlag).metadata.truncation);
        assert_eq!(with(&MessageFault::NotAResponse)[2] & 0x80, 0);
    }

    #[test]
    fn failure_has_response_code_and_extended_error() {
        let code = ResponseCode::BADCOOKIE;
        let message = parsed(&MessageFault::ExtendedError(code, 23, "network error".to_owned()));
        assert_eq!(message.metadata.response_code, code);
        assert!(message.answers.is_empty());
        let bytes = with(&MessageFault::ExtendedError(code, 23, "network error".to_owned()));
        assert!(bytes.ends_with(b"\x00\x0f\x00\x0f\x00\x17network error"));
    }

    #[test]
    fn keepalive_is_appended_to_the_existing_options() {
        let bytes = with(&MessageFault::Keepalive(Duration::from_secs(3)));
        assert!(bytes.ends_with(&[0, 11, 0, 2, 0, 30]));
        assert_eq!(Message::from_vec(&bytes).unwrap().edns.unwrap().options().options.len(), 1);
    }

    #[test]
    fn ttl_fault_changes_every_record_except_opt() {
        let message = parsed(&MessageFault::Ttl(0x8000_0007));
        assert!(message.answers.iter().all(|record| record.ttl == 0x8000_0007));
        assert_eq!(message.edns.unwrap().rcode_high(), 0);
    }

    #[test]
    fn malformed_messages_do_not_parse() {
        for fault in [MessageFault::Cut, MessageFault::CutTo(11), MessageFault::PointerLoop] {
            assert!(Message::from_vec(&with(&fault)).is_err(), "{fault:?}");
        }
        assert_ne!(with(&MessageFault::Garbage)[..2], QUERY[..2]);
    }
}
