//! Routes: names that only some upstreams may receive.

use privydns_core::engine::CacheResult;
use privydns_core::{
    CacheSettings, Config, ErrorKind, Hedge, Query, RecordType, ResolverBuilder, Strategy, Unroutable,
};

use crate::world::wire::{NXDOMAIN, Reply, SERVFAIL};
use crate::world::{Accepts, Host, World, epoch, ms, query, s, upstream};

/// `up0` and `up1` for public names, `up2` and `up3` for an internal domain.
fn builder() -> ResolverBuilder {
    Config::builder().upstreams([upstream(0), upstream(1)]).route("corp.example", [upstream(2), upstream(3)])
}

fn names(host: &Host) -> Vec<&str> {
    host.asked.iter().map(|ask| &*ask.question.name).collect()
}

#[test]
fn route_gets_its_domain_and_names_below_only() {
    let mut world = World::new(builder());
    for (name, upstream) in [
        ("corp.example", "up2"),
        ("www.corp.example", "up2"),
        ("a.b.CORP.example", "up2"),
        ("example", "up0"),
        ("notcorp.example", "up0"),
        ("corp.example.com", "up0"),
    ] {
        assert_eq!(world.resolve(name).answer().upstream(), upstream, "{name}");
    }
    assert_eq!(names(world.host(0)), ["example.", "notcorp.example.", "corp.example.com."]);
}

/// Whatever the route's upstreams do, and whatever the others offer.
#[test]
fn routed_name_never_uses_other_upstreams() {
    let policies = [
        builder(),
        builder().strategy(Strategy::race(4)),
        builder().strategy(Strategy::Fastest),
        builder().hedge(Hedge::after(ms(5)).share(1.0)),
        builder().cache(CacheSettings::default().serve_stale(CacheSettings::MAX_STALE)),
    ];
    for policy in policies {
        let mut world = World::new(policy);
        for fail in [
            (|host| {
                host.accepts(Accepts::Nothing);
            }) as fn(&mut Host),
            |host| {
                host.accepts(Accepts::Silently);
            },
            |host| {
                host.accepts(Accepts::Everything).keeps_silent();
            },
            |host| {
                host.replies(|question| Reply::to(question).rcode(SERVFAIL));
            },
        ] {
            fail(world.host(2));
            fail(world.host(3));
            world.resolve("www.corp.example").error();
            world.run_for(s(400));
        }
        assert!((0..2).all(|index| names(world.host(index)).is_empty()));
    }
}

#[test]
fn unhealthy_route_upstream_is_skipped_within_the_route() {
    let mut world = World::new(builder());
    world.host(2).accepts(Accepts::Silently);
    world.resolve("first.corp.example").answer();
    for number in 0..60 {
        let done = world.resolve(&format!("host{number}.corp.example"));
        assert_eq!((done.took, done.answer().upstream().to_owned()), (ms(20), "up3".to_owned()));
        world.run_for(ms(480));
    }
    // The upstream was dialled by a lookup, and by probes after 5 and 15 seconds.
    assert_eq!(world.host(2).dialled.len(), 3);
    assert!((0..2).all(|index| world.host(index).dialled.is_empty()));
}

#[test]
fn routed_name_prefers_a_stale_answer_to_other_upstreams() {
    let stale = CacheSettings::default().serve_stale(CacheSettings::MAX_STALE);
    let mut world = World::new(builder().cache(stale));
    world.resolve("www.corp.example").answer();
    world.run_for(s(400));
    for index in 2..4 {
        world.host(index).accepts(Accepts::Nothing);
    }
    let answer = world.resolve("www.corp.example").answer();
    assert!(answer.is_stale() && answer.upstream() == "up2");
    assert!((0..2).all(|index| names(world.host(index)).is_empty()));
}

#[test]
fn public_denial_does_not_deny_a_routed_name() {
    let mut world = World::new(builder());
    world.host(0).replies(|question| Reply::to(question).rcode(NXDOMAIN).soa(300, 1));
    // RFC 8020: a cached NXDOMAIN also denies the names below, for lookups of public upstreams.
    assert_eq!(world.resolve("example").answer().rcode(), privydns_core::ResponseCode::NXDomain);
    assert!(world.resolve("www.example").answer().is_cached());
    let answer = world.resolve("www.corp.example").answer();
    assert_eq!((answer.upstream(), answer.is_cached()), ("up2", false));
}

#[test]
fn longest_route_wins() {
    let mut world = World::new(builder().route("lab.corp.example", [upstream(4)]));
    assert_eq!(world.resolve("www.lab.corp.example").answer().upstream(), "up4");
    assert_eq!(world.resolve("www.corp.example").answer().upstream(), "up2");
}

/// RFC 6762: these names belong to the local link, unless a route has them.
#[test]
fn dot_local_names_are_sent_only_to_their_route() {
    let mut world = World::new(builder());
    let error = world.resolve("printer.local").error();
    assert!(matches!(error.kind(), ErrorKind::SpecialUse("local")), "{error}");
    let mut world = World::new(builder().route("office.local", [upstream(4)]));
    assert_eq!(world.resolve("printer.office.local").answer().upstream(), "up4");
    assert!(world.resolve("printer.local").result.is_err());
    let mut world = World::new(builder().route("onion", [upstream(4)]));
    assert!(world.resolve("service.onion").result.is_err(), "these never leave");
    assert!((0..5).all(|index| names(world.host(index)).is_empty()));
}

#[test]
fn names_without_a_route_are_an_error_and_send_nothing() {
    let mut world = World::new(Config::builder().route("corp.example", [upstream(2)]));
    let no_route = |kind: &ErrorKind| matches!(kind, ErrorKind::Unroutable(Unroutable::Name));
    assert!(no_route(world.resolve("example.com").error().kind()));
    let early = world.shared.try_answer(epoch(), &query("example.com"));
    assert!(early.is_err_and(|error| no_route(error.kind())));
    world.resolve("www.corp.example").answer();
    assert_eq!(world.connects.len(), 1);
}

#[test]
fn reverse_zone_can_be_routed() {
    let mut world = World::new(builder().route("10.in-addr.arpa", [upstream(4)]));
    let id = world.ask(&Query::reverse([10, 1, 2, 3].into()));
    assert_eq!(world.finish(id).answer().upstream(), "up4");
}

#[test]
fn upstream_may_have_routes_and_be_public() {
    let builder = Config::builder()
        .upstream(upstream(0))
        .route("corp.example", [upstream(1)])
        .route("lab.example", [upstream(1), upstream(0)]);
    let mut world = World::new(builder);
    assert_eq!(world.shared.config().upstreams().len(), 2);
    for name in ["www.corp.example", "www.lab.example"] {
        assert_eq!(world.resolve(name).answer().upstream(), "up1");
    }
    assert_eq!(world.host(1).dialled.len(), 1);
}

#[test]
fn cache_keeps_routed_and_public_answers_apart() {
    let mut world = World::new(builder());
    world.resolve("www.corp.example").answer();
    let query = Query::new("www.corp.example", RecordType::A).expect("a name");
    let early = world.shared.try_answer(epoch() + world.now(), &query).expect("no error");
    assert!(matches!(early, CacheResult::Answer(answer) if answer.upstream() == "up2"));
}
