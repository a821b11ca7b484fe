//! What the absence of a name says about others, and what ends it.

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
            "it answers its own question"
        );
    }
    for name in ["example.com", "com", "www.example.com", "agone.example.com", "."] {
        assert!(bench.misses(&a(name)), "{name}");
    }
}

/// Conformance 38.
#[test]
fn a_denial_of_other_names_ends_with_its_own_time() {
    let mut bench = Bench::new(&CacheSettings::default());
    bench.insert(&a("gone.example.com"), &nxdomain(&a("gone.example.com")));
    bench.wait_seconds(59);
    assert_eq!(bench.fresh(&a("www.gone.example.com")).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&a("www.gone.example.com")) && bench.misses(&a("gone.example.com")));
}

/// Conformance 38.
#[test]
fn at_the_end_of_a_chain_the_last_name_is_denied() {
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

/// RFC 8020 Section 2: who asks for proofs gets them.
#[test]
fn a_denial_without_its_proofs_is_no_answer_to_who_asks_for_them() {
    let bench = Bench::new(&CacheSettings::default());
    let denied = a("gone.example.com").dnssec_ok(true);
    bench.insert(&denied, &nxdomain(&denied));
    assert_eq!(bench.outcome(&denied), Some(Outcome::NxDomain));
    assert!(bench.misses(&aaaa("gone.example.com").dnssec_ok(true)));
    assert!(bench.misses(&a("www.gone.example.com").dnssec_ok(true)));
}

#[test]
fn a_denial_takes_back_what_it_denies_and_leaves_other_records_their_time() {
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
fn an_answer_takes_back_the_denial_of_its_name_and_those_above() {
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
        assert_eq!(bench.outcome(&a("z.a.b.example.com")), Some(Outcome::NxDomain), "it lies below");
    }
}

#[test]
fn an_answer_takes_back_the_denial_of_the_name_that_its_chain_leads_to() {
    let bench = Bench::new(&CacheSettings::default());
    bench.insert(&a("web.example.com"), &nxdomain(&a("web.example.com")));
    let alias = a("www.example.org");
    bench.insert(&alias, &Reply::to(&alias).cname(TTL, "web.example.com").a(TTL));
    assert!(bench.misses(&a("web.example.com")));
}

#[test]
fn a_chain_to_a_denied_name_takes_back_the_denial_of_the_name_it_begins_at() {
    let bench = Bench::new(&CacheSettings::default());
    let alias = a("www.example.com");
    bench.insert(&aaaa("www.example.com"), &nxdomain(&aaaa("www.example.com")));
    bench.insert(&alias, &nxdomain(&alias).after_cname(TTL, "www.example.com", "gone.example.com"));
    assert!(bench.misses(&aaaa("www.example.com")));
    assert_eq!(bench.outcome(&aaaa("gone.example.com")), Some(Outcome::NxDomain));
}

#[test]
fn what_is_removed_is_no_longer_denied_from_above() {
    let bench = Bench::new(&CacheSettings::default());
    bench.insert(&a("b.example.com"), &nxdomain(&a("b.example.com")));
    bench.cache.remove(&aaaa("a.b.example.com"), PUBLIC);
    assert!(bench.misses(&aaaa("a.b.example.com")));
}

#[test]
fn denials_stay_within_their_group_and_options() {
    let bench = Bench::new(&CacheSettings::default());
    let denied = a("gone.example.com");
    bench.insert(&denied, &nxdomain(&denied));
    assert!(matches!(bench.found_in(&denied, INTERNAL), Found::Miss));
    assert!(bench.misses(&denied.clone().dnssec_ok(true)));
    assert!(bench.misses(&denied.clone().checking_disabled(true)));
}
