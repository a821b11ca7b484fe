//! Answers made locally, for names that are never sent to an upstream.

use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::HEADER;
use super::answer::{Answer, Origin, Transport};
use super::name::QueryName;
use super::query::Query;
use super::response::{Message, Outcome, SOA_NUMBERS, Section};
use super::wire::{CLASS_IN, Labels, TYPE_A, TYPE_AAAA, TYPE_SOA, check_name};

/// The TTL of local answers. Their data never changes, but they also cost little to make again.
const LOCAL_TTL: u32 = 3600;
/// QR (response) and RD (recursion desired).
const FLAGS_HIGH: u8 = 0x81;
/// RA (recursion available).
const FLAGS_LOW: u8 = 0x80;
const NXDOMAIN: u8 = 3;
/// A compression pointer to the question's name.
const QUESTION_NAME: [u8; 2] = [0xc0, 12];

/// The local answer to a query, if there is one: the loopback address for `localhost` and names below it (RFC
/// 6761 Section 6.3), and the address itself if the name is the text of an address. Other types at such names
/// are NODATA.
pub(crate) fn local_answer(query: &Query) -> Option<Answer> {
    let name = query.name();
    let addresses: [IpAddr; 2] = if name.top_level()? == b"localhost" {
        [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    } else {
        [name.address()?; 2]
    };
    let address = addresses.into_iter().find(|address| type_of(address) == query.type_number());
    let message = response(query, 0, |out| {
        let address = address?;
        out.extend_from_slice(&QUESTION_NAME);
        match address {
            IpAddr::V4(v4) => put_record(TYPE_A, LOCAL_TTL, &v4.octets(), out),
            IpAddr::V6(v6) => put_record(TYPE_AAAA, LOCAL_TTL, &v6.octets(), out),
        }
        Some(Section::Answer)
    })?;
    Some(Answer::new(message, 0, Origin::new(Arc::from("local"), Transport::Local, 0, Duration::ZERO)))
}

/// The reverse zones of link-local addresses (RFC 6762), in wire form and as text.
const LINK_LOCAL_ZONES: [(&[u8], &str); 5] = [
    (b"\x03254\x03169\x07in-addr\x04arpa\x00", "254.169.in-addr.arpa"),
    (b"\x018\x01e\x01f\x03ip6\x04arpa\x00", "8.e.f.ip6.arpa"),
    (b"\x019\x01e\x01f\x03ip6\x04arpa\x00", "9.e.f.ip6.arpa"),
    (b"\x01a\x01e\x01f\x03ip6\x04arpa\x00", "a.e.f.ip6.arpa"),
    (b"\x01b\x01e\x01f\x03ip6\x04arpa\x00", "b.e.f.ip6.arpa"),
];

/// A domain whose names are not sent to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpecialUse {
    pub(crate) domain: &'static str,
    /// The names are for multicast DNS (RFC 6762), so a route may send them to the upstream of a local network.
    pub(crate) is_routable: bool,
}

/// The domain that keeps a name from being sent: `invalid` (RFC 6761 Section 6.4), `onion` (RFC 7686), `alt`
/// (RFC 9476), `local` and the reverse zones of link-local addresses (RFC 6762).
pub(crate) fn special_use(name: &QueryName) -> Option<SpecialUse> {
    let (domain, is_routable) = match name.top_level()? {
        b"invalid" => ("invalid", false),
        b"onion" => ("onion", false),
        b"alt" => ("alt", false),
        b"local" => ("local", true),
        b"arpa" => {
            let zone = |wire: &[u8]| LINK_LOCAL_ZONES.iter().find(|(zone, _)| *zone == wire);
            (iter::once(name.as_wire()).chain(name.parents()).find_map(zone)?.1, true)
        }
        _ => return None,
    };
    Some(SpecialUse { domain, is_routable })
}

/// Whether a type is only for the communication between servers, or is part of a message without being data: OPT,
/// TKEY, TSIG, IXFR, AXFR, MAILB and MAILA. ANY is a type that can be queried.
pub(crate) fn is_meta_type(number: u16) -> bool {
    matches!(number, 41 | 249..=254)
}

impl Message {
    /// Turns this NXDOMAIN into an answer to `query`, whose name is below the denied one (RFC 8020 Section
    /// 2). The new message has the SOA record, which determines the TTL. It is not authenticated, because
    /// proofs are not kept.
    pub(crate) fn denial_of(&self, query: &Query) -> Option<Self> {
        if self.outcome() != Outcome::NxDomain {
            return None;
        }
        let bytes = self.as_wire();
        let soa = self.section(Section::Authority).find(|record| record.record_type == TYPE_SOA)?;
        let data = soa.data();
        let responsible = check_name(bytes, data.start).ok()?;
        let numbers = data.end.checked_sub(SOA_NUMBERS)?;

        let mut expanded = Vec::new();
        put_name(bytes, data.start, &mut expanded);
        put_name(bytes, responsible, &mut expanded);
        expanded.extend_from_slice(&bytes[numbers..data.end]);
        response(query, NXDOMAIN, |out| {
            put_name(bytes, soa.owner, out);
            put_record(TYPE_SOA, soa.ttl, &expanded, out);
            Some(Section::Authority)
        })
    }
}

fn type_of(address: &IpAddr) -> u16 {
    if address.is_ipv4() { TYPE_A } else { TYPE_AAAA }
}

/// Builds a response to `query`, with at most one record, which `put` writes.
fn response(query: &Query, rcode: u8, put: impl FnOnce(&mut Vec<u8>) -> Option<Section>) -> Option<Message> {
    let mut out = vec![0, 0, FLAGS_HIGH, FLAGS_LOW | rcode, 0, 1];
    out.resize(HEADER, 0);
    out.extend_from_slice(query.name().as_wire());
    out.extend_from_slice(&query.type_number().to_be_bytes());
    out.extend_from_slice(&CLASS_IN.to_be_bytes());
    if let Some(section) = put(&mut out) {
        out[7 + 2 * section as usize] = 1;
    }
    Message::parse(out.into(), query).ok()
}

/// Appends a record in class IN, without its owner.
fn put_record(record_type: u16, ttl: u32, data: &[u8], out: &mut Vec<u8>) {
    let data_len = u16::try_from(data.len()).expect("two names and five numbers at most");
    out.extend_from_slice(&record_type.to_be_bytes());
    out.extend_from_slice(&CLASS_IN.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    out.extend_from_slice(&data_len.to_be_bytes());
    out.extend_from_slice(data);
}

/// Appends a name from a message, uncompressed.
fn put_name(bytes: &[u8], at: usize, out: &mut Vec<u8>) {
    for label in Labels::new(bytes, at) {
        out.push(u8::try_from(label.len()).expect("a label has at most 63 bytes"));
        out.extend_from_slice(label);
    }
    out.push(0);
}
