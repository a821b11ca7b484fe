//! Encoded queries, decoded by hickory-proto.

use hickory_proto::op::{Message as Reference, OpCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::serialize::binary::BinDecodable;

use super::*;
use crate::DNSClass;

const NAMES: [&str; 4] = [
    ".",
    "a",
    "www.example.com",
    "a-name-that-is-rather-long.with-several-labels.and-more.that-takes-it-over-a-block.of-padding.example.com",
];

fn encoded(query: &Query, carrier: Carrier) -> Vec<u8> {
    let mut out = Vec::new();
    encode(query, 0x1234, carrier, &mut out);
    out
}

fn options(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let opt = wire::skim(bytes).find(|record| record.record_type == wire::TYPE_OPT).unwrap();
    edns::Options::of(&bytes[opt.data()]).map(|(code, data)| (code, data.to_vec())).collect()
}

/// Conformance 22.
#[test]
fn queries_are_padded_to_128_bytes_with_the_option_last() {
    let subnets = [
        ClientSubnet::Off,
        ClientSubnet::Withheld,
        ClientSubnet::Prefix { address: "2001:db8::".parse().unwrap(), length: 56 },
    ];
    for name in NAMES {
        for subnet in subnets {
            for carrier in [Carrier::Stream, Carrier::Http] {
                let query = query(name, RecordType::AAAA).with_client_subnet(subnet);
                let bytes = encoded(&query, carrier);
                assert_eq!(bytes.len() % 128, 0);
                let (code, padding) = options(&bytes).pop().unwrap();
                assert_eq!(code, 12);
                assert!(padding.len() < 128 && padding.iter().all(|&byte| byte == 0));

                let unpadded = encoded(&query.padding(false), carrier);
                assert!(options(&unpadded).iter().all(|(code, _)| *code != 12));
                assert_eq!(unpadded.len() + 4 + padding.len(), bytes.len());
            }
        }
    }
}

/// Names of every length are padded, including a name that fills a block exactly and the next longer one.
#[test]
fn padding_fills_the_block_for_every_name_length() {
    let mut lengths = Vec::new();
    for length in 1..=200 {
        let name = format!("{}.example", vec!["a"; length].join("."));
        if let Ok(query) = Query::new(&name, RecordType::A) {
            lengths.push(encoded(&query, Carrier::Http).len());
        }
    }
    assert!(lengths.iter().all(|length| length % 128 == 0));
    assert_eq!((lengths[0], lengths.last()), (128, Some(&384)));
}

#[test]
fn another_implementation_decodes_the_query() {
    for name in NAMES {
        let bytes = encoded(&query(name, RecordType::from(65280)).dnssec_ok(true), Carrier::Stream);
        let message = Reference::from_bytes(&bytes).unwrap();
        assert_eq!((message.id, message.op_code), (0x1234, OpCode::Query));
        assert!(message.recursion_desired && message.authentic_data && !message.checking_disabled);
        assert!(!message.truncation && !message.authoritative && !message.recursion_available);

        let [question] = &message.queries[..] else { panic!("{message}") };
        assert_eq!(question.name(), &QueryName::parse(name).unwrap().to_name());
        assert_eq!(
            (question.query_type(), question.query_class()),
            (RecordType::Unknown(65280), DNSClass::IN)
        );

        let edns = message.edns.as_ref().unwrap();
        assert_eq!((edns.max_payload(), edns.version(), edns.flags().dnssec_ok), (1232, 0, true));
        assert!(
            message.answers.is_empty() && message.authorities.is_empty() && message.additionals.is_empty()
        );
    }
}

/// Conformance 41: a query with CD does not request the result of validation.
#[test]
fn flags_match_the_query() {
    let bits = |query: &Query| {
        let bytes = encoded(query, Carrier::Http);
        let message = Reference::from_bytes(&bytes).unwrap();
        let dnssec_ok = message.edns.as_ref().unwrap().flags().dnssec_ok;
        (message.authentic_data, message.checking_disabled, dnssec_ok)
    };
    let query = query("example.com", RecordType::A);
    assert_eq!(bits(&query), (true, false, false));
    assert_eq!(bits(&query.clone().dnssec_ok(true)), (true, false, true));
    assert_eq!(bits(&query.clone().checking_disabled(true)), (false, true, false));
    assert_eq!(bits(&query.checking_disabled(true).dnssec_ok(true)), (false, true, true));
}

/// Conformance 10: the client's keepalive option is empty, and is not sent over HTTP.
#[test]
fn keepalive_is_requested_on_streams_only() {
    let query = query("example.com", RecordType::A).padding(false);
    assert_eq!(options(&encoded(&query, Carrier::Stream)), [(11, vec![])]);
    assert_eq!(options(&encoded(&query, Carrier::Http)), []);
}

/// Conformance 23, and RFC 7871 Section 6: as many bytes as the prefix needs, with zero bits after the
/// prefix.
#[test]
fn client_subnet_is_sent_up_to_the_prefix_length() {
    let prefix = |address: &str, length| ClientSubnet::Prefix { address: address.parse().unwrap(), length };
    let rows: [(ClientSubnet, &[u8]); 9] = [
        (ClientSubnet::Withheld, &[0, 1, 0, 0]),
        (prefix("192.0.2.255", 24), &[0, 1, 24, 0, 192, 0, 2]),
        (prefix("192.0.2.255", 25), &[0, 1, 25, 0, 192, 0, 2, 128]),
        (prefix("192.0.2.255", 0), &[0, 1, 0, 0]),
        (prefix("192.0.2.255", 32), &[0, 1, 32, 0, 192, 0, 2, 255]),
        (prefix("192.0.2.255", 200), &[0, 1, 32, 0, 192, 0, 2, 255]),
        (prefix("2001:db8:ffff::", 33), &[0, 2, 33, 0, 0x20, 0x01, 0x0d, 0xb8, 0x80]),
        (prefix("2001:db8::1", 0), &[0, 2, 0, 0]),
        (prefix("::1", 255), &[0, 2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ];
    let query = query("example.com", RecordType::A);
    for (subnet, data) in rows {
        let bytes = encoded(&query.clone().with_client_subnet(subnet), Carrier::Http);
        assert_eq!(options(&bytes)[0], (8, data.to_vec()), "{subnet:?}");
        let message = Reference::from_bytes(&bytes).unwrap();
        let option = message.edns.as_ref().unwrap().option(EdnsCode::Subnet);
        assert!(matches!(option, Some(EdnsOption::Subnet(_))));
    }
    assert_eq!(options(&encoded(&query, Carrier::Http)).len(), 1);
    let same = query.clone().with_client_subnet(prefix("192.0.2.1", 24));
    assert_eq!(same, query.with_client_subnet(prefix("192.0.2.2", 24)));
}

#[test]
fn encoding_appends_within_the_reserved_capacity() {
    let query = query("example.com", RecordType::A);
    let mut out = b"before".to_vec();
    encode(&query, 7, Carrier::Http, &mut out);
    let (before, message) = out.split_at(6);
    assert_eq!(before, b"before");
    assert_eq!((id_of(message), message.len()), (Some(7), 128));

    let mut alone = Vec::with_capacity(encode::ENCODED_MAX);
    let longest = QueryName::from_labels(vec![&[b'x'; 1][..]; 127]).unwrap();
    let subnet = ClientSubnet::Prefix { address: "::1".parse().unwrap(), length: 128 };
    let query = Query::for_name(longest, RecordType::A).with_client_subnet(subnet);
    encode(&query, 7, Carrier::Stream, &mut alone);
    assert!(alone.len() <= encode::ENCODED_MAX, "{}", alone.len());
}

#[test]
fn query_returns_its_settings() {
    use crate::upstream::Protocol;

    let plain = query("example.com", RecordType::from(28));
    assert_eq!((plain.record_type(), plain.type_number()), (RecordType::AAAA, 28));
    assert_eq!((plain.protocol(), plain.timeout(), plain.cache_use()), (None, None, CacheUse::Normal));
    assert!(plain.is_padded() && !plain.is_dnssec_ok() && !plain.is_checking_disabled());

    let timeout = Duration::from_secs(2);
    let chosen =
        plain.clone().with_protocol(Protocol::MutualTls).with_timeout(timeout).with_cache_use(CacheUse::Only);
    assert_eq!(chosen.protocol(), Some(Protocol::MutualTls));
    assert_eq!((chosen.timeout(), chosen.cache_use()), (Some(timeout), CacheUse::Only));
    assert_ne!(plain, chosen);
}
