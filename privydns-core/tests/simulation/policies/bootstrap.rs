//! Upstreams known by name, resolved through other upstreams.

use std::net::SocketAddr;
use std::time::Duration;

use privydns_core::{Cause, Config, ErrorKind, Stage, Upstream};

use crate::world::wire::{A, AAAA, Question, Reply, SERVFAIL};
use crate::world::{ADDRESS, AT_ONCE, Accepts, Act, Host, World, address, ms, query, s, upstream};

const TTL: u32 = 60;

/// The upstream `up0` of the other tests, without its address.
fn named() -> Upstream {
    Upstream::tls("dns0.example").expect("an upstream").with_label("up0")
}

/// `up0` known by name, and `up1` with an address.
fn world() -> World {
    let mut world = World::new(Config::builder().upstream(named()).upstream(upstream(1)));
    world.host(1).replies(reply);
    world
}

fn reply(question: &Question) -> Reply {
    match (&*question.name, question.record_type) {
        ("dns0.example.", A) => Reply::to(question).record(TTL, &[192, 0, 2, 0]),
        ("dns0.example.", _) => Reply::to(question).soa(TTL, 1),
        _ => Reply::to(question).record(300, &ADDRESS),
    }
}

/// The number of queries for the upstream's name.
fn questions(host: &Host) -> usize {
    host.asked.iter().filter(|ask| ask.question.name == "dns0.example.").count()
}

#[test]
fn upstream_known_by_name_is_resolved_by_another() {
    let mut world = world();
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 60), "a connection and a query to each");
    assert_eq!(done.answer().upstream(), "up0");
    let mut types = world.host(1).asked.iter().map(|ask| ask.question.record_type).collect::<Vec<_>>();
    types.sort_unstable();
    assert_eq!(types, [1, 28], "its addresses, and nothing else");
    assert_eq!(world.host(0).asked.len(), 1);
}

#[test]
fn upstream_addresses_are_kept_for_their_ttl() {
    let mut world = world();
    world.resolve("first.example").answer();
    for number in 0..3 {
        // Longer than the idle timeout, so that each lookup dials.
        world.run_for(s(15));
        let done = world.resolve(&format!("host{number}.example"));
        assert_eq!(done.took, ms(60));
        assert_eq!(done.answer().upstream(), "up0");
    }
    assert_eq!((questions(world.host(1)), world.host(0).dialled.len()), (2, 4));
    world.run_for(s(20));
    assert_eq!(world.resolve("last.example").took, ms(60 + 60));
    assert_eq!(questions(world.host(1)), 4);
}

#[test]
fn moved_server_is_found_at_its_new_address() {
    let mut world = world();
    world.resolve("first.example").answer();
    world.run_for(s(100));
    world.host(0).accepts(Accepts::Silently);
    world.host(1).replies(|question| match (&*question.name, question.record_type) {
        ("dns0.example.", A) => Reply::to(question).record(TTL, &[192, 0, 2, 9]),
        _ => reply(question),
    });
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(60 + 60));
    assert_eq!(done.answer().upstream(), "up0");
    assert_eq!((world.host(0).dialled.len(), world.host(9).dialled.len()), (1, 1));
}

/// The certificate shows whether an old address is still right.
#[test]
fn unresolved_name_uses_its_last_address_after_250_ms() {
    let mut world = world();
    world.resolve("first.example").answer();
    world.run_for(s(100));
    world.host(1).accepts(Accepts::Silently);
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(250 + 60));
    assert_eq!(done.answer().upstream(), "up0");
}

#[test]
fn failed_bootstrap_uses_the_last_address_at_once() {
    let mut world = world();
    world.resolve("first.example").answer();
    world.run_for(s(100));
    world.host(1).replies(|question| Reply::to(question).rcode(SERVFAIL));
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(60 + 60));
    assert_eq!(done.answer().upstream(), "up0");
}

#[test]
fn late_address_family_joins_the_race() {
    let mut world = world();
    let v6 = "[2001:db8::1]:853".parse().expect("an address");
    world.host(0).accepts(Accepts::Silently);
    world.host(1).serves(|ask| match (&*ask.question.name, ask.question.record_type) {
        ("dns0.example.", AAAA) => {
            let octets = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            vec![Act::Send(ms(100), Reply::to(&ask.question).record(TTL, &octets).octets())]
        }
        _ => vec![Act::Send(AT_ONCE, reply(&ask.question).octets())],
    });
    let done = world.resolve("example.com");
    // The IPv4 address is known at 60 ms and fails; the IPv6 address is known at 160 ms and joins 250 ms later.
    assert_eq!(done.at, ms(60 + 100 + 250 + 60));
    assert_eq!(done.answer().upstream(), "up0");
    assert_eq!(world.host(0).dialled, [ms(60)]);
    assert_eq!(world.network.host(v6).dialled, [ms(60 + 100 + 250)]);
}

#[test]
fn unresolvable_upstream_is_skipped() {
    let mut world = world();
    world.host(1).replies(|question| match &*question.name {
        "dns0.example." => Reply::to(question).rcode(SERVFAIL),
        _ => Reply::to(question).record(300, &ADDRESS),
    });
    let done = world.resolve("first.example");
    assert_eq!(done.at, ms(60 + 20));
    assert_eq!(done.answer().upstream(), "up1");
    assert_eq!(world.resolve("second.example").took, ms(20));
}

#[test]
fn bootstrap_error_names_upstream_stage_and_reason() {
    let mut world = world();
    world.host(1).accepts(Accepts::Nothing);
    let error = world.resolve("example.com").error();
    let lost = error.attempts().iter().find(|attempt| &*attempt.upstream == "up0").expect("an attempt");
    assert_eq!((lost.stage, lost.address), (Stage::Bootstrap, None));
    let Cause::Bootstrap(why) = &lost.cause else { panic!("{:?}", lost.cause) };
    assert!(why.contains("connection refused"), "{why}");
}

#[test]
fn upstream_name_without_addresses_is_an_error() {
    let mut world = world();
    world.host(1).replies(|question| match &*question.name {
        "dns0.example." => Reply::to(question).soa(TTL, 1),
        _ => Reply::to(question).rcode(SERVFAIL),
    });
    let error = world.resolve("example.com").error();
    let lost = error.attempts().first().expect("an attempt");
    assert_eq!(lost.cause, Cause::Bootstrap("its name has no address".into()));
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Rcode(_))), "{error}");
}

#[test]
fn upstream_name_with_one_family_is_reached() {
    let v6 = "[2001:db8::1]:853".parse().expect("an address");
    let mut world = world();
    world.host(1).replies(|question| match (&*question.name, question.record_type) {
        ("dns0.example.", AAAA) => {
            let octets = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            Reply::to(question).record(TTL, &octets)
        }
        ("dns0.example.", _) => Reply::to(question).soa(TTL, 1),
        _ => reply(question),
    });
    let done = world.resolve("example.com");
    assert_eq!((done.at, done.answer().upstream().to_owned()), (ms(60 + 60), "up0".to_owned()));
    assert_eq!(world.network.host(v6).connected, 1);
}

/// One answer has space for four thousand addresses.
#[test]
fn at_most_sixteen_addresses_of_a_family_are_tried() {
    let mut world = world();
    world.host(1).replies(|question| match (&*question.name, question.record_type) {
        ("dns0.example.", A) => {
            (0..200).fold(Reply::to(question), |reply, last| reply.record(TTL, &[198, 51, 100, last]))
        }
        _ => reply(question),
    });
    for last in 0..200 {
        let address = SocketAddr::from(([198, 51, 100, last], 853));
        world.network.host(address).accepts(Accepts::Nothing);
    }
    assert_eq!(world.resolve("example.com").answer().upstream(), "up1");
    let tried = world.connects.iter().filter(|(_, address)| address.to_string().starts_with("198."));
    assert_eq!(tried.count(), 16);
}

#[test]
fn warm_up_waits_for_the_address_and_connects() {
    let mut world = world();
    world.tell(privydns_core::engine::Input::WarmUp);
    world.run_for(ms(200));
    assert_eq!(world.host(0).connected, 1);
    assert_eq!(world.resolve("example.com").took, ms(20));
}

#[test]
fn hundred_lookups_query_the_address_once() {
    let mut world = world();
    for number in 0..100 {
        world.lookup(&format!("host{number}.example"));
    }
    assert!(
        world.finish_all().into_iter().all(|done| done.at == ms(120) && done.answer().upstream() == "up0")
    );
    assert_eq!((questions(world.host(1)), world.host(0).dialled.len()), (2, 1));
}

/// A query for the same name with the same upstreams shares the flight.
#[test]
fn cached_upstream_address_is_not_queried() {
    let mut world = World::new(Config::builder().upstream(upstream(1)).route("corp.example", [named()]));
    world.host(1).replies(reply);
    world.resolve("dns0.example").answer();
    let done = world.resolve("www.corp.example");
    assert_eq!(done.took, ms(60));
    assert_eq!(questions(world.host(1)), 2, "A before, and now AAAA");
}

#[test]
fn localhost_upstream_needs_no_bootstrap() {
    let local = Upstream::tls("localhost:8853").expect("an upstream");
    let mut world = World::new(Config::builder().upstream(local));
    let v6 = "[::1]:8853".parse().expect("an address");
    world.network.host(v6).accepts(Accepts::Nothing).is_away(Duration::ZERO);
    assert_eq!(world.resolve("example.com").at, ms(60));
}

#[test]
fn deadline_during_bootstrap_is_reported_as_such() {
    let mut world = world();
    world.host(1).accepts(Accepts::Silently);
    let id = world.ask(&query("example.com").with_timeout(ms(300)));
    let error = world.finish(id).error();
    assert!(error.is_timeout());
    assert_eq!(error.attempts()[0].stage, Stage::Bootstrap);
    assert_eq!(world.network.host(address(0)).dialled.len(), 0);
}
