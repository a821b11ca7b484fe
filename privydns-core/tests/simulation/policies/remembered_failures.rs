//! Remembered failures: names that an upstream failed to resolve are not queried again at once (RFC 9520).

use std::time::Duration;

use privydns_core::engine::Input;
use privydns_core::{CacheUse, Cause, Config, Error, ErrorKind, Query, RecordType, ResponseCode, Stage};

use super::asked;
use crate::world::wire::{REFUSED, Reply, SERVFAIL};
use crate::world::{ADDRESS, Done, World, ms, query, s, upstream};

/// One upstream that fails every query.
fn broken(count: u8) -> World {
    let mut world = World::with_upstreams(count);
    for index in 0..count {
        let text = "no reachable authority";
        world
            .host(index)
            .replies(move |question| Reply::to(question).rcode(SERVFAIL).extended_error(22, text));
    }
    world
}

fn is_servfail(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Upstream(Cause::Rcode(rcode)) if rcode.code == ResponseCode::ServFail)
}

fn failed(done: Done) -> (Duration, Error) {
    (done.took, done.error())
}

#[test]
fn failure_is_remembered_for_one_second() {
    let mut world = broken(1);
    let (_, first) = failed(world.resolve("example.com"));
    world.run_for(ms(999));
    let (took, second) = failed(world.resolve("example.com"));
    assert_eq!(took, Duration::ZERO);
    assert_eq!(second.kind().to_string(), first.kind().to_string(), "with what the upstream said about it");
    assert_eq!(second.attempts()[0].stage, Stage::Remembered);
    assert_eq!((asked(&mut world, 1), world.shared.stats().upstreams[0].remembered), (vec![1], 1));
    world.run_for(ms(1));
    let (took, third) = failed(world.resolve("example.com"));
    assert!(is_servfail(&third));
    assert_eq!((took, asked(&mut world, 1)), (ms(20), vec![2]));
}

/// Conformance 39.
#[test]
fn repeated_failure_is_remembered_up_to_five_minutes() {
    let mut world = broken(1);
    while world.now() < s(3600) {
        world.resolve("example.com").error();
        world.run_for(ms(200));
    }
    let times = world.host(0).asked.iter().map(|ask| ask.at).collect::<Vec<_>>();
    let pauses = times.windows(2).map(|pair| (pair[1].saturating_sub(pair[0])).as_secs()).collect::<Vec<_>>();
    assert_eq!(pauses[..9], [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert!(pauses[9..].iter().all(|pause| (300..=301).contains(pause)), "{pauses:?}");
}

#[test]
fn failure_is_remembered_per_upstream() {
    let mut world = broken(2);
    world.host(1).replies(|question| Reply::to(question).record(0, &ADDRESS));
    assert_eq!(world.resolve("example.com").answer().upstream(), "up1");
    // A TTL of 0 keeps the answer out of the cache.
    for _ in 0..5 {
        let done = world.resolve("example.com");
        assert_eq!((done.took, done.answer().upstream().to_owned()), (ms(20), "up1".to_owned()));
    }
    assert_eq!(asked(&mut world, 2), [1, 6]);
}

#[test]
fn failure_is_remembered_per_question() {
    let mut world = broken(1);
    world.resolve("example.com").error();
    for other in [
        Query::new("www.example.com", RecordType::A).expect("a name"),
        Query::new("example.com", RecordType::AAAA).expect("a name"),
        query("example.com").dnssec_ok(true),
        query("example.com").checking_disabled(true),
        query("example.com").with_cache_use(CacheUse::Bypass),
    ] {
        let id = world.ask(&other);
        assert_eq!(world.finish(id).took, ms(20), "{other:?}");
    }
}

#[test]
fn answer_ends_a_remembered_failure() {
    let mut world = broken(1);
    for _ in 0..3 {
        world.resolve("example.com").error();
        world.run_for(s(4));
    }
    world.host(0).replies(|question| Reply::to(question).record(0, &ADDRESS));
    world.run_for(s(4));
    world.resolve("example.com").answer();
    world.host(0).replies(|question| Reply::to(question).rcode(REFUSED));
    world.resolve("example.com").error();
    world.run_for(s(1));
    assert_eq!(world.resolve("example.com").took, ms(20), "the next failure is the first again");
}

#[test]
fn forget_and_network_change_clear_remembered_failures() {
    for forget in [
        (|world| world.shared.cache().clear()) as fn(&mut World),
        |world| world.shared.forget(&query("example.com")),
        |world| {
            world.tell(Input::NetworkChanged);
            world.run_for(ms(1));
        },
    ] {
        let mut world = broken(1);
        world.resolve("example.com").error();
        assert_eq!(world.resolve("example.com").took, Duration::ZERO);
        forget(&mut world);
        world.resolve("example.com").error();
        assert_eq!(asked(&mut world, 1), [2]);
    }
}

#[test]
fn connect_failures_are_not_remembered_for_names() {
    let mut world = World::new(Config::builder().upstream(upstream(0)));
    world.host(0).accepts(crate::world::Accepts::Nothing);
    world.resolve("example.com").error();
    world.host(0).accepts(crate::world::Accepts::Everything);
    world.resolve("example.com").answer();
}
