use super::*;
use crate::RecordType;
use crate::cache::testing::wire::{Reply, origin};
use crate::error::{Cause, ErrorKind, NotFound};
use crate::message::Query;
use crate::testkit::{epoch, ms};

const NAME: &str = "www.example";

fn answer(record_type: RecordType, addresses: &[&str]) -> Answer {
    let query = Query::new(NAME, record_type).unwrap();
    let reply = addresses.iter().fold(Reply::to(&query), |reply, address| {
        match address.parse().expect("a test's address") {
            IpAddr::V6(ipv6) => reply.record(28, 60, &ipv6.octets()),
            IpAddr::V4(ipv4) => reply.record(1, 60, &ipv4.octets()),
        }
    });
    Answer::new(reply.message(&query), 0, origin())
}

#[expect(clippy::unnecessary_wraps, reason = "the result type of a lookup")]
fn ipv6(addresses: &[&str]) -> Result<Answer, Error> {
    Ok(answer(RecordType::AAAA, addresses))
}

#[expect(clippy::unnecessary_wraps, reason = "the result type of a lookup")]
fn ipv4(addresses: &[&str]) -> Result<Answer, Error> {
    Ok(answer(RecordType::A, addresses))
}

fn failure() -> Result<Answer, Error> {
    Err(ErrorKind::Upstream(Cause::Closed).into())
}

/// All addresses available at one time, and the step after them.
fn drain(sequence: &mut Sequence, now: Instant) -> String {
    let mut all = Vec::new();
    loop {
        match sequence.next(now) {
            SequenceStep::Address(address) => all.push(address.to_string()),
            SequenceStep::Wait(until) => {
                let until = until.map_or("waits".to_owned(), |until| format!("waits {:?}", until - now));
                return [all, vec![until]].concat().join(" ");
            }
            SequenceStep::End(problem) => {
                let end = problem.map_or("ends".to_owned(), |problem| problem.to_string());
                return [all, vec![end]].concat().join(" ");
            }
        }
    }
}

#[test]
fn ipv6_addresses_do_not_wait_and_later_ipv4_ones_alternate() {
    let (mut sequence, now) = (Sequence::new(), epoch());
    assert_eq!(drain(&mut sequence, now), "waits");
    sequence.ipv6_answered(ipv6(&["2001:db8::1", "2001:db8::2", "2001:db8::3"]));
    assert!(matches!(sequence.next(now), SequenceStep::Address(IpAddr::V6(_))));
    sequence.ipv4_answered(now, ipv4(&["192.0.2.1"]));
    assert_eq!(drain(&mut sequence, now), "192.0.2.1 2001:db8::2 2001:db8::3 ends");
    assert_eq!(drain(&mut sequence, now), "ends");
}

/// Conformance 45.
#[test]
fn ipv4_addresses_wait_50_ms_for_the_ipv6_answer() {
    let (mut sequence, start) = (Sequence::new(), epoch());
    sequence.ipv4_answered(start, ipv4(&["192.0.2.1", "192.0.2.2"]));
    assert_eq!(drain(&mut sequence, start), "waits 50ms");
    assert_eq!(drain(&mut sequence, start + ms(49)), "waits 1ms");
    let mut in_time = Sequence::new();
    in_time.ipv4_answered(start, ipv4(&["192.0.2.1"]));
    in_time.ipv6_answered(ipv6(&["2001:db8::1"]));
    assert_eq!(drain(&mut in_time, start), "2001:db8::1 192.0.2.1 ends");

    assert!(matches!(sequence.next(start + ms(50)), SequenceStep::Address(IpAddr::V4(_))));
    sequence.ipv6_answered(ipv6(&["2001:db8::1"]));
    assert_eq!(drain(&mut sequence, start + ms(60)), "2001:db8::1 192.0.2.2 ends");
}

#[test]
fn ipv4_addresses_do_not_wait_if_there_are_no_ipv6_addresses() {
    for none in [ipv6(&[]), failure()] {
        let (mut sequence, now) = (Sequence::new(), epoch());
        sequence.ipv4_answered(now, ipv4(&["192.0.2.1"]));
        sequence.ipv6_answered(none);
        assert_eq!(drain(&mut sequence, now), "192.0.2.1 ends");
    }
}

#[test]
fn failure_is_reported_only_if_there_is_no_address() {
    let now = epoch();
    let mut sequence = Sequence::new();
    sequence.ipv4_answered(now, failure());
    assert_eq!(drain(&mut sequence, now + ms(50)), "waits");
    sequence.ipv6_answered(ipv6(&["2001:db8::1"]));
    assert_eq!(drain(&mut sequence, now + ms(50)), "2001:db8::1 ends");

    let mut sequence = Sequence::new();
    sequence.ipv4_answered(now, failure());
    sequence.ipv6_answered(ipv6(&[]));
    let SequenceStep::End(Some(problem)) = sequence.next(now) else { panic!("no end") };
    assert!(matches!(problem.kind(), ErrorKind::Upstream(Cause::Closed)));
    assert_eq!(drain(&mut sequence, now), "ends");

    let mut sequence = Sequence::new();
    sequence.ipv4_answered(now, ipv4(&[]));
    sequence.ipv6_answered(ipv6(&[]));
    let SequenceStep::End(Some(problem)) = sequence.next(now) else { panic!("no end") };
    assert!(matches!(problem.kind(), ErrorKind::NotFound(NotFound::NoData)));
}

/// Conformance 45.
#[test]
fn precedence_orders_addresses_and_chooses_the_first_family() {
    let now = epoch();
    let mut sequence = Sequence::new();
    let odd = ["fd00::1", "2002::1", "fec0::1", "2001::1", "2001:db8::1", "::192.0.2.9", "::1"];
    sequence.ipv6_answered(ipv6(&odd));
    sequence.ipv4_answered(now, ipv4(&[]));
    assert_eq!(drain(&mut sequence, now), "::1 2001:db8::1 2002::1 2001::1 fd00::1 fec0::1 ::c000:209 ends");

    let mut sequence = Sequence::new();
    sequence.ipv4_answered(now, ipv4(&["192.0.2.1", "192.0.2.2"]));
    sequence.ipv6_answered(ipv6(&["fd00::1", "fd00::2"]));
    assert_eq!(drain(&mut sequence, now), "192.0.2.1 fd00::1 192.0.2.2 fd00::2 ends");
}
