//! An unlimited number of names for load tests: every name below `many.example.test.` has an A and an AAAA
//! record.
//!
//! These answers are encoded without a lookup and without hickory-proto. A server under load therefore spends
//! its time in TLS, as real servers do.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::ResponseCode;

use super::{Manner, edns};
use crate::wire::Query;

const SUFFIX: &[u8] = b"\x04many\x07example\x04test\x00";
const A: u16 = 1;
const AAAA: u16 = 28;
const TTL: u32 = 300;

/// The A record of a name below `many.example.test.`, which is always in `198.18.0.0/15` (RFC 2544).
///
/// ```
/// let address = privydns_tests::zone::many_address("n17.many.example.test.");
/// assert_eq!(address, privydns_tests::zone::many_address("N17.many.example.test"));
/// assert_eq!(address.octets()[0], 198);
/// ```
pub fn many_address(name: &str) -> Ipv4Addr {
    address(digest(&wire(name)))
}

/// The AAAA record of a name below `many.example.test.`, which is always in `2001:db8::/32` (RFC 3849).
pub fn many_address6(name: &str) -> Ipv6Addr {
    address6(digest(&wire(name)))
}

/// Returns the answer if the query is for an address of such a name.
pub(super) fn answer(query: &Query<'_>, manner: &Manner) -> Option<Vec<u8>> {
    let name = query.name();
    let tail = &name[name.len().checked_sub(SUFFIX.len())?..];
    let is_below = tail.eq_ignore_ascii_case(SUFFIX) && name.len() > SUFFIX.len();
    if !is_below || query.class() != 1 || query.opcode() != 0 {
        return None;
    }
    let (ipv4, ipv6);
    let address: &[u8] = match query.record_type() {
        A => {
            ipv4 = address(digest(name)).octets();
            &ipv4
        }
        AAAA => {
            ipv6 = address6(digest(name)).octets();
            &ipv6
        }
        _ => return None,
    };
    let recursion_desired = u8::from(query.recursion_desired());
    let checking_disabled = if query.checking_disabled() { 0b1_0000 } else { 0 };
    let mut answer = Vec::with_capacity(512);
    answer.extend(query.id().to_be_bytes());
    answer.extend([0b1000_0000 | recursion_desired, 0b1000_0000 | checking_disabled]);
    answer.extend([0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend(query.question());
    answer.extend([0xc0, 12]);
    answer.extend(query.record_type().to_be_bytes());
    answer.extend(query.class().to_be_bytes());
    answer.extend(TTL.to_be_bytes());
    answer.extend(u16::try_from(address.len()).expect("4 or 16").to_be_bytes());
    answer.extend(address);
    edns::append(&mut answer, query, manner, ResponseCode::NoError, None);
    Some(answer)
}

fn address(digest: u32) -> Ipv4Addr {
    Ipv4Addr::from(0xc612_0000 | digest & 0x0001_ffff)
}

fn address6(digest: u32) -> Ipv6Addr {
    Ipv6Addr::from(0x2001_0db8 << 96 | u128::from(digest))
}

/// The FNV-1a hash of the name in lower case.
fn digest(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |digest, byte| {
        (digest ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    })
}

fn wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.trim_end_matches('.').split('.') {
        wire.push(u8::try_from(label.len()).expect("a label has at most 63 bytes"));
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}
