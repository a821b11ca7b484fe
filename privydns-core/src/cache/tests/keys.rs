//! When lookups have the same key.

use std::collections::BTreeSet;

use super::*;
use crate::message::{CacheUse, ClientSubnet};
use crate::upstream::Protocol;

fn prefix(address: &str, length: u8) -> ClientSubnet {
    ClientSubnet::Prefix { address: address.parse().expect("an address"), length }
}

/// Conformance 41, and the other parts of the key.
#[test]
fn lookups_with_different_answers_have_different_keys() {
    let cache = Cache::new(&CacheSettings::default(), [1; 16]);
    let plain = || a("www.example.com");
    let queries = [
        plain(),
        a("www.example.net"),
        a("wwwexample.com"),
        aaaa("www.example.com"),
        plain().dnssec_ok(true),
        plain().checking_disabled(true),
        plain().dnssec_ok(true).checking_disabled(true),
        plain().with_client_subnet(ClientSubnet::Withheld),
        plain().with_client_subnet(prefix("192.0.2.0", 24)),
        plain().with_client_subnet(prefix("192.0.3.0", 24)),
        plain().with_client_subnet(prefix("192.0.2.0", 25)),
        plain().with_client_subnet(prefix("::", 0)),
        plain().with_client_subnet(prefix("0.0.0.0", 0)),
        plain().with_client_subnet(prefix("::ffff:192.0.2.0", 120)),
    ];
    let keys: BTreeSet<CacheKey> = queries
        .iter()
        .flat_map(|query| [PUBLIC, INTERNAL].map(|upstream_set| cache.key(query, upstream_set)))
        .collect();
    assert_eq!(keys.len(), 2 * queries.len());
}

#[test]
fn options_that_do_not_affect_the_answer_keep_the_key() {
    let cache = Cache::new(&CacheSettings::default(), [1; 16]);
    let plain = a("www.example.com");
    let queries = [
        a("WWW.Example.COM."),
        plain.clone().padding(false),
        plain.clone().with_timeout(Duration::from_secs(1)),
        plain.clone().with_cache_use(CacheUse::Bypass),
        plain.clone().with_protocol(Protocol::Tls),
    ];
    for query in queries {
        assert_eq!(cache.key(&query, PUBLIC), cache.key(&plain, PUBLIC), "{query:?}");
    }
}

#[test]
fn keys_depend_on_the_secret() {
    let caches = [[1; 16], [2; 16]].map(|secret| Cache::new(&CacheSettings::default(), secret));
    let [one, other] = caches.each_ref().map(|cache| cache.key(&a("www.example.com"), PUBLIC));
    assert_ne!(one, other);
    assert!(!format!("{caches:?}{one:?}").contains("[1, 1"), "Debug must not print the secrets");
}

#[test]
fn denial_key_differs_from_answer_keys_of_all_types() {
    let keyer = Keyer::new(&[1; 16]);
    let zero = query("example.com", RecordType::from(0));
    assert_ne!(keyer.answer(&zero, PUBLIC), keyer.denials(&zero, PUBLIC)(zero.name().as_wire()));
}

#[test]
fn different_upstream_sets_share_no_answers() {
    let bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    assert!(matches!(bench.found_in(&query, INTERNAL), Found::Miss));
}

#[test]
fn clones_share_the_cache() {
    let bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.cache.clone().insert(
        bench.now,
        &query,
        bench.cache.query_key(&query, PUBLIC),
        &Reply::to(&query).a(TTL).message(&query),
        0,
        &wire::origin(),
    );
    assert!(bench.fresh(&query).is_some());
}

#[test]
fn cooldowns_last_for_their_time_and_apply_to_their_key() {
    let keyer = Keyer::new(&[1; 16]);
    let cooldowns = Cooldowns::new();
    let clock = Clock::default();
    let begin = clock.timestamp(epoch());
    let keys = ["1.example", "2.example"].map(|name| keyer.answer(&a(name), PUBLIC));
    assert!(cooldowns.claim(keys[0], begin) && !cooldowns.claim(keys[0], begin));
    assert!(!cooldowns.is_set(keys[1], begin));
    let end = begin.plus(Cooldowns::PAUSE);
    assert!(
        cooldowns.is_set(keys[0], end.minus(Duration::from_millis(1))) && !cooldowns.is_set(keys[0], end)
    );
    cooldowns.set(keys[0], end);
    cooldowns.clear(keys[1]);
    assert!(cooldowns.is_set(keys[0], end));
    cooldowns.clear(keys[0]);
    assert!(!cooldowns.is_set(keys[0], end));
}
