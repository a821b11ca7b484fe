//! What a denial covers, and what removes it.

use super::*;

fn nxdomain(query: &Query) -> Reply {
    Reply::to(query).nxdomain().soa("example.com", 60, 60)
}

fn nodata(query: &Query) -> Reply {
    Reply::to(query).soa("example.com", 60, 60)
}

/// Conformance 38.
#[test]
fn nodata_is_kept_by_type() {
    let bench = Bench::new(&CacheSettings::default());
    bench.insert(&aaaa("www.example.com"), &nodata(&aaaa("www.example.com")));
    assert_eq!(bench.outcome(&aaaa("www.example.com")), Some(Outcome::NoData));
    assert!(bench.misses(&a("www.example.com")));
    assert!(bench.misses(&aaaa("below.www.example.com")));
}

/// Conformance 38.
#[test]
fn nxdomain_is_kept_for_all_types_and_names_below() {
    let bench = Bench::new(&CacheSettings::default());
    let denied = a("gone.example.com");
    bench.insert(&denied, &nxdomain(&denied));
    for query in [denied, aaaa("gone.example.com"), a("www.gone.example.com"), aaaa("a.b.c.gone.example.com")]
    {
        let answer = bench.fresh(&query).expect("denied");
        assert_eq!(answer.outcome(), Outcome::NxDomain);
        assert_eq!(answer.ttl(), Some(60));
        assert!(answer.is_cached());
        assert!(
            crate::Message::parse(answer.to_wire().into(), &query).is_ok(),
            "a denial answers its own question"
        );
    }
    for name in ["example.com", "com", "www.example.com", "agone.example.com", "."] {
        assert!(bench.misses(&a(name)), "{name}");
    }
}

/// Conformance 38.
#[test]
fn denial_covers_names_below_only_for_its_own_lifetime() {
    let mut bench = Bench::new(&CacheSettings::default());
    bench.insert(&a("gone.example.com"), &nxdomain(&a("gone.example.com")));
    bench.wait_seconds(59);
    assert_eq!(bench.fresh(&a("www.gone.example.com")).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&a("www.gone.example.com")) && bench.misses(&a("gone.example.com")));
}

/// Conformance 38.
#[test]
fn nxdomain_after_a_cname_chain_denies_the_last_name() {
    let mut bench = Bench::new(&CacheSettings::default());
    let alias = a("www.example.org");
    bench.insert(&alias, &nxdomain(&alias.clone()).after_cname(20, "www.example.org", "gone.example.com"));
    let answer = bench.fresh(&alias).expect("kept");
    assert_eq!((answer.outcome(), answer.records().count()), (Outcome::NxDomain, 1));
    for name in ["gone.example.com", "below.gone.example.com"] {
        let answer = bench.fresh(&aaaa(name)).expect("denied");
        assert_eq!((answer.outcome(), answer.answers().count()), (Outcome::NxDomain, 0), "{name}");
    }
    for query in [aaaa("www.example.org"), a("below.www.example.org"), a("example.com")] {
        assert!(bench.misses(&query), "{query:?}");
    }
    bench.wait_seconds(20);
    assert!(bench.misses(&alias), "the CNAME record has ended");
}

/// RFC 8020 Section 2: a query with DO gets the proofs.
#[test]
fn denial_of_another_name_does_not_answer_a_query_with_do() {
    let bench = Bench::new(&CacheSettings::default());
    let denied = a("gone.example.com").dnssec_ok(true);
    bench.insert(&denied, &nxdomain(&denied));
    assert_eq!(bench.outcome(&denied), Some(Outcome::NxDomain));
    assert!(bench.misses(&aaaa("gone.example.com").dnssec_ok(true)));
    assert!(bench.misses(&a("www.gone.example.com").dnssec_ok(true)));
}

#[test]
fn denial_removes_its_own_records_and_keeps_records_below() {
    let bench = Bench::new(&CacheSettings::default());
    for query in [a("x.example.com"), aaaa("x.example.com"), a("y.x.example.com")] {
        bench.insert(&query, &Reply::to(&query).record(query.type_number(), TTL, &[1; 16]));
    }
    bench.insert(&a("x.example.com"), &nxdomain(&a("x.example.com")));
    assert_eq!(bench.outcome(&a("x.example.com")), Some(Outcome::NxDomain));
    assert_eq!(bench.outcome(&aaaa("x.example.com")), Some(Outcome::Records));
    assert_eq!(bench.outcome(&a("y.x.example.com")), Some(Outcome::Records));
}

#[test]
fn answer_removes_denials_of_its_name_and_names_above() {
    type Make = fn(&Query) -> Reply;
    let makes: [Make; 4] = [
        |query| Reply::to(query).a(TTL),
        |query| Reply::to(query).a(0),
        nodata,
        |query| Reply::to(query).cname(TTL, "elsewhere.example").a(TTL),
    ];
    for make in makes {
        let bench = Bench::new(&CacheSettings::default());
        for name in ["b.example.com", "a.b.example.com", "z.a.b.example.com"] {
            bench.insert(&a(name), &nxdomain(&a(name)));
        }
        let query = a("a.b.example.com");
        bench.insert(&query, &make(&query));
        assert!(bench.misses(&aaaa("a.b.example.com")) && bench.misses(&a("b.example.com")));
        assert_eq!(
            bench.outcome(&a("z.a.b.example.com")),
            Some(Outcome::NxDomain),
            "the name is below a denied one"
        );
    }
}

#[test]
fn answer_removes_the_denial_of_its_chains_last_name() {
    let bench = Bench::new(&CacheSettings::default());
    bench.insert(&a("web.example.com"), &nxdomain(&a("web.example.com")));
    let alias = a("www.example.org");
    bench.insert(&alias, &Reply::to(&alias).cname(TTL, "web.example.com").a(TTL));
    assert!(bench.misses(&a("web.example.com")));
}

#[test]
fn chain_to_a_denied_name_removes_the_denial_of_its_first_name() {
    let bench = Bench::new(&CacheSettings::default());
    let alias = a("www.example.com");
    bench.insert(&aaaa("www.example.com"), &nxdomain(&aaaa("www.example.com")));
    bench.insert(&alias, &nxdomain(&alias).after_cname(TTL, "www.example.com", "gone.example.com"));
    assert!(bench.misses(&aaaa("www.example.com")));
    assert_eq!(bench.outcome(&aaaa("gone.example.com")), Some(Outcome::NxDomain));
}

#[test]
fn remove_also_removes_denials_of_names_above() {
    let bench = Bench::new(&CacheSettings::default());
    bench.insert(&a("b.example.com"), &nxdomain(&a("b.example.com")));
    bench.cache.remove(&aaaa("a.b.example.com"), PUBLIC);
    assert!(bench.misses(&aaaa("a.b.example.com")));
}

#[test]
fn denials_apply_to_the_same_upstreams_and_flags_only() {
    let bench = Bench::new(&CacheSettings::default());
    let denied = a("gone.example.com");
    bench.insert(&denied, &nxdomain(&denied));
    assert!(matches!(bench.found_in(&denied, INTERNAL), Found::Miss));
    assert!(bench.misses(&denied.clone().dnssec_ok(true)));
    assert!(bench.misses(&denied.clone().checking_disabled(true)));
}
