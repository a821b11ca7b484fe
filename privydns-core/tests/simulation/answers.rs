//! Successful lookups: which queries are sent, how often, and which caller receives which answer.

use std::sync::Arc;

use privydns_core::engine::{CacheResult, Input, LookupId, Output};
use privydns_core::{
    CacheUse, ClientCertificate, Config, ErrorKind, Outcome, Protocol, Query, RecordType, Transport,
};

use crate::world::wire::{NXDOMAIN, Reply};
use crate::world::{ADDRESS, AT_ONCE, Act, Ask, World, address, epoch, ms, query, s, upstream};

/// TCP, TLS and the query take a round trip of 20 ms each.
const COLD: std::time::Duration = ms(60);
const WARM: std::time::Duration = ms(20);

#[test]
fn first_lookup_takes_three_round_trips_the_next_takes_one() {
    let mut world = World::with_upstreams(1);
    let done = world.resolve("example.com");
    assert_eq!(done.at, COLD);
    let answer = done.answer();
    assert_eq!(answer.addresses().collect::<Vec<_>>(), [std::net::IpAddr::from(ADDRESS)]);
    assert_eq!((answer.upstream(), answer.transport(), answer.attempts()), ("up0", Transport::Tls, 1));
    assert_eq!(answer.elapsed(), COLD);

    assert_eq!(world.resolve("example.org").took, WARM);
    assert_eq!(world.host(0).dialled.len(), 1);
}

#[test]
fn cached_answer_sends_no_packet() {
    let mut world = World::with_upstreams(1);
    world.resolve("example.com").answer();
    world.run_for(s(5));
    let begun = world.now();
    let done = world.resolve("EXAMPLE.com.");
    assert_eq!(done.at, begun);
    let answer = done.answer();
    assert!(answer.is_cached());
    assert_eq!(answer.ttl(), Some(295));
    assert_eq!(world.host(0).asked.len(), 1);
}

#[test]
fn fifty_equal_lookups_share_one_query() {
    let mut world = World::with_upstreams(1);
    for _ in 0..50 {
        world.lookup("example.com");
    }
    let done = world.finish_all();
    assert_eq!(done.len(), 50);
    assert!(done.iter().all(|done| done.result.is_ok() && done.at == COLD));
    assert_eq!(world.host(0).asked.len(), 1);
}

/// With one seed, all callers that share an answer would choose the same one of several servers.
#[test]
fn equal_lookups_have_shuffle_seeds_of_their_own() {
    let mut world = World::with_upstreams(1);
    let reply =
        |question: &_| Reply::to(question).record(300, b"\0\x0a\x01a\0").record(300, b"\0\x0a\x01b\0");
    world.host(0).replies(reply);
    let mail = Query::new("example.com", RecordType::MX).expect("a name");
    for _ in 0..50 {
        world.ask(&mail);
    }
    let servers = world.finish_all().into_iter().map(|done| done.answer().mx().expect("servers"));
    let first = servers.filter(|servers| servers[0].exchange.to_ascii() == "a.").count();
    assert!((1..50).contains(&first), "{first}");
    assert_eq!(world.host(0).asked.len(), 1);
}

/// The maximum number of lookups. Their cost must grow linearly with their number.
#[test]
fn sixteen_thousand_equal_lookups_share_one_query() {
    let mut world = World::with_upstreams(1);
    for _ in 0..16_384 {
        world.lookup("example.com");
    }
    let done = world.finish_all();
    assert_eq!(done.len(), 16_384);
    assert!(done.iter().all(|done| done.result.is_ok() && done.at == COLD));
    assert_eq!(world.host(0).asked.len(), 1);
}

#[test]
fn later_equal_lookup_joins_the_flight() {
    let mut world = World::with_upstreams(1);
    world.lookup("example.com");
    world.run_for(ms(55));
    world.lookup("example.com");
    assert!(world.finish_all().into_iter().all(|done| done.at == COLD && done.result.is_ok()));
    assert_eq!(world.host(0).asked.len(), 1);
}

#[test]
fn hundred_lookups_on_a_cold_resolver_open_one_connection() {
    let mut world = World::with_upstreams(1);
    for number in 0..100 {
        world.lookup(&format!("host{number}.example"));
    }
    let done = world.finish_all();
    assert_eq!(done.len(), 100);
    assert!(done.iter().all(|done| done.result.is_ok() && done.at == COLD));
    assert_eq!((world.host(0).dialled.len(), world.host(0).asked.len()), (1, 100));
}

#[test]
fn out_of_order_answers_reach_their_lookups() {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(|ask| {
        let data = [203, 0, 113, u8::try_from(ask.number).expect("a few")];
        let reply = Reply::to(&ask.question).record(300, &data);
        vec![Act::Send(ms(100 - 10 * ask.number as u64), reply.octets())]
    });
    for number in 0..10 {
        world.lookup(&format!("host{number}.example"));
    }
    for (number, done) in world.finish_all().into_iter().enumerate() {
        assert_eq!(done.at, COLD + ms(100 - 10 * number as u64));
        let last = u8::try_from(number).expect("a few");
        assert!(done.answer().addresses().eq([std::net::IpAddr::from([203, 0, 113, last])]));
    }
}

/// A server that sends a wrong answer first and the right answer 10 ms later.
fn after_a_lie(lie: impl Fn(&Ask) -> Reply + 'static) -> World {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(move |ask| {
        let lie = lie(ask).record(300, &[192, 0, 2, 66]);
        let truth = Reply::to(&ask.question).record(300, &ADDRESS);
        vec![Act::Send(AT_ONCE, lie.octets()), Act::Send(ms(10), truth.octets())]
    });
    world
}

#[test]
fn answer_with_a_wrong_id_is_ignored() {
    let mut world = after_a_lie(|ask| Reply::to(&ask.question).id(ask.question.id ^ 1));
    let done = world.resolve("example.com");
    assert_eq!(done.at, COLD + ms(10));
    assert!(done.answer().addresses().eq([std::net::IpAddr::from(ADDRESS)]));
}

#[test]
fn answer_to_another_question_is_ignored() {
    let mut world = after_a_lie(|ask| Reply::to(&ask.question.about("elsewhere")));
    let done = world.resolve("example.com");
    assert_eq!(done.at, COLD + ms(10));
    assert!(done.answer().addresses().eq([std::net::IpAddr::from(ADDRESS)]));
}

#[test]
fn nxdomain_is_an_answer_and_denies_the_names_below() {
    let mut world = World::with_upstreams(2);
    world.host(0).replies(|question| Reply::to(question).rcode(NXDOMAIN).soa(60, 1));
    let done = world.resolve("no.example");
    assert_eq!((done.at, done.answer().outcome()), (COLD, Outcome::NxDomain));
    let below = world.resolve("www.no.example").answer();
    assert!(below.is_cached());
    assert_eq!(below.outcome(), Outcome::NxDomain);
    assert_eq!((world.host(0).asked.len(), world.host(1).dialled.len()), (1, 0));
}

#[test]
fn special_use_names_send_no_packet() {
    let mut world = World::with_upstreams(1);
    assert!(world.resolve("localhost").answer().addresses().all(|address| address.is_loopback()));
    assert!(world.resolve("192.0.2.1").answer().addresses().eq([std::net::IpAddr::from([192, 0, 2, 1])]));
    let error = world.resolve("secret.onion").error();
    assert!(matches!(error.kind(), ErrorKind::SpecialUse("onion")), "{error}");
    assert_eq!(world.host(0).dialled.len(), 0);
}

#[test]
fn lookup_may_bypass_the_cache_or_use_only_the_cache() {
    let mut world = World::with_upstreams(1);
    let only = query("example.com").with_cache_use(CacheUse::Only);
    let id = world.ask(&only);
    assert!(matches!(world.finish(id).error().kind(), ErrorKind::NotCached));
    assert_eq!(world.host(0).dialled.len(), 0);

    world.resolve("example.com").answer();
    world.run_for(s(10));
    let id = world.ask(&query("example.com").with_cache_use(CacheUse::Bypass));
    assert!(!world.finish(id).answer().is_cached());
    assert_eq!(world.host(0).asked.len(), 2);

    let id = world.ask(&only);
    assert_eq!(world.finish(id).answer().ttl(), Some(300), "what the bypass brought is kept");
}

/// An internal name must not be answered with the public answer, nor the reverse.
#[test]
fn upstream_sets_share_neither_flight_nor_cache() {
    let certified = rcgen::generate_simple_self_signed(["client.example".to_owned()]).expect("a certificate");
    let certificate =
        ClientCertificate::from_der([certified.cert.der().to_vec()], &certified.signing_key.serialize_der());
    let inside = upstream(1).client_certificate(certificate.expect("a client certificate"));
    let mut world = World::new(Config::builder().upstream(upstream(0)).upstream(inside));
    world.host(0).replies(|question| Reply::to(question).rcode(NXDOMAIN).soa(60, 1));

    let outside = world.ask(&query("db.internal").with_protocol(Protocol::Tls));
    let inside = world.ask(&query("db.internal").with_protocol(Protocol::MutualTls));
    assert_eq!(world.finish(outside).answer().outcome(), Outcome::NxDomain);
    let answer = world.finish(inside).answer();
    assert_eq!((answer.upstream(), answer.transport()), ("up1", Transport::MutualTls));
    assert!(answer.addresses().eq([std::net::IpAddr::from(ADDRESS)]));
    assert_eq!((world.host(0).asked.len(), world.host(1).asked.len()), (1, 1));

    let again = world.ask(&query("db.internal").with_protocol(Protocol::Tls));
    let answer = world.finish(again).answer();
    assert!(answer.is_cached());
    assert_eq!(answer.outcome(), Outcome::NxDomain);
    let none = world.ask(&query("db.internal").with_protocol(Protocol::Https));
    assert!(matches!(world.finish(none).error().kind(), ErrorKind::Unroutable(_)));
}

#[test]
fn queries_with_different_options_do_not_share_a_flight() {
    let mut world = World::with_upstreams(1);
    world.ask(&query("example.com"));
    world.ask(&query("example.com").dnssec_ok(true));
    world.ask(&query("example.com").checking_disabled(true));
    world.ask(&privydns_core::Query::new("example.com", RecordType::AAAA).expect("a name"));
    world.host(0).replies(|question| {
        let data: &[u8] = if question.record_type == crate::world::wire::A { &ADDRESS } else { &[0; 16] };
        Reply::to(question).record(300, data)
    });
    assert!(world.finish_all().iter().all(|done| done.result.is_ok()));
    assert_eq!(world.host(0).asked.len(), 4);
}

#[test]
fn same_seed_gives_the_same_bytes_another_seed_other_ids() {
    let run = |seed: u8| {
        let config =
            Config::builder().upstreams([upstream(0), upstream(1)]).build().expect("a configuration");
        let mut world = World::seeded(config, [seed; 32]);
        world.host(0).serves(|ask| match ask.number % 3 {
            0 => vec![Act::Close(ms(5))],
            1 => Vec::new(),
            _ => crate::world::answer(&ask.question),
        });
        for number in 0..30 {
            world.lookup(&format!("host{number}.example"));
            world.run_for(ms(40));
        }
        world.finish_all();
        let ids = world.network.host(address(1)).asked.iter().map(|ask| ask.question.id).collect::<Vec<_>>();
        (world.trace.sum(), ids)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).1, run(2).1);
}

/// A driver may mix up two resolvers.
#[test]
fn query_key_of_another_resolver_does_not_change_the_upstream() {
    let routed = Config::builder().upstream(upstream(0)).route("example.com", [upstream(1)]);
    let other = World::new(routed);
    let query = Arc::new(query("example.com"));
    let Ok(CacheResult::Miss(query_key)) = other.shared.try_answer(epoch(), &query) else {
        panic!("it is known")
    };

    let mut world = World::with_upstreams(1);
    let miss = Input::Miss { id: LookupId(1), query, query_key, deadline: epoch() + s(5) };
    world.engine.handle_input(epoch(), miss);
    let output = world.engine.poll_output(epoch(), &mut Vec::new());
    assert!(matches!(output, Output::Connect { target, .. } if target.address == address(0)));
}
