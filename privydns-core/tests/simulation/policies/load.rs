//! Load limits: excess lookups are refused at once, and no server gets a burst of connections.

use privydns_core::{Config, ErrorKind, Limit, ResolverBuilder};

use crate::world::{AT_ONCE, Accepts, World, answer_after, ms, s, upstream};

fn one() -> ResolverBuilder {
    Config::builder().upstream(upstream(0))
}

fn ask_many(world: &mut World, count: usize) {
    for number in 0..count {
        world.lookup(&format!("host{number}.example"));
    }
}

#[test]
fn lookup_over_max_waiting_is_refused_others_are_answered() {
    for (builder, limit) in [(one().max_lookups(10), Limit::Lookups), (one().max_waiting(10), Limit::Waiting)]
    {
        let mut world = World::new(builder);
        ask_many(&mut world, 10);
        let refused = world.lookup("one.too.many.example");
        let done = world.finish(refused);
        assert_eq!(done.took, AT_ONCE);
        let ErrorKind::Overloaded(over) = done.error().kind().clone() else { panic!("{limit:?}") };
        assert_eq!((over, world.shared.stats().overloaded), (limit, 1));
        assert!(world.finish_all().into_iter().all(|done| done.result.is_ok()));
        world.resolve("one.too.many.example").answer();
    }
}

#[test]
fn lookup_joining_a_flight_does_not_count_as_waiting() {
    let mut world = World::new(one().max_waiting(1));
    for _ in 0..100 {
        world.lookup("example.com");
    }
    assert!(world.finish_all().into_iter().all(|done| done.result.is_ok()));
}

#[test]
fn default_max_waiting_is_sixteen_thousand() {
    let mut world = World::new(one());
    world.host(0).accepts(Accepts::Silently);
    ask_many(&mut world, 16_384);
    let refused = world.lookup("one.too.many.example");
    assert!(matches!(world.finish(refused).error().kind(), ErrorKind::Overloaded(Limit::Lookups)));
}

/// A connection carries a thousand queries at once.
#[test]
fn full_pipeline_opens_one_connection_and_the_rest_waits() {
    let mut world = World::new(one());
    world.host(0).serves(|ask| answer_after(ms(400), &ask.question));
    ask_many(&mut world, 2500);
    world.run_for(ms(60));
    assert_eq!((world.host(0).dialled.len(), world.host(0).asked.len()), (2, 1000));
    world.run_for(ms(60));
    assert_eq!((world.host(0).dialled.len(), world.host(0).asked.len()), (2, 2000));
    let done = world.finish_all();
    assert!(done.iter().all(|done| done.result.is_ok()));
    assert_eq!(world.host(0).dialled.len(), 2);
}

#[test]
fn max_connections_are_opened_one_after_the_other() {
    let mut world = World::new(one().max_connections(4));
    world.host(0).serves(|ask| answer_after(ms(450), &ask.question));
    ask_many(&mut world, 10_000);
    let mut most = 0;
    for _ in 0..100 {
        world.run_for(ms(10));
        let host = world.host(0);
        most = most.max(host.dialled.len() - host.connected);
    }
    assert_eq!((world.host(0).dialled.len(), most), (4, 1));
}

/// Many servers allow a client one or two connections.
#[test]
fn refused_second_connection_is_not_unhealthy() {
    let mut world = World::new(Config::builder().upstreams([upstream(0), upstream(1)]).timeout(s(10)));
    world.host(0).serves(|ask| answer_after(ms(400), &ask.question));
    world.resolve("warm.example").answer();
    world.host(0).accepts(Accepts::Nothing);
    ask_many(&mut world, 3000);
    world.run_for(ms(200));
    assert!(!world.shared.stats().upstreams[0].is_unhealthy);
    world.finish_all().into_iter().for_each(|done| drop(done.answer()));
    assert!(world.host(0).dialled.len() <= 2 + 1, "{:?}", world.host(0).dialled);
}

/// All upstreams are unhealthy, so that each lookup may try at once: on the one dial in progress.
#[test]
fn refusing_upstream_gets_one_dial_at_a_time() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Nothing);
    for round in 0..50 {
        for number in 0..100 {
            world.lookup(&format!("host{round}-{number}.example"));
        }
        world.run_for(ms(100));
    }
    world.finish_all();
    let dialled = &world.host(0).dialled;
    assert!(dialled.windows(2).all(|pair| pair[1] >= pair[0] + ms(20)), "{dialled:?}");
}

/// TCP would retransmit only seconds later.
#[test]
fn slow_dial_does_not_delay_later_lookups() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Silently);
    world.resolve("lost.example").error();
    world.host(0).accepts(Accepts::Everything);
    assert_eq!(world.resolve("back.example").took, ms(60));
    assert_eq!(world.network.open_connections(), 1, "the others are given up");
}

#[test]
fn silent_server_is_dialled_at_most_once_a_second() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Silently);
    for number in 0..600 {
        world.lookup(&format!("host{number}.example"));
        world.run_for(ms(50));
    }
    world.finish_all();
    let dialled = &world.host(0).dialled;
    assert!(dialled.windows(2).all(|pair| pair[1] >= pair[0] + s(1)), "{dialled:?}");
    assert!(world.network.open_connections() <= 2);
}

/// The first dial continues, however many are started in addition.
#[test]
fn slow_link_with_slow_dials_still_works() {
    let mut world = World::new(one().timeout(s(10)));
    world.host(0).is_away(ms(800));
    for number in 0..40 {
        world.lookup(&format!("host{number}.example"));
        world.run_for(ms(100));
    }
    for done in world.finish_all() {
        assert!(done.took <= ms(6 * 800), "{:?}", done.took);
    }
    assert!(world.host(0).dialled.len() <= 5);
}
