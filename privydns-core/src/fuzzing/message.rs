//! Fuzz target: DNS messages, up to the answer for the caller and the cache.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::Message as Reference;
use hickory_proto::rr::RecordType;

use super::source::Source;
use crate::cache::{Cache, CacheSettings, Found, UpstreamSet};
use crate::message::{Answer, Lifetime, MAX_MESSAGE, Message, Origin, Outcome, Query, Transport};
use crate::message::{check_response, keepalive_of};
use crate::testkit::epoch;

const NAMES: [&str; 4] = ["www.example.com", "example", ".", "a\\.b.xn--9ca.example"];
const UPSTREAMS: UpstreamSet = UpstreamSet(1);
const MAX_POSITIVE: u32 = 604_800;
const MAX_NEGATIVE: u32 = 10_800;
/// Longer messages are not compared with hickory-proto, which can take a long time to parse them.
const MOST_COMPARED: usize = 1024;

/// The input is a resolver's response to one query.
pub fn message(input: &[u8]) {
    let mut source = Source::new(input);
    let (query, bytes, age) = read(&mut source);
    let checked = check_response(&bytes, &query);
    let parsed = Message::parse(Arc::from(&*bytes), &query);
    if checked.is_err() {
        assert_eq!(parsed.err(), checked.err(), "parsing rejects the same messages as check_response");
        return;
    }
    let Ok(message) = parsed else { return };
    assert!(bytes.len() <= MAX_MESSAGE && bytes.starts_with(message.as_wire()));
    assert_eq!(
        message.keepalive(),
        keepalive_of(message.as_wire()),
        "keepalive_of agrees with the parsed message"
    );
    let again =
        Message::parse(message.as_wire().into(), &query).expect("a message without what came after it");
    assert_eq!(format!("{again:?}"), format!("{message:?}"));

    let answer = Answer::new(message.clone(), age, origin());
    look_at(&answer);
    survives_its_wire_form(&answer, &query);
    survives_without_opt(&message, &query);
    if bytes.len() <= MOST_COMPARED {
        compare(&message);
    }
    keep(&message, &query, age);
}

/// The query, the received bytes, and their age.
fn read(source: &mut Source<'_>) -> (Query, Vec<u8>, u32) {
    let flags = source.byte();
    let record_type = RecordType::from(source.word());
    let query = Query::new(NAMES[usize::from(flags & 3)], record_type)
        .expect("a name")
        .dnssec_ok(flags & 4 != 0)
        .checking_disabled(flags & 8 != 0);
    let age = u32::from(source.byte());
    if flags & 0x10 == 0 {
        return (query, source.rest().to_vec(), age);
    }
    // Valid header and question, so that the rest of the message is tested.
    let (flags, counts) = (source.word(), [source.byte(), source.byte(), source.byte()]);
    let mut bytes = vec![0, 0];
    bytes.extend((flags | 0x8000).to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(counts.into_iter().flat_map(|count| [0, count]));
    bytes.extend(query.name().as_wire());
    bytes.extend(query.type_number().to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(source.rest());
    (query, bytes, age)
}

/// Calls every accessor of an answer; iterators must end.
fn look_at(answer: &Answer) {
    let mut least = None;
    for record in answer.records() {
        assert!(!record.to_string().chars().any(char::is_control), "no control characters in text");
        least = Some(record.ttl().min(least.unwrap_or(u32::MAX)));
    }
    if answer.outcome() == Outcome::Records {
        assert_eq!(answer.ttl(), least, "the TTL is that of the shortest-lived record");
    }
    assert!(answer.records().count() <= answer.answers().count());
    assert!(answer.addresses().count() <= answer.records().count());
    // Typed values are read or rejected.
    let _ = (answer.mx(), answer.srv(), answer.https(), answer.svcb(), answer.txt(), answer.caa());
    for record in answer.answers().chain(answer.authorities()).chain(answer.additionals()) {
        // hickory-proto decodes the data or rejects it; both return.
        let _ = record.data();
        assert!(format!("{record:?}").len() < 8 * MAX_MESSAGE);
        assert!(!record.name().to_ascii().is_empty());
        assert_ne!(record.record_type(), RecordType::OPT);
    }
    for error in answer.extended_errors() {
        assert!(!error.text.chars().any(char::is_control));
    }
    assert!(answer.canonical_name().len() <= 255);
    assert_eq!(answer.not_found().is_some(), matches!(answer.outcome(), Outcome::NoData | Outcome::NxDomain));
}

/// The wire form of an answer is the same answer, with the same age.
fn survives_its_wire_form(answer: &Answer, query: &Query) {
    let wire = answer.to_wire();
    if wire == answer.message().as_wire() {
        return;
    }
    let again = Message::parse(wire.into(), query).expect("what was written is a message");
    let again = Answer::new(again, 0, origin());
    assert_eq!((again.outcome(), again.rcode()), (answer.outcome(), answer.rcode()));
    assert_eq!(again.records().count(), answer.records().count());
    if answer.outcome() == Outcome::Records {
        assert_eq!(again.ttl(), answer.ttl());
    }
    assert_eq!(again.to_wire(), answer.to_wire(), "writing the parsed answer again gives the same bytes");
}

/// The cached form is the same answer, except for the OPT record.
fn survives_without_opt(message: &Message, query: &Query) {
    let kept = message.without_opt();
    assert_eq!(kept.extended_errors(), []);
    assert_eq!((kept.outcome(), kept.rcode()), (message.outcome(), message.rcode()));
    let again = Message::parse(kept.as_wire().into(), query);
    if u16::from(message.rcode()) < 16 {
        assert_eq!(again, Ok(kept));
    }
}

/// If hickory-proto accepts the message too, it has the same records.
fn compare(message: &Message) {
    let Ok(reference) = Reference::from_vec(message.as_wire()) else { return };
    let answer = Answer::new(message.clone(), 0, origin());
    let sections = [
        (answer.answers(), &reference.answers),
        (answer.authorities(), &reference.authorities),
        (answer.additionals(), &reference.additionals),
    ];
    for (ours, theirs) in sections {
        // hickory-proto moves signatures out of their section.
        let is_record = |record_type: RecordType| !matches!(record_type, RecordType::TSIG | RecordType::SIG);
        let ours = ours.filter(|record| is_record(record.record_type()));
        let ours: Vec<_> = ours.map(|r| (r.name(), r.record_type(), r.class(), r.ttl())).collect();
        let theirs = theirs.iter().filter(|record| is_record(record.record_type()));
        let theirs: Vec<_> = theirs
            .map(|r| (r.name.clone(), r.record_type(), r.dns_class, r.ttl.min(i32::MAX as u32)))
            .collect();
        assert_eq!(ours, theirs);
    }
}

/// The cache keeps the message for its lifetime and no longer.
fn keep(message: &Message, query: &Query, age: u32) {
    let now = epoch();
    let cache = Cache::new(&CacheSettings::default().max_entries(16), *b"a secret of ours");
    let query_key = cache.query_key(query, UPSTREAMS);
    cache.insert(now, query, query_key, message, age, &origin());
    let lifetime = match message.lifetime() {
        Lifetime::Positive(ttl) => ttl.min(MAX_POSITIVE),
        Lifetime::Negative(ttl) => ttl.min(MAX_NEGATIVE),
        Lifetime::None => 0,
    };
    let left = lifetime.saturating_sub(age);
    let after = |seconds: u32| cache.lookup(now + Duration::from_secs(seconds.into()), query, query_key);
    if left == 0 {
        assert!(matches!(after(0), Found::Miss), "an expired answer is not kept");
        return;
    }
    for seconds in [0, left / 2, left - 1] {
        let Found::Fresh(answer) = after(seconds) else {
            panic!("lifetime {left} s, but missing after {seconds} s")
        };
        assert_eq!(answer.outcome(), message.outcome());
        assert_eq!(answer.ttl(), Some(left - seconds), "the TTL is the remaining lifetime");
        assert!(answer.is_cached() && !answer.is_stale());
    }
    assert!(matches!(after(left), Found::Miss), "kept longer than the lifetime");
}

fn origin() -> Origin {
    Origin::new(Arc::from("fuzz"), Transport::Tls, 1, Duration::ZERO)
}
