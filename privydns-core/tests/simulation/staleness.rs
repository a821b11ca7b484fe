//! Stale answers, and answers refreshed before their end (RFC 8767).

use privydns_core::engine::{CacheResult, Input};
use privydns_core::{CacheSettings, CacheUse, Config};

use crate::world::wire::Reply;
use crate::world::{ADDRESS, Accepts, Act, World, epoch, ms, query, s, upstream};

/// A world that keeps stale answers and has one for example.com.
pub(crate) fn with_a_stale_answer() -> World {
    let settings = CacheSettings::default().serve_stale(CacheSettings::MAX_STALE);
    let mut world = World::new(Config::builder().upstream(upstream(0)).cache(settings));
    world.host(0).replies(|question| Reply::to(question).record(60, &ADDRESS));
    world.resolve("example.com").answer();
    world.run_for(s(100));
    world
}

#[test]
fn fresh_answer_is_preferred_to_a_stale_one() {
    let mut world = with_a_stale_answer();
    let answer = world.resolve("example.com").answer();
    assert!(!answer.is_stale() && !answer.is_cached());
}

#[test]
fn stale_answer_is_given_within_two_seconds_of_silence() {
    let mut world = with_a_stale_answer();
    world.host(0).accepts(Accepts::Silently);
    let done = world.resolve("example.com");
    assert_eq!(done.took, ms(1800));
    let answer = done.answer();
    assert!(answer.is_stale());
    assert_eq!(answer.ttl(), Some(30));
}

#[test]
fn stale_answer_after_a_failure_pauses_queries_for_30_s() {
    let mut world = with_a_stale_answer();
    world.host(0).accepts(Accepts::Nothing);
    let done = world.resolve("example.com");
    assert!(done.took < ms(1300), "{:?}", done.took);
    assert!(done.answer().is_stale());

    let dialled = world.host(0).dialled.len();
    let begun = world.now();
    let done = world.resolve("example.com");
    assert_eq!(done.at, begun);
    assert!(done.answer().is_stale());
    assert_eq!(world.host(0).dialled.len(), dialled);

    world.host(0).accepts(Accepts::Everything);
    world.run_for(s(31));
    assert!(!world.resolve("example.com").answer().is_stale());
}

/// The caller's deadline says little about the upstream, so the query continues.
#[test]
fn stale_answer_at_an_early_deadline_continues_the_query() {
    let mut world = with_a_stale_answer();
    world.host(0).accepts(Accepts::Silently);
    let hurried = query("example.com").with_timeout(s(1));
    let first = world.ask(&hurried);
    let done = world.finish(first);
    assert_eq!(done.took, s(1));
    assert!(done.answer().is_stale());
    let second = world.ask(&hurried);
    assert_eq!(world.finish(second).took, ms(800), "1.8 s after asking began");
    let now = world.now();
    let third = world.ask(&hurried);
    assert_eq!(world.finish(third).at, now, "what failed a moment ago is not waited for again");
    world.run_for(s(30));
    assert_eq!((world.wake(), world.network.open_connections()), (None, 0));
}

#[test]
fn answer_after_a_stale_deadline_is_cached() {
    let mut world = with_a_stale_answer();
    let hurried = world.ask(&query("example.com").with_timeout(ms(5)));
    assert!(world.finish(hurried).answer().is_stale());
    world.run_for(ms(100));
    let begun = world.now();
    let done = world.resolve("example.com");
    assert_eq!(done.at, begun);
    assert!(!done.answer().is_stale());
}

#[test]
fn answer_after_a_stale_answer_is_cached() {
    let mut world = with_a_stale_answer();
    world.host(0).serves(|ask| vec![Act::Send(s(2), Reply::to(&ask.question).record(60, &ADDRESS).octets())]);
    assert!(world.resolve("example.com").answer().is_stale());
    world.run_for(s(1));
    let begun = world.now();
    let done = world.resolve("example.com");
    assert_eq!(done.at, begun);
    let answer = done.answer();
    assert!(answer.is_cached() && !answer.is_stale());
}

#[test]
fn cache_bypass_gets_no_stale_answer() {
    let mut world = with_a_stale_answer();
    world.host(0).accepts(Accepts::Nothing);
    let id = world.ask(&query("example.com").with_cache_use(CacheUse::Bypass));
    world.finish(id).error();
}

fn with_an_answer_near_its_end() -> World {
    let settings = CacheSettings::default().prefetch(true);
    let mut world = World::new(Config::builder().upstream(upstream(0)).cache(settings));
    world.host(0).replies(|question| Reply::to(question).record(100, &ADDRESS));
    world.resolve("example.com").answer();
    world.run_for(s(95));
    world
}

#[test]
fn answer_near_its_end_is_refreshed_on_a_hit() {
    let mut world = with_an_answer_near_its_end();
    let asked = query("example.com");
    let early = world.shared.try_answer(epoch() + world.now(), &asked).expect("no error");
    let CacheResult::Refresh(answer) = early else { panic!("{early:?}") };
    assert!(answer.ttl() <= Some(5));
    world.tell(Input::Refresh(asked.into()));
    world.run_for(s(1));
    assert_eq!(world.host(0).asked.len(), 2);
    assert_eq!(world.resolve("example.com").answer().ttl(), Some(100));
}

#[test]
fn refresh_continues_when_a_joined_lookup_is_cancelled() {
    let mut world = with_an_answer_near_its_end();
    world.tell(Input::Refresh(query("example.com").into()));
    let joined = world.ask(&query("example.com").with_cache_use(CacheUse::Bypass));
    world.run_for(ms(10));
    world.cancel(joined);
    world.run_for(s(1));
    assert_eq!(world.host(0).asked.len(), 2);
    assert_eq!(world.resolve("example.com").answer().ttl(), Some(100));
}

#[test]
fn refresh_continues_on_another_network() {
    let mut world = with_an_answer_near_its_end();
    world.host(0).unreachable_until = s(3600);
    world.tell(Input::Refresh(query("example.com").into()));
    world.run_for(ms(300));
    world.host(0).unreachable_until = s(0);
    world.tell(Input::NetworkChanged);
    world.run_for(ms(60));
    let done = world.resolve("example.com");
    assert_eq!((done.took, done.answer().ttl()), (ms(0), Some(100)));
    world.run_for(s(60));
    assert_eq!((world.wake(), world.network.open_connections()), (None, 0));
}

#[test]
fn failed_refresh_ends_at_its_deadline() {
    let mut world = with_an_answer_near_its_end();
    world.host(0).accepts(Accepts::Silently);
    world.tell(Input::Refresh(query("example.com").into()));
    world.run_for(s(20));
    assert_eq!(world.wake(), None);
    assert_eq!(world.network.open_connections(), 0);
}

/// As in the blocking crate, where no thread drives while no caller waits.
#[test]
fn unread_answer_is_as_old_as_its_query() {
    let mut world = World::with_upstreams(1);
    world
        .host(0)
        .serves(|ask| vec![Act::Send(s(1), Reply::to(&ask.question).record(100, &ADDRESS).octets())]);
    world.tell(Input::Refresh(query("example.com").into()));
    world.run_for(ms(500));
    assert_eq!(world.host(0).asked.len(), 1);
    world.leap(s(40));
    world.run_for(ms(10));
    let ttl = world.resolve("example.com").answer().ttl();
    assert!(Some(58) < ttl && ttl < Some(61), "{ttl:?}");
}
