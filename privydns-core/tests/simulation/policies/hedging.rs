//! Hedging: a second query in parallel to a slow first one.

use privydns_core::{Config, Hedge, Strategy};

use super::asked;
use crate::world::{Accepts, World, answer, answer_after, ms, s, upstream};

fn world(count: u8, hedge: Hedge) -> World {
    World::new(Config::builder().upstreams((0..count).map(upstream)).hedge(hedge))
}

/// As many hedges as queries.
fn all(hedge: Hedge) -> Hedge {
    hedge.share(1.0)
}

#[test]
fn hedge_starts_after_its_delay_first_answer_wins() {
    let mut world = world(2, all(Hedge::after(ms(100))));
    world.host(0).serves(|ask| answer_after(ms(500), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(100 + 60));
    let answer = done.answer();
    assert_eq!((answer.upstream(), answer.attempts()), ("up1", 2));
    assert_eq!(world.shared.stats().upstreams[1].hedges, 1);
}

#[test]
fn first_upstream_may_win_over_the_hedge() {
    let mut world = world(2, all(Hedge::after(ms(100))));
    world.host(0).serves(|ask| answer_after(ms(50), &ask.question));
    assert_eq!(world.resolve("first.example").answer().upstream(), "up0");
    assert_eq!(asked(&mut world, 2), [1, 0], "the second was being dialled, and its query was cancelled");
    world.run_for(s(1));
    world.host(0).serves(|ask| answer_after(ms(110), &ask.question));
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(100 + 20), "a connection to it was there by now");
    assert_eq!(done.answer().upstream(), "up1");
}

#[test]
fn query_answered_in_time_is_not_hedged() {
    let mut world = world(2, all(Hedge::after(ms(100))));
    for number in 0..50 {
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!((asked(&mut world, 2), world.host(1).dialled.len()), (vec![50, 0], 0));
}

/// The load never doubles: however slow the first upstream is, one query in twenty is hedged.
#[test]
fn hedges_stay_within_their_share() {
    for (hedge, most) in [(Hedge::after(ms(30)), 50), (Hedge::after(ms(30)).share(0.02), 20)] {
        let mut world = world(2, hedge);
        world.host(0).serves(|ask| answer_after(ms(200), &ask.question));
        for number in 0..1000 {
            world.resolve(&format!("host{number}.example")).answer();
        }
        let hedges = usize::try_from(world.shared.stats().upstreams[1].hedges).expect("a number");
        assert!((most - 2..=most).contains(&hedges), "{hedges} of {most}");
        assert!(asked(&mut world, 2)[1] <= hedges);
    }
}

#[test]
fn adaptive_hedge_starts_at_the_95th_percentile() {
    let mut world = world(2, all(Hedge::adaptive()));
    for number in 0..40_u64 {
        // From 0 to 19 ms, twice, in some order.
        world.host(0).serves(move |ask| answer_after(ms(number * 7 % 20), &ask.question));
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!(asked(&mut world, 2), [40, 0]);
    world.host(0).keeps_silent();
    let done = world.resolve("slow.example");
    // The time within which 19 of 20 queries are answered, and a round trip to the other upstream.
    assert_eq!(done.took, ms(20 + 19 + 20));
    assert_eq!(done.answer().upstream(), "up1");
}

#[test]
fn failed_hedge_leaves_the_first_query_and_starts_no_third() {
    let mut world = world(3, all(Hedge::after(ms(100))));
    world.host(0).serves(|ask| answer_after(ms(400), &ask.question));
    world.host(1).accepts(Accepts::Nothing);
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 400));
    assert_eq!(done.answer().upstream(), "up0");
    assert_eq!(world.host(2).dialled.len(), 0);
}

#[test]
fn failed_first_query_waits_for_the_hedge_and_starts_no_third() {
    let mut world = world(3, all(Hedge::after(ms(30))));
    world.host(0).accepts(Accepts::Nothing).is_away(ms(25));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(30 + 60));
    assert_eq!(done.answer().upstream(), "up1");
    assert_eq!(world.host(2).dialled.len(), 0);
}

/// If every query is saved by its hedge, no attempt is overdue: the long silence must count.
#[test]
fn silent_upstream_is_noticed_despite_hedges() {
    let mut world = world(2, all(Hedge::after(ms(50))));
    world.resolve("first.example").answer();
    world.host(0).keeps_silent();
    let mut hedged = 0;
    for number in 0..20 {
        let done = world.resolve(&format!("host{number}.example"));
        hedged += usize::from(done.took > ms(20));
        assert_eq!(done.answer().upstream(), "up1");
        world.run_for(ms(30));
    }
    // Half a second of silence, with a query every 100 ms.
    assert!((4..=7).contains(&hedged), "{hedged}");
}

#[test]
fn unhealthy_upstream_gets_no_hedge() {
    let mut world = world(2, all(Hedge::after(ms(5))));
    world.host(1).accepts(Accepts::Nothing);
    world.resolve("first.example").answer();
    world.run_for(s(1));
    for number in 0..20 {
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!(world.host(1).dialled.len(), 1);
}

#[test]
fn race_is_hedged_by_upstreams_outside_it() {
    let builder = Config::builder().upstreams((0..3).map(upstream)).strategy(Strategy::race(2));
    let mut world = World::new(builder.hedge(all(Hedge::after(ms(100)))));
    world.host(0).keeps_silent();
    world.host(1).serves(|ask| answer_after(s(1), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(100 + 60));
    assert_eq!(done.answer().upstream(), "up2");
}

#[test]
fn hedging_is_off_by_default() {
    let mut world = World::with_upstreams(2);
    for number in 0..100_u64 {
        world.host(0).serves(move |ask| match number % 10 {
            9 => answer_after(ms(400), &ask.question),
            _ => answer(&ask.question),
        });
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!(world.host(1).dialled.len(), 0);
}
