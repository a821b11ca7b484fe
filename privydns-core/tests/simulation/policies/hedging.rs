//! A second query beside a slow first one.

use privydns_core::{Config, Hedge, Strategy};

use super::asked;
use crate::world::{Accepts, World, answer, answer_after, ms, s, upstream};

fn world(count: u8, hedge: Hedge) -> World {
    World::new(Config::builder().upstreams((0..count).map(upstream)).hedge(hedge))
}

/// As many hedges as there are queries.
fn all(hedge: Hedge) -> Hedge {
    hedge.share(1.0)
}

#[test]
fn a_query_without_an_answer_after_the_time_set_goes_to_the_next_upstream_and_the_first_answer_wins() {
    let mut world = world(2, all(Hedge::after(ms(100))));
    world.host(0).serves(|ask| answer_after(ms(500), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(100 + 60));
    let answer = done.answer();
    assert_eq!((answer.upstream(), answer.attempts()), ("up1", 2));
    assert_eq!(world.shared.stats().upstreams[1].hedges, 1);
}

#[test]
fn the_first_upstream_may_still_win() {
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
fn a_query_that_is_answered_in_time_is_not_hedged() {
    let mut world = world(2, all(Hedge::after(ms(100))));
    for number in 0..50 {
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!((asked(&mut world, 2), world.host(1).dialled.len()), (vec![50, 0], 0));
}

/// The load never doubles: however slow the first upstream is, one query in twenty is hedged.
#[test]
fn no_more_than_the_share_is_hedged() {
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
fn adaptively_a_query_is_hedged_when_it_takes_longer_than_nineteen_of_twenty() {
    let mut world = world(2, all(Hedge::adaptive()));
    for number in 0..40_u64 {
        // From 0 to 19 ms, twice, in some order.
        world.host(0).serves(move |ask| answer_after(ms(number * 7 % 20), &ask.question));
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!(asked(&mut world, 2), [40, 0]);
    world.host(0).keeps_silent();
    let done = world.resolve("slow.example");
    // The time that all but one of twenty took, and a round trip to the other.
    assert_eq!(done.took, ms(20 + 19 + 20));
    assert_eq!(done.answer().upstream(), "up1");
}

#[test]
fn a_hedge_that_fails_leaves_the_first_query_its_time_and_asks_no_third() {
    let mut world = world(3, all(Hedge::after(ms(100))));
    world.host(0).serves(|ask| answer_after(ms(400), &ask.question));
    world.host(1).accepts(Accepts::Nothing);
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 400));
    assert_eq!(done.answer().upstream(), "up0");
    assert_eq!(world.host(2).dialled.len(), 0);
}

#[test]
fn when_the_first_fails_the_hedge_is_waited_for_and_asks_no_third() {
    let mut world = world(3, all(Hedge::after(ms(30))));
    world.host(0).accepts(Accepts::Nothing).is_away(ms(25));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(30 + 60));
    assert_eq!(done.answer().upstream(), "up1");
    assert_eq!(world.host(2).dialled.len(), 0);
}

/// Where every query is saved by its hedge, none is overdue: that nothing was heard for long must tell.
#[test]
fn an_upstream_gone_silent_is_noticed_though_hedges_hide_it() {
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
fn a_sick_upstream_is_no_companion() {
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
fn a_race_is_hedged_by_those_who_do_not_run() {
    let builder = Config::builder().upstreams((0..3).map(upstream)).strategy(Strategy::Race(2));
    let mut world = World::new(builder.hedge(all(Hedge::after(ms(100)))));
    world.host(0).keeps_silent();
    world.host(1).serves(|ask| answer_after(s(1), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(100 + 60));
    assert_eq!(done.answer().upstream(), "up2");
}

#[test]
fn nothing_is_hedged_unless_it_is_asked_for() {
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
