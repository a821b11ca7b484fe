use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, RecordType};

use super::edns::{KEEPALIVE, PADDING};
use super::{Manner, Padding, Zone, many_address};

/// A query for `name` with an OPT record that contains these options.
fn query(name: &str, record_type: RecordType, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01".to_vec();
    for label in name.trim_end_matches('.').split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.as_bytes());
    }
    query.push(0);
    query.extend(u16::from(record_type).to_be_bytes());
    query.extend([0, 1]);
    let options: Vec<u8> = options
        .iter()
        .flat_map(|(code, data)| {
            let length = u16::try_from(data.len()).unwrap();
            [&code.to_be_bytes(), &length.to_be_bytes(), *data].concat()
        })
        .collect();
    query.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0]);
    query.extend(u16::try_from(options.len()).unwrap().to_be_bytes());
    query.extend(options);
    query
}

fn ask(name: &str, record_type: RecordType) -> Message {
    let answer = Zone::example().answer(&query(name, record_type, &[]), &Manner::default());
    Message::from_vec(&answer).unwrap()
}

fn types(message: &Message) -> Vec<RecordType> {
    message.answers.iter().map(hickory_proto::rr::Record::record_type).collect()
}

#[test]
fn names_of_the_documented_table_have_those_records() {
    use RecordType as T;
    for (name, record_type, expected) in [
        ("example.test", T::A, &[T::A][..]),
        ("example.test", T::NS, &[T::NS]),
        ("example.test", T::MX, &[T::MX, T::MX, T::MX]),
        ("example.test", T::TXT, &[T::TXT]),
        ("example.test", T::CAA, &[T::CAA]),
        ("example.test", T::HTTPS, &[T::HTTPS]),
        ("svc.example.test", T::HTTPS, &[T::HTTPS]),
        ("www.example.test", T::AAAA, &[T::AAAA]),
        ("multi.example.test", T::A, &[T::A; 8]),
        ("alias.example.test", T::A, &[T::CNAME, T::A]),
        ("chain.example.test", T::AAAA, &[T::CNAME, T::CNAME, T::CNAME, T::CNAME, T::AAAA]),
        ("loop.example.test", T::A, &[T::CNAME, T::CNAME]),
        ("outside.example.test", T::A, &[T::CNAME]),
        ("alias.example.test", T::CNAME, &[T::CNAME]),
        ("_sip._tcp.example.test", T::SRV, &[T::SRV; 4]),
        ("any.wild.example.test", T::A, &[T::A]),
        ("deep.any.wild.example.test", T::TXT, &[T::TXT]),
        ("17.many.example.test", T::A, &[T::A]),
        ("1.2.0.192.in-addr.arpa", T::PTR, &[T::PTR]),
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", T::PTR, &[T::PTR]),
    ] {
        let message = ask(name, record_type);
        assert_eq!(types(&message), expected, "{name} {record_type}");
        assert_eq!(message.metadata.response_code, ResponseCode::NoError, "{name}");
        assert!(message.authorities.is_empty(), "{name}");
    }
}

#[test]
fn negative_answers_contain_the_soa() {
    for (name, record_type, code, answers) in [
        ("v4only.example.test", RecordType::AAAA, ResponseCode::NoError, 0),
        ("_tcp.example.test", RecordType::A, ResponseCode::NoError, 0),
        ("any.wild.example.test", RecordType::MX, ResponseCode::NoError, 0),
        ("nowhere.example.test", RecordType::A, ResponseCode::NXDomain, 0),
        ("below.www.example.test", RecordType::A, ResponseCode::NXDomain, 0),
        ("dangling.example.test", RecordType::A, ResponseCode::NXDomain, 1),
        ("9.2.0.192.in-addr.arpa", RecordType::PTR, ResponseCode::NXDomain, 0),
    ] {
        let message = ask(name, record_type);
        assert_eq!(message.metadata.response_code, code, "{name}");
        assert_eq!(message.answers.len(), answers, "{name}");
        let RData::SOA(soa) = &message.authorities[0].data else { panic!("{name}: no SOA") };
        assert_eq!(soa.minimum, 60);
    }
}

#[test]
fn failure_names_answer_with_their_code() {
    for (name, code) in [
        ("servfail.example.test", ResponseCode::ServFail),
        ("refused.example.test", ResponseCode::Refused),
        ("notimp.example.test", ResponseCode::NotImp),
        ("formerr.example.test", ResponseCode::FormErr),
        ("www.elsewhere.test", ResponseCode::Refused),
    ] {
        assert_eq!(ask(name, RecordType::A).metadata.response_code, code, "{name}");
    }
    let servfail =
        Zone::example().answer(&query("servfail.example.test", RecordType::A, &[]), &Manner::default());
    assert!(servfail.ends_with(b"\0\x16no authority could be reached"));
}

#[test]
fn long_answers_have_the_documented_length() {
    let length = |name| Zone::example().answer(&query(name, RecordType::TXT, &[]), &Manner::default()).len();
    assert!((4096..6000).contains(&length("big.example.test")), "{}", length("big.example.test"));
    assert!((60_000..65_000).contains(&length("huge.example.test")), "{}", length("huge.example.test"));
}

#[test]
fn answer_keeps_the_case_of_the_question() {
    let query = query("wWw.eXample.TEST", RecordType::A, &[]);
    let answer = Zone::example().answer(&query, &Manner::default());
    assert_eq!(answer[12..34], query[12..34]);
    assert_eq!(types(&Message::from_vec(&answer).unwrap()), [RecordType::A]);
}

#[test]
fn same_query_gets_the_same_answer() {
    for name in ["www.example.test", "huge.example.test", "7.many.example.test"] {
        let query = query(name, RecordType::TXT, &[]);
        let [one, two] = [(); 2].map(|()| Zone::example().answer(&query, &Manner::default()));
        assert_eq!(one, two, "{name}");
    }
}

#[test]
fn generated_names_have_the_addresses_of_many_address() {
    let message = ask("x.y.Many.example.test", RecordType::A);
    assert_eq!(message.answers[0].data, RData::A(many_address("X.Y.many.example.test.").into()));
    assert_eq!(message.answers[0].ttl, 300);
    assert_eq!(types(&ask("x.many.example.test", RecordType::TXT)), [RecordType::TXT]);
}

#[test]
fn ad_flag_is_set_if_the_query_asks_for_it() {
    let mut asked = query("secure.example.test", RecordType::A, &[]);
    let is_authentic = |query: &[u8]| Zone::example().answer(query, &Manner::default())[3] & 0b0010_0000 != 0;
    assert!(!is_authentic(&asked));
    asked[3] |= 0b0010_0000;
    assert!(is_authentic(&asked));
}

/// RFC 7830 Section 4 and RFC 8467 Section 4.1, for answers encoded with hickory-proto and by hand.
#[test]
fn answers_are_padded_as_configured() {
    for name in ["www.example.test", "7.many.example.test", "servfail.example.test"] {
        let [plain, padded] =
            [&[][..], &[(PADDING, &b"\0\0"[..])]].map(|options| query(name, RecordType::A, options));
        let length = |query: &[u8], padding| {
            Zone::example().answer(query, &Manner { padding, ..Manner::default() }).len()
        };
        assert_eq!(length(&padded, Padding::IfAsked), 468, "{name}");
        assert_eq!(length(&plain, Padding::Always), 468, "{name}");
        assert!(length(&plain, Padding::IfAsked) < 200, "{name}");
        assert!(length(&padded, Padding::Never) < 200, "{name}");
    }
}

/// RFC 7828 Section 3.2.2: the option is sent only to clients that send it.
#[test]
fn keepalive_is_in_tenths_of_seconds_and_only_if_asked() {
    let manner = Manner { keepalive: Some(Duration::from_millis(2500)), padding: Padding::Never };
    let asked = query("www.example.test", RecordType::A, &[(KEEPALIVE, b"")]);
    assert!(Zone::example().answer(&asked, &manner).ends_with(&[0, 11, 0, 2, 0, 25]));
    let unasked = query("www.example.test", RecordType::A, &[]);
    assert!(Zone::example().answer(&unasked, &manner).ends_with(&[0, 0]));
}

#[test]
fn bytes_that_are_no_query_get_formerr() {
    for bytes in [&b""[..], b"\x12", b"\x12\x34\x01\0\0\x02\0\0\0\0\0\0", b"garbage garbage garbage"] {
        let answer = Zone::example().answer(bytes, &Manner::default());
        assert_eq!(answer.len(), 12);
        assert_eq!(answer[3] & 0b1111, 1);
    }
}
