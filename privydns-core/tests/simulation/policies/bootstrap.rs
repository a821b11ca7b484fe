//! Upstreams known by name alone, resolved through the others.

use std::net::SocketAddr;
use std::time::Duration;

use privydns_core::{Cause, Config, ErrorKind, Stage, Upstream};

use crate::world::wire::{A, AAAA, Question, Reply, SERVFAIL};
use crate::world::{ADDRESS, AT_ONCE, Accepts, Act, Host, World, address, ms, query, s, upstream};

const TTL: u32 = 60;

/// The upstream `up0` of the others, without its address.
fn named() -> Upstream {
    Upstream::tls("dns0.example").expect("an upstream").with_label("up0")
}

/// `up0` known by its name, and `up1`, which knows where it is.
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

/// How often the upstream's name was asked for.
fn questions(host: &Host) -> usize {
    host.asked.iter().filter(|ask| ask.question.name == "dns0.example.").count()
}

#[test]
fn an_upstream_known_by_name_is_resolved_by_another_and_then_answers() {
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
fn addresses_are_kept_for_their_ttl_and_asked_for_by_the_first_dial_after_it() {
    let mut world = world();
    world.resolve("first.example").answer();
    for number in 0..3 {
        // Beyond the idle limit, so that each of them dials.
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
fn a_server_that_moved_is_found_at_its_new_address() {
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

/// The certificate tells whether an old address is still right.
#[test]
fn when_nobody_resolves_the_name_any_more_its_last_address_serves_after_a_quarter_of_a_second() {
    let mut world = world();
    world.resolve("first.example").answer();
    world.run_for(s(100));
    world.host(1).accepts(Accepts::Silently);
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(250 + 60));
    assert_eq!(done.answer().upstream(), "up0");
}

#[test]
fn when_resolving_the_name_fails_its_last_address_serves_at_once() {
    let mut world = world();
    world.resolve("first.example").answer();
    world.run_for(s(100));
    world.host(1).replies(|question| Reply::to(question).rcode(SERVFAIL));
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(60 + 60));
    assert_eq!(done.answer().upstream(), "up0");
}

#[test]
fn a_family_whose_answer_comes_late_joins_the_race() {
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
    // IPv4 at 60 ms, which leads nowhere; IPv6 is known at 160 ms, and joins 250 ms later.
    assert_eq!(done.at, ms(60 + 100 + 250 + 60));
    assert_eq!(done.answer().upstream(), "up0");
    assert_eq!(world.host(0).dialled, [ms(60)]);
    assert_eq!(world.network.host(v6).dialled, [ms(60 + 100 + 250)]);
}

#[test]
fn an_upstream_that_nobody_can_resolve_is_passed_over() {
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
fn an_error_of_bootstrapping_names_the_upstream_the_stage_and_the_reason() {
    let mut world = world();
    world.host(1).accepts(Accepts::Nothing);
    let error = world.resolve("example.com").error();
    let lost = error.attempts().iter().find(|attempt| &*attempt.upstream == "up0").expect("an attempt");
    assert_eq!((lost.stage, lost.address), (Stage::Bootstrap, None));
    let Cause::Bootstrap(why) = &lost.cause else { panic!("{:?}", lost.cause) };
    assert!(why.contains("connection refused"), "{why}");
}

#[test]
fn a_name_without_an_address_is_an_error_that_says_so() {
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
fn a_name_with_addresses_of_one_family_alone_is_reached_by_that() {
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

/// An answer has room for four thousand.
#[test]
fn no_more_than_sixteen_addresses_of_a_family_are_tried() {
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
fn warming_up_waits_for_the_address_and_then_connects() {
    let mut world = world();
    world.tell(privydns_core::Input::WarmUp);
    world.run_for(ms(200));
    assert_eq!(world.host(0).connected, 1);
    assert_eq!(world.resolve("example.com").took, ms(20));
}

#[test]
fn a_hundred_lookups_ask_for_the_address_once() {
    let mut world = world();
    for number in 0..100 {
        world.lookup(&format!("host{number}.example"));
    }
    assert!(
        world.finish_all().into_iter().all(|done| done.at == ms(120) && done.answer().upstream() == "up0")
    );
    assert_eq!((questions(world.host(1)), world.host(0).dialled.len()), (2, 1));
}

/// A query for the same name by the same upstreams is the same query.
#[test]
fn what_the_cache_knows_of_the_name_is_not_asked_for() {
    let mut world = World::new(Config::builder().upstream(upstream(1)).route("corp.example", [named()]));
    world.host(1).replies(reply);
    world.resolve("dns0.example").answer();
    let done = world.resolve("www.corp.example");
    assert_eq!(done.took, ms(60));
    assert_eq!(questions(world.host(1)), 2, "A before, and now AAAA");
}

#[test]
fn an_upstream_on_this_machine_needs_nobody_to_find_it() {
    let local = Upstream::tls("localhost:8853").expect("an upstream");
    let mut world = World::new(Config::builder().upstream(local));
    let v6 = "[::1]:8853".parse().expect("an address");
    world.network.host(v6).accepts(Accepts::Nothing).is_away(Duration::ZERO);
    assert_eq!(world.resolve("example.com").at, ms(60));
}

#[test]
fn a_deadline_that_passes_while_the_name_is_being_resolved_says_so() {
    let mut world = world();
    world.host(1).accepts(Accepts::Silently);
    let id = world.ask(&query("example.com").with_timeout(ms(300)));
    let error = world.finish(id).error();
    assert!(error.is_timeout());
    assert_eq!(error.attempts()[0].stage, Stage::Bootstrap);
    assert_eq!(world.network.host(address(0)).dialled.len(), 0);
}
