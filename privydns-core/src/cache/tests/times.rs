//! How long answers are kept.

use super::*;

/// Conformance 37.
#[test]
fn record_is_found_until_its_ttl_ends() {
    let mut bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.wait(Duration::from_millis(299_999));
    let answer = bench.fresh(&query).expect("one millisecond left");
    assert_eq!(answer.ttl(), Some(1));
    assert_eq!(answer.records().map(|record| record.ttl()).collect::<Vec<_>>(), [1]);
    assert!(answer.is_cached() && !answer.is_stale());
    assert_eq!((answer.upstream(), answer.transport()), ("resolver.example", crate::Transport::Tls));
    assert_eq!((answer.attempts(), answer.elapsed()), (0, Duration::ZERO));
    bench.wait(Duration::from_millis(1));
    assert!(bench.misses(&query));
}

/// Conformance 37.
#[test]
fn least_ttl_of_chain_and_records_applies() {
    let mut bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).cname(20, "web.example.net").a(TTL));
    bench.wait_seconds(19);
    assert_eq!(bench.fresh(&query).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&query));
}

/// Conformance 37.
#[test]
fn ttl_is_capped_and_shown_capped() {
    let mut bench = Bench::new(&CacheSettings::default());
    let week = 7 * 24 * 3600;
    for ttl in [week + 1, i32::MAX as u32, 0x8000_0000, u32::MAX] {
        let query = a(&format!("{ttl}.example"));
        bench.insert(&query, &Reply::to(&query).a(ttl));
        assert_eq!(bench.fresh(&query).and_then(|answer| answer.ttl()), Some(week), "{ttl}");
    }
    bench.wait_seconds(u64::from(week) - 1);
    assert_eq!(bench.fresh(&a("2147483648.example")).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&a("2147483648.example")));
}

/// Conformance 37.
#[test]
fn ttl_of_zero_is_not_kept_and_removes_the_old_answer() {
    let bench = Bench::new(&CacheSettings::default().min_ttl(Duration::from_secs(60)));
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.insert(&query, &Reply::to(&query).a(TTL).a(0));
    assert!(bench.misses(&query));
}

#[test]
fn min_ttl_applies_to_records_and_not_to_denials() {
    let mut bench = Bench::new(&CacheSettings::default().min_ttl(Duration::from_secs(60)));
    let (short, none) = (a("www.example.com"), aaaa("www.example.com"));
    bench.insert(&short, &Reply::to(&short).a(5));
    bench.insert(&none, &Reply::to(&none).soa("example.com", 5, 5));
    bench.wait_seconds(5);
    assert!(bench.misses(&none));
    bench.wait_seconds(54);
    let answer = bench.fresh(&short).expect("kept for a minute");
    assert_eq!((answer.ttl(), answer.is_stale()), (Some(0), false));
    bench.wait_seconds(1);
    assert!(bench.misses(&short));
}

#[test]
fn max_ttl_takes_precedence_over_min_ttl() {
    let settings = CacheSettings::default().min_ttl(Duration::from_secs(60)).max_ttl(Duration::from_secs(10));
    let mut bench = Bench::new(&settings);
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.wait_seconds(10);
    assert!(bench.misses(&query));
}

/// Conformance 38.
#[test]
fn denial_is_kept_for_the_lesser_of_soa_ttl_and_minimum() {
    for (ttl, minimum) in [(30, 900), (900, 30)] {
        let mut bench = Bench::new(&CacheSettings::default());
        let query = a("www.example.com");
        bench.insert(&query, &Reply::to(&query).soa("example.com", ttl, minimum));
        bench.wait_seconds(29);
        assert_eq!(bench.outcome(&query), Some(Outcome::NoData));
        bench.wait_seconds(1);
        assert!(bench.misses(&query));
    }
}

/// Conformance 38.
#[test]
fn denial_is_kept_for_three_hours_at_most() {
    let mut bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).nxdomain().soa("example.com", 86_400, 86_400));
    bench.wait_seconds(3 * 3600 - 1);
    assert_eq!(bench.fresh(&query).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&query));

    let mut bench = Bench::new(&CacheSettings::default().max_negative_ttl(Duration::from_secs(60)));
    bench.insert(&query, &Reply::to(&query).nxdomain().soa("example.com", 86_400, 86_400));
    bench.wait_seconds(59);
    assert_eq!(bench.fresh(&query).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&query), "or until the configured maximum");
}

/// Conformance 38.
#[test]
fn denial_without_soa_is_not_kept() {
    let bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    for reply in
        [Reply::to(&query), Reply::to(&query).nxdomain(), Reply::to(&query).soa("example.net", 60, 60)]
    {
        bench.insert(&query, &reply);
        assert!(bench.misses(&query));
    }
}

/// Conformance 36.
#[test]
fn truncated_answer_is_not_kept_and_removes_nothing() {
    let bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL).truncated());
    assert!(bench.misses(&query));
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.insert(&query, &Reply::to(&query).truncated());
    assert_eq!(bench.outcome(&query), Some(Outcome::Records));
}

/// Conformance 36.
#[test]
fn opt_record_is_not_kept() {
    let bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    let plain = Reply::to(&query).a(TTL);
    bench.insert(&query, &plain.clone().opt(400));
    let kept = bench.fresh(&query).expect("kept");
    assert_eq!(kept.to_wire(), plain.message(&query).as_wire());
}

/// Conformance 36. The rest of the message is still parsed like any other.
#[test]
fn additional_records_are_kept_up_to_the_opt_record() {
    let bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    let before = Reply::to(&query).a(TTL).additional(60);
    bench.insert(&query, &before.clone().opt(0).additional(60));
    assert_eq!(bench.fresh(&query).expect("kept").to_wire(), before.message(&query).as_wire());
}

/// Conformance 30.
#[test]
fn age_in_http_caches_is_subtracted_from_the_ttl() {
    let mut bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert_aged(&query, &Reply::to(&query).a(TTL), 299);
    assert_eq!(bench.fresh(&query).and_then(|answer| answer.ttl()), Some(1));
    bench.wait_seconds(1);
    assert!(bench.misses(&query));
    bench.insert_aged(&query, &Reply::to(&query).a(TTL), 300);
    assert!(bench.misses(&query));
}

#[test]
fn clock_going_backwards_stands_still() {
    let mut bench = Bench::new(&CacheSettings::default());
    bench.now += Duration::from_secs(1000);
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.now -= Duration::from_secs(900);
    assert_eq!(bench.fresh(&query).and_then(|answer| answer.ttl()), Some(TTL));
}

/// Conformance 39.
#[test]
fn failure_is_not_kept_and_removes_nothing() {
    let bench = Bench::new(&CacheSettings::default().min_ttl(Duration::from_secs(60)));
    let query = a("www.example.com");
    let (servfail, refused) =
        (Reply::to(&query).rcode(2), Reply::to(&query).rcode(5).soa("example.com", 60, 60));
    bench.insert(&query, &servfail);
    assert!(bench.misses(&query));
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.insert(&query, &servfail);
    bench.insert(&query, &refused);
    assert_eq!(bench.outcome(&query), Some(Outcome::Records));
}

#[test]
fn cache_with_a_limit_of_zero_keeps_nothing() {
    for settings in [CacheSettings::default().max_entries(0), CacheSettings::default().max_bytes(0)] {
        let bench = Bench::new(&settings);
        let query = a("www.example.com");
        bench.insert(&query, &Reply::to(&query).a(TTL));
        assert!(bench.misses(&query));
        bench.cache.remove(&query, PUBLIC);
        bench.cache.clear();
        assert_eq!(bench.cache.stats(), CacheStats::default());
    }
}

#[test]
fn configured_limits_hold() {
    let entries = (CacheSettings::default().max_entries(50), 50);
    // An entry takes at least 160 bytes.
    let bytes = (CacheSettings::default().max_bytes(16 * 1024), 16 * 1024 / 160);
    for (settings, most) in [entries, bytes] {
        let bench = Bench::new(&settings);
        for number in 0..500 {
            let query = a(&format!("{number}.example"));
            bench.insert(&query, &Reply::to(&query).a(TTL));
        }
        let CacheStats { entries, evictions, .. } = bench.cache.stats();
        assert!((most / 4..=most).contains(&entries), "{entries} of {most}");
        assert_eq!(evictions, 500 - entries);
    }
}

#[test]
fn answer_of_60_kilobytes_is_kept_in_a_full_cache() {
    let bench = Bench::new(&CacheSettings::default().max_entries(1000).max_bytes(1 << 20));
    for number in 0..1200 {
        let query = a(&format!("{number}.example"));
        for _ in 0..2 {
            if bench.misses(&query) {
                bench.insert(&query, &Reply::to(&query).a(TTL));
            }
        }
    }
    let full = bench.cache.stats().entries;
    let query = query("large.example", RecordType::TXT);
    bench.insert(&query, &Reply::to(&query).txt(TTL, 55_000));
    let answer = bench.fresh(&query).expect("kept");
    assert!(answer.to_wire().len() > 60_000);
    assert!(full > 900 && bench.cache.stats().entries > 800);
}

#[test]
fn removed_and_cleared_answers_are_misses() {
    let bench = Bench::new(&CacheSettings::default());
    let (kept, other) = (a("www.example.com"), a("www.example.net"));
    let fill = || {
        for query in [&kept, &kept.clone().dnssec_ok(true), &other] {
            bench.insert(query, &Reply::to(query).a(TTL));
        }
    };
    fill();
    bench.cache.remove(&kept, PUBLIC);
    assert!(bench.misses(&kept) && bench.misses(&kept.clone().dnssec_ok(true)) && !bench.misses(&other));
    fill();
    bench.cache.clear();
    assert!(bench.misses(&kept) && bench.misses(&other));
    assert_eq!(bench.cache.stats().entries, 0);
    fill();
    assert_eq!(bench.cache.stats().entries, 3);
}

#[test]
fn hits_misses_stale_prefetches_and_evictions_are_counted() {
    let mut bench = Bench::new(&CacheSettings::default().prefetch(true).max_entries(2));
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.fresh(&query);
    bench.fresh(&query);
    bench.misses(&aaaa("www.example.com"));
    bench.wait_seconds(299);
    bench.found(&query);
    bench.cache.count_miss();
    bench.cache.count_stale();
    for name in ["1.example", "2.example", "3.example"] {
        bench.insert(&a(name), &Reply::to(&a(name)).a(TTL));
    }
    let stats = bench.cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.stale, stats.prefetches), (3, 1, 1, 1));
    assert_eq!((stats.entries, stats.evictions), (2, 2));
}
