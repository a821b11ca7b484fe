//! C1, C2: faults of the cache.

use privydns_core::{Config, Outcome, Protocol, Query, RecordType};

use crate::world::wire::{AAAA, NXDOMAIN, Reply};
use crate::world::{
    ADDRESS, SpokenProtocol, World, answer_after, https_address, https_upstream, ms, query, s, upstream,
};

/// A server that denies the name to questions for AAAA, and has an A record (RFC 4074 section 4.2).
fn denies_aaaa(world: &mut World) {
    world.host(0).replies(|question| match question.record_type {
        AAAA => Reply::to(question).rcode(NXDOMAIN).soa(3600, 1),
        _ => Reply::to(question).record(60, &ADDRESS),
    });
}

/// Right: no denial of a name while a positive answer for the name is fresh. The denial is kept for AAAA alone, and a
/// question for A gets its records at any time.
#[test]
fn fault_c1_nxdomain_for_aaaa_denies_the_a_record() {
    let mut world = World::with_upstreams(1);
    denies_aaaa(&mut world);
    let mut outcome = |at, record_type| {
        world.run_until(at);
        let id = world.ask(&Query::new("broken.example", record_type).expect("a name"));
        world.finish(id).answer().outcome()
    };
    assert_eq!(outcome(s(0), RecordType::A), Outcome::Records);
    assert_eq!(outcome(s(1), RecordType::AAAA), Outcome::NxDomain);
    assert_eq!(outcome(s(30), RecordType::A), Outcome::Records);
    for at in [70, 600, 3500] {
        assert_eq!(outcome(s(at), RecordType::A), Outcome::NxDomain, "at {at} s");
    }
}

/// Right: an answer to a query from before `clear` is not kept after `clear`.
#[test]
fn fault_c2_clear_does_not_keep_out_an_answer_on_the_way() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).serves(|ask| answer_after(ms(200), &ask.question));
    let id = world.lookup("example.com");
    world.run_for(ms(100));
    world.shared.cache().clear();
    world.finish(id).answer();
    assert!(world.resolve("example.com").answer().is_cached());
}

/// Right: `forget` forgets the answers to a question, whatever protocol the query asked for.
#[test]
fn fault_c2_forget_misses_an_answer_for_one_protocol() {
    let mut world = World::new(Config::builder().upstreams([upstream(0), https_upstream(1)]));
    world.network.host(https_address(1)).speaks = SpokenProtocol::Http1;
    let over_tls = query("example.com").with_protocol(Protocol::Tls);
    let first = world.ask(&over_tls);
    world.finish(first).answer();
    world.shared.forget(&query("example.com"));
    let second = world.ask(&over_tls);
    assert!(world.finish(second).answer().is_cached());
}
