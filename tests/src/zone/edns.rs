//! The OPT record of an answer. The record is encoded by hand to control the order of the options.

use hickory_proto::op::ResponseCode;

use super::{Manner, Padding};
use crate::wire::Query;

/// The codes of the EDNS options that the servers support (RFC 7871, RFC 7828, RFC 7830, RFC 8914).
pub(crate) const CLIENT_SUBNET: u16 = 8;
pub(crate) const KEEPALIVE: u16 = 11;
pub(crate) const PADDING: u16 = 12;
pub(crate) const EXTENDED_ERROR: u16 = 15;

/// The length of a padded answer is a multiple of this many bytes (RFC 8467 Section 4.1).
const BLOCK: usize = 468;

/// Adds an OPT record to an answer without additional records, if the query has an OPT record.
pub(super) fn append(
    answer: &mut Vec<u8>,
    query: &Query<'_>,
    manner: &Manner,
    code: ResponseCode,
    extended: Option<(u16, &str)>,
) {
    let Some(opt) = query.opt() else { return };
    let mut options = Vec::new();
    if let Some((code, text)) = extended {
        option(&mut options, EXTENDED_ERROR, &[&code.to_be_bytes(), text.as_bytes()].concat());
    }
    if let (Some(timeout), Some(_)) = (manner.keepalive, opt.option(KEEPALIVE)) {
        option(&mut options, KEEPALIVE, &tenths(timeout).to_be_bytes());
    }
    let pads = match manner.padding {
        Padding::IfAsked => opt.option(PADDING).is_some(),
        Padding::Always => true,
        Padding::Never => false,
    };
    if pads {
        let unpadded = answer.len() + OPT_FIXED + options.len() + 4;
        let padded = unpadded.next_multiple_of(BLOCK).min(usize::from(u16::MAX)).max(unpadded);
        option(&mut options, PADDING, &vec![0; padded - unpadded]);
    }
    let dnssec_ok = if opt.dnssec_ok() { 0x80 } else { 0 };
    answer.extend([0, 0, 41, 0x04, 0xd0, code.high(), 0, dnssec_ok, 0]);
    answer.extend(u16::try_from(options.len()).expect("an answer fits in 16 bits").to_be_bytes());
    answer.extend(options);
    answer[11] += 1;
}

/// The length of an OPT record without options, in bytes.
const OPT_FIXED: usize = 11;

/// Converts a timeout to units of 100 ms (RFC 7828 Section 3.1).
pub(crate) fn tenths(timeout: std::time::Duration) -> u16 {
    u16::try_from(timeout.as_millis() / 100).unwrap_or(u16::MAX)
}

pub(crate) fn option(options: &mut Vec<u8>, code: u16, data: &[u8]) {
    options.extend(code.to_be_bytes());
    options.extend(u16::try_from(data.len()).expect("an option fits in 16 bits").to_be_bytes());
    options.extend(data);
}
