//! E8, E11 to E13, E15: faults in how answers are taken, counted and described.

use privydns_core::{CacheSettings, CacheUse, Cause, Config, ErrorKind};

use super::{https_host, over_http};
use crate::staleness::with_a_stale_answer;
use crate::world::wire::{NXDOMAIN, Reply};
use crate::world::{ADDRESS, AT_ONCE, Accepts, SpokenProtocol, World, ms, query, s, upstream};

/// Right: the engine asks for the renewed answer, so that the server gets a second query.
#[test]
fn fault_e8_a_prefetch_claimed_in_the_engine_is_dropped() {
    let cache = CacheSettings::default().prefetch(true);
    let mut world = World::new(Config::builder().upstream(upstream(0)).cache(cache));
    world.host(0).replies(|question| Reply::to(question).record(60, &ADDRESS));
    world.resolve("example.com").answer();
    world.run_for(s(55));
    assert!(world.resolve("example.com").answer().is_cached());
    world.run_for(s(1));
    assert_eq!(world.host(0).asked.len(), 1);
    let early = world.ask_shared_first(&query("example.com"));
    assert!(world.finish(early).answer().is_cached());
    world.run_for(s(1));
    assert_eq!(world.host(0).asked.len(), 1, "the claim keeps a handle from asking, too");
}

/// Right: the attempt fails at once as malformed, as over HTTPS, and the next upstream is tried.
#[test]
fn fault_e11_an_answer_without_a_question_is_not_refused_over_dot() {
    for rcode in [0, NXDOMAIN] {
        let reply = move |question: &_| Reply::to(question).without_question().rcode(rcode);
        let mut world = World::with_upstreams(1);
        world.host(0).replies(reply);
        let done = world.resolve("example.com");
        assert_eq!((done.took, world.host(0).dialled.len()), (s(5), 3), "over DoT");
        assert!(matches!(done.error().kind(), ErrorKind::Deadline));

        let mut world = over_http(SpokenProtocol::Http1, |builder| builder);
        https_host(&mut world).replies(reply);
        let done = world.resolve("example.com");
        assert!(done.took < s(1), "over HTTPS: {:?}", done.took);
        assert!(matches!(done.error().kind(), ErrorKind::Upstream(Cause::Malformed(_))));
    }
}

/// Right: an attempt that ends without an answer counts as a failure. Both queries of the outage are failures.
#[test]
fn fault_e12_an_outage_without_answers_counts_no_failure() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::TcpAlone);
    for name in ["first.example", "second.example"] {
        assert!(world.resolve(name).error().is_timeout());
    }
    let stats = &world.shared.stats().upstreams[0];
    assert_eq!((stats.queries, stats.failures, stats.is_unhealthy), (2, 0, true));
}

/// A closed port, and a silent server. Right: the answer tells the time and the attempts of the lookup.
#[test]
fn fault_e13_a_stale_answer_after_a_failed_refresh_tells_no_time_and_no_attempts() {
    for accepts in [Accepts::Nothing, Accepts::Silently] {
        let mut world = with_a_stale_answer();
        world.host(0).accepts(accepts.clone());
        let done = world.resolve("example.com");
        assert!(done.took > ms(500), "{accepts:?}: {:?}", done.took);
        let answer = done.answer();
        assert!(answer.is_stale());
        assert_eq!((answer.elapsed(), answer.attempts()), (AT_ONCE, 0), "{accepts:?}");
    }
}

/// The first lookup asked, the second asked in vain, the third did not ask. Right: the counters say how each of the
/// three lookups ended, and add up to 3.
#[test]
fn fault_e13_a_stale_answer_given_without_asking_is_no_hit_and_no_miss() {
    let mut world = with_a_stale_answer();
    world.host(0).accepts(Accepts::Silently);
    assert!(world.resolve("example.com").answer().is_stale());
    let done = world.resolve("example.com");
    assert_eq!(done.took, AT_ONCE);
    assert!(done.answer().is_stale());
    let stats = world.shared.stats().cache;
    assert_eq!((stats.hits, stats.misses, stats.stale), (0, 2, 2));
}

/// Right: one of the two, documented, whether or not a refresh has failed in the last 30 s.
#[test]
fn fault_e15_a_cache_only_lookup_gets_a_stale_answer_only_after_a_failure() {
    let mut world = with_a_stale_answer();
    world.host(0).accepts(Accepts::Silently);
    let cache_only = query("example.com").with_cache_use(CacheUse::Only);
    let before = world.ask(&cache_only);
    assert!(matches!(world.finish(before).error().kind(), ErrorKind::NotCached));
    assert!(world.resolve("example.com").answer().is_stale());
    let after = world.ask(&cache_only);
    assert!(world.finish(after).answer().is_stale());
    world.run_for(s(31));
    let later = world.ask(&cache_only);
    assert!(matches!(world.finish(later).error().kind(), ErrorKind::NotCached));
}
