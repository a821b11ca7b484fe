//! Strategies: which upstream is asked first, and what each upstream learns.

use privydns_core::{Config, Strategy};

use super::asked;
use crate::world::{Accepts, World, answer_after, ms, s, upstream};

fn world(count: u8, strategy: Strategy) -> World {
    World::new(Config::builder().upstreams((0..count).map(upstream)).strategy(strategy))
}

fn resolve_many(world: &mut World, prefix: &str, count: usize) {
    for number in 0..count {
        world.resolve(&format!("{prefix}{number}.example")).answer();
    }
}

#[test]
fn by_default_only_the_first_operator_sees_names() {
    let mut world = World::with_upstreams(3);
    resolve_many(&mut world, "host", 100);
    assert_eq!(asked(&mut world, 3), [100, 0, 0]);
    assert!((1..3).all(|index| world.host(index).dialled.is_empty()));
}

mod fastest {
    use super::*;

    #[test]
    fn fastest_is_used_except_one_query_in_32() {
        let mut world = world(3, Strategy::Fastest);
        for (index, one_way) in [(0, 30), (1, 10), (2, 50)] {
            world.host(index).is_away(ms(one_way));
        }
        resolve_many(&mut world, "first", 3);
        assert_eq!(asked(&mut world, 3), [1, 1, 1]);
        resolve_many(&mut world, "host", 640);
        let [slow, fast, slower] = asked(&mut world, 3)[..] else { panic!("three upstreams") };
        assert!(fast >= 600, "{fast}");
        assert!((4..=25).contains(&slow) && (4..=25).contains(&slower), "{slow} {slower}");
    }

    #[test]
    fn slow_fastest_upstream_is_replaced() {
        let mut world = world(2, Strategy::Fastest);
        world.host(1).is_away(ms(30));
        resolve_many(&mut world, "first", 100);
        world.host(0).serves(|ask| answer_after(ms(200), &ask.question));
        let before = asked(&mut world, 2);
        resolve_many(&mut world, "host", 100);
        let after = asked(&mut world, 2);
        // The smoothed time moves by an eighth of the difference with each answer: two answers are enough.
        assert!(after[0] - before[0] <= 10, "{before:?} {after:?}");
    }

    #[test]
    fn unhealthy_fastest_upstream_is_skipped() {
        let mut world = world(2, Strategy::Fastest);
        world.host(1).is_away(ms(30));
        resolve_many(&mut world, "first", 10);
        world.run_for(s(10));
        world.host(0).accepts(Accepts::Nothing);
        resolve_many(&mut world, "host", 20);
        assert_eq!(world.host(0).dialled.len(), 2);
    }
}

mod race {
    use super::*;

    #[test]
    fn race_queries_n_upstreams_first_answer_wins() {
        let mut world = world(3, Strategy::race(2));
        world.host(0).is_away(ms(30));
        let done = world.resolve("first.example");
        assert_eq!(done.at, ms(60));
        let answer = done.answer();
        assert_eq!((answer.upstream(), answer.attempts()), ("up1", 2));
        world.run_for(s(1));
        resolve_many(&mut world, "host", 20);
        world.run_for(s(1));
        assert_eq!(asked(&mut world, 3), [20, 21, 0], "the first query to the slow one was cancelled unsent");
    }

    #[test]
    fn failed_racer_is_replaced_at_once_without_repeats() {
        let mut world = world(3, Strategy::race(2));
        world.host(0).accepts(Accepts::Nothing);
        world.host(1).serves(|ask| answer_after(ms(300), &ask.question));
        let done = world.resolve("example.com");
        assert_eq!(done.at, ms(20 + 60));
        assert_eq!(done.answer().upstream(), "up2");
        world.run_for(s(1));
        assert_eq!(asked(&mut world, 3), [0, 1, 1]);
    }

    #[test]
    fn failed_racer_without_replacement_leaves_the_others() {
        let mut world = world(2, Strategy::race(2));
        world.host(0).accepts(Accepts::Nothing);
        world.host(1).serves(|ask| answer_after(ms(300), &ask.question));
        assert_eq!(world.resolve("example.com").at, ms(60 + 300));
        assert_eq!((world.host(0).dialled.len(), world.host(1).asked.len()), (1, 1));
    }

    #[test]
    fn race_may_exceed_the_number_of_attempts() {
        let builder = Config::builder().upstreams((0..5).map(upstream)).attempts(1);
        let mut world = World::new(builder.strategy(Strategy::race(5)));
        for index in 0..4 {
            world.host(index).accepts(Accepts::Silently);
        }
        assert_eq!(world.resolve("example.com").answer().upstream(), "up4");
        assert!((0..5).all(|index| world.host(index).dialled == [ms(0)]));
    }

    /// The other upstreams answer long before this one is overdue: the long silence must count.
    #[test]
    fn silent_racer_is_replaced_after_half_a_second() {
        for accepts in [Accepts::Silently, Accepts::Everything] {
            let mut world = world(3, Strategy::race(2));
            world.host(0).accepts(accepts).keeps_silent();
            for number in 0..20 {
                let done = world.resolve(&format!("host{number}.example"));
                assert!(done.took <= ms(60));
                world.run_for(ms(80));
            }
            assert!(world.host(2).asked.len() > 8, "{}", world.host(2).asked.len());
        }
    }

    #[test]
    fn unhealthy_upstream_does_not_race() {
        let mut world = world(2, Strategy::race(2));
        world.host(0).accepts(Accepts::Nothing);
        resolve_many(&mut world, "host", 30);
        assert_eq!(world.host(0).dialled.len(), 1);
    }
}

#[cfg(feature = "spread")]
mod spread {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::SEED;

    /// The upstream that each of many domains is sent to.
    fn placed(world: &mut World) -> Vec<String> {
        let name = |number: usize| format!("www.domain{number}.co.uk");
        (0..60).map(|number| world.resolve(&name(number)).answer().upstream().to_owned()).collect()
    }

    fn keyed(upstreams: impl IntoIterator<Item = u8>) -> World {
        let upstreams = upstreams.into_iter().map(upstream);
        World::new(Config::builder().upstreams(upstreams).strategy(Strategy::Spread).spread_key([9; 16]))
    }

    #[test]
    fn spread_sends_each_domain_to_one_upstream() {
        let mut world = world(3, Strategy::Spread);
        let first = placed(&mut world);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3);
        for round in 0..3 {
            for (number, upstream) in first.iter().enumerate() {
                let name = format!("host{round}.deep.domain{number}.co.uk");
                assert_eq!(world.resolve(&name).answer().upstream(), upstream, "{name}");
            }
        }
        let asked = asked(&mut world, 3);
        assert!(asked.iter().all(|asked| (40..=120).contains(asked)), "{asked:?}");
    }

    #[test]
    fn spread_key_is_random_unless_given() {
        let other = |seed| {
            let builder = Config::builder().upstreams((0..3).map(upstream)).strategy(Strategy::Spread);
            World::seeded(builder.build().expect("a configuration"), seed)
        };
        assert_ne!(placed(&mut other(SEED)), placed(&mut other([8; 32])));
        assert_eq!(placed(&mut keyed(0..3)), placed(&mut keyed(0..3)));
    }

    #[test]
    fn spread_is_stable_when_an_upstream_is_added_or_removed() {
        let before = placed(&mut keyed(0..3));
        let more = placed(&mut keyed(0..4));
        assert!(before.iter().zip(&more).all(|(before, after)| before == after || after == "up3"));
        let reordered = placed(&mut keyed([2, 0, 1]));
        assert_eq!(before, reordered, "nor does the order of the list matter");
    }

    #[test]
    fn spread_domain_returns_when_its_upstream_recovers() {
        let mut world = keyed(0..3);
        let before = placed(&mut world);
        world.run_for(s(400));
        world.host(1).accepts(Accepts::Nothing);
        let during = placed(&mut world);
        assert!(before.iter().zip(&during).all(|(before, during)| before == during || before == "up1"));
        assert!(!during.contains(&"up1".to_owned()));
        world.run_for(s(400));
        assert_eq!(placed(&mut world), during);
        world.host(1).accepts(Accepts::Everything);
        world.run_for(s(400));
        world.resolve("probing.example").answer();
        world.run_for(s(1));
        assert_eq!(placed(&mut world), before);
    }
}
