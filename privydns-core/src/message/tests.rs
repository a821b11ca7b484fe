//! Messages from end to end: a query encoded, a response read, an answer looked at.

use hickory_proto::op::Message as Reference;
use hickory_proto::serialize::binary::BinDecodable;

use super::*;
use crate::rr::RecordType;

/// Conformance 22: padded to 128 octets, the option last, and another implementation reads it.
#[test]
fn a_query_is_padded_and_well_formed() {
    for name in
        ["a", "www.example.com", "a-name-that-is-rather-long.with-several-labels.and-more.example.com"]
    {
        for carrier in [Carrier::Stream, Carrier::Http] {
            let query = Query::new(name, RecordType::AAAA).unwrap().dnssec_ok(true);
            let mut out = b"before".to_vec();
            encode(&query, 0x1234, carrier, &mut out);
            let encoded = &out[6..];
            assert_eq!(encoded.len() % 128, 0);
            assert_eq!(id_of(encoded), Some(0x1234));
            let message = Reference::from_bytes(encoded).unwrap();
            assert_eq!(message.queries[0].name().to_string(), format!("{name}."));
        }
    }
}
