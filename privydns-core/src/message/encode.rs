//! Encodes queries: header, question, and EDNS options.

use std::net::IpAddr;

use super::HEADER;
use super::edns::{CLIENT_SUBNET, OPTION_HEADER, PADDING, TCP_KEEPALIVE};
use super::query::{ClientSubnet, Query};
use super::wire::{CLASS_IN, TYPE_OPT};

/// The transport of a query, as far as the encoding depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// A stream of messages, as in DNS over TLS. The query asks how long the server keeps the connection open
    /// when idle (RFC 7828).
    Stream,
    /// HTTP, which has its own means for that (RFC 8484 Section 10).
    Http,
}

/// Queries are padded to a multiple of this many bytes (RFC 8467 Section 4.1).
const PADDING_BLOCK: usize = 128;
/// The UDP payload size in the OPT record. UDP is never used here, but some servers pass the value on to a
/// resolver that they query over UDP. 1232 crosses any network unfragmented, and is what most other clients
/// send.
const PAYLOAD_SIZE: u16 = 1232;
/// Bytes of an OPT record without options: root, type, class, TTL, length.
const OPT_FIXED: usize = 11;
/// Larger than any query: the longest name, all options, and a whole block of padding.
pub(super) const ENCODED_MAX: usize = 512;

const RECURSION_DESIRED: u8 = 0x01;
const AUTHENTIC_DATA: u8 = 0x20;
const CHECKING_DISABLED: u8 = 0x10;
const DNSSEC_OK: u8 = 0x80;

/// Appends the query as one message, without the length prefix of streams.
pub(crate) fn encode(query: &Query, id: u16, carrier: Carrier, out: &mut Vec<u8>) {
    let name = query.name().as_wire();
    let subnet = Subnet::of(query.client_subnet());

    let mut options = 0;
    if carrier == Carrier::Stream {
        options += OPTION_HEADER;
    }
    if let Some(subnet) = &subnet {
        options += OPTION_HEADER + subnet.as_bytes().len();
    }
    let padding = query.is_padded().then(|| {
        let unpadded = HEADER + name.len() + 4 + OPT_FIXED + options + OPTION_HEADER;
        unpadded.next_multiple_of(PADDING_BLOCK) - unpadded
    });
    options += padding.map_or(0, |padding| OPTION_HEADER + padding);

    let [id_high, id_low] = id.to_be_bytes();
    let mut flags = 0;
    if query.asks_for_authentication() {
        flags |= AUTHENTIC_DATA;
    }
    if query.is_checking_disabled() {
        flags |= CHECKING_DISABLED;
    }
    out.reserve(ENCODED_MAX);
    out.extend_from_slice(&[id_high, id_low, RECURSION_DESIRED, flags, 0, 1, 0, 0, 0, 0, 0, 1]);
    out.extend_from_slice(name);
    out.extend_from_slice(&query.type_number().to_be_bytes());
    out.extend_from_slice(&CLASS_IN.to_be_bytes());

    let dnssec_ok = if query.is_dnssec_ok() { DNSSEC_OK } else { 0 };
    out.push(0);
    out.extend_from_slice(&TYPE_OPT.to_be_bytes());
    out.extend_from_slice(&PAYLOAD_SIZE.to_be_bytes());
    out.extend_from_slice(&[0, 0, dnssec_ok, 0]);
    out.extend_from_slice(&length(options));
    if carrier == Carrier::Stream {
        put_option_header(TCP_KEEPALIVE, 0, out);
    }
    if let Some(subnet) = &subnet {
        put_option_header(CLIENT_SUBNET, subnet.as_bytes().len(), out);
        out.extend_from_slice(subnet.as_bytes());
    }
    if let Some(padding) = padding {
        put_option_header(PADDING, padding, out);
        out.resize(out.len() + padding, 0);
    }
}

fn put_option_header(code: u16, bytes: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(&length(bytes));
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "all options of a query together take less than ENCODED_MAX"
)]
fn length(bytes: usize) -> [u8; 2] {
    (bytes as u16).to_be_bytes()
}

/// The data of a client subnet option (RFC 7871 Section 6): family, source prefix, scope prefix, and as many
/// bytes of the address as the prefix needs.
struct Subnet {
    bytes: [u8; 4 + 16],
    len: usize,
}

impl Subnet {
    fn of(subnet: ClientSubnet) -> Option<Self> {
        let mut bytes = [0; 20];
        let address = match subnet {
            ClientSubnet::Off => return None,
            // With length 0 the family has no meaning, but some servers reject unassigned families.
            ClientSubnet::Withheld => {
                bytes[1] = 1;
                0
            }
            ClientSubnet::Prefix { address, length } => {
                match address {
                    IpAddr::V4(v4) => {
                        bytes[1] = 1;
                        bytes[4..8].copy_from_slice(&v4.octets());
                    }
                    IpAddr::V6(v6) => {
                        bytes[1] = 2;
                        bytes[4..].copy_from_slice(&v6.octets());
                    }
                }
                bytes[2] = length;
                usize::from(length).div_ceil(8)
            }
        };
        Some(Self { bytes, len: 4 + address })
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
