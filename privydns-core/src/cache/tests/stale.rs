//! Stale answers, and answers that are renewed before their end.

use super::*;

const DAY: u64 = 24 * 3600;

fn serving_stale() -> CacheSettings {
    CacheSettings::default().serve_stale(CacheSettings::MAX_STALE)
}

/// The stale answer, and whether to send the query.
fn stale(bench: &Bench, query: &Query) -> Option<(Answer, bool)> {
    match bench.found(query) {
        Found::Stale { answer, is_worth_asking } => Some((answer, is_worth_asking)),
        _ => None,
    }
}

/// Conformance 40.
#[test]
fn stale_answer_is_kept_for_three_days_with_a_ttl_of_30_s() {
    let mut bench = Bench::new(&serving_stale());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).cname(TTL + 5, "web.example.com").a(TTL));
    bench.wait_seconds(u64::from(TTL));
    let (answer, is_worth_asking) = stale(&bench, &query).expect("a stale answer");
    assert!(answer.is_stale() && answer.is_cached() && is_worth_asking);
    let ttls: Vec<_> = answer.records().map(|record| record.ttl()).collect();
    assert_eq!(ttls, [5, 30], "one record has not ended");
    bench.wait_seconds(3 * DAY - 1);
    let (answer, _) = stale(&bench, &query).expect("one second of three days left");
    assert!(answer.records().all(|record| record.ttl() == 30));
    bench.wait_seconds(1);
    assert!(bench.misses(&query));
}

/// Conformance 40.
#[test]
fn capped_ttl_is_not_extended_while_stale() {
    let mut bench = Bench::new(&serving_stale());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(u32::MAX));
    bench.wait_seconds(8 * DAY);
    let (answer, _) = stale(&bench, &query).expect("a day past the cap");
    assert_eq!(answer.ttl(), Some(30));
}

/// Conformance 40.
#[test]
fn stale_answers_are_off_by_default() {
    let mut bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.wait_seconds(u64::from(TTL));
    assert!(bench.misses(&query));
}

#[test]
fn stale_time_is_capped_at_three_days() {
    let settings = CacheSettings::default().serve_stale(Duration::from_secs(30 * DAY));
    assert_eq!(settings, serving_stale());
}

/// Conformance 40.
#[test]
fn no_query_for_30_seconds_after_a_failure() {
    let mut bench = Bench::new(&serving_stale());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.wait_seconds(1000);
    bench.cache.failed(bench.now, bench.cache.key(&query, PUBLIC));
    for (millis, is_worth_asking) in [(0, false), (29_999, false), (1, true)] {
        bench.wait(Duration::from_millis(millis));
        assert_eq!(stale(&bench, &query).map(|(_, ask)| ask), Some(is_worth_asking));
    }
}

/// Conformance 40.
#[test]
fn answer_ends_the_pause_after_a_failure() {
    let mut bench = Bench::new(&serving_stale());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(1));
    bench.wait_seconds(1);
    bench.cache.failed(bench.now, bench.cache.key(&query, PUBLIC));
    bench.insert(&query, &Reply::to(&query).a(1));
    bench.wait_seconds(1);
    assert_eq!(stale(&bench, &query).map(|(_, ask)| ask), Some(true));
}

/// Conformance 40.
#[test]
fn failure_does_not_remove_a_stale_answer() {
    let mut bench = Bench::new(&serving_stale());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(TTL));
    bench.wait_seconds(1000);
    bench.insert(&query, &Reply::to(&query).rcode(2));
    assert!(stale(&bench, &query).is_some());
    bench.insert(&query, &Reply::to(&query).nxdomain().soa("example.com", 60, 60));
    assert_eq!(bench.outcome(&query), Some(Outcome::NxDomain));
}

/// RFC 8767 Section 7: of two stale answers, the newer one is used.
#[test]
fn newer_stale_denial_wins_over_older_records() {
    let mut bench = Bench::new(&serving_stale());
    let (records, denied) = (a("x.example.com"), aaaa("x.example.com"));
    bench.insert(&records, &Reply::to(&records).a(10));
    bench.wait_seconds(10);
    bench.insert(&denied, &Reply::to(&denied).nxdomain().soa("example.com", 60, 60));
    assert_eq!(bench.outcome(&records), Some(Outcome::NxDomain), "a fresh denial");
    bench.wait_seconds(60);
    let (answer, _) = stale(&bench, &records).expect("both are stale");
    assert_eq!(answer.outcome(), Outcome::NxDomain);
    let (answer, _) = stale(&bench, &a("below.x.example.com")).expect("denied from above");
    assert_eq!((answer.outcome(), answer.ttl()), (Outcome::NxDomain, Some(30)));
}

#[test]
fn answer_near_its_end_is_renewed_once() {
    let mut bench = Bench::new(&CacheSettings::default().prefetch(true));
    let query = a("www.example.com");
    let is_refresh = |bench: &Bench| match bench.found(&query) {
        Found::Fresh(_) => false,
        Found::Refresh(answer) => {
            assert!(!answer.is_stale());
            true
        }
        other => panic!("{other:?}"),
    };
    bench.insert(&query, &Reply::to(&query).a(1000));
    bench.wait(Duration::from_millis(899_999));
    assert!(!is_refresh(&bench), "more than a tenth is left");
    bench.wait(Duration::from_millis(1));
    assert!(is_refresh(&bench));
    assert!(!is_refresh(&bench), "the refresh is pending");
    bench.wait_seconds(29);
    assert!(!is_refresh(&bench));
    bench.wait_seconds(1);
    assert!(is_refresh(&bench), "the refresh brought no answer");

    bench.insert(&query, &Reply::to(&query).a(10));
    assert!(!is_refresh(&bench));
    bench.wait_seconds(9);
    assert!(is_refresh(&bench), "the new answer is near its own end");
}

#[test]
fn prefetching_is_off_by_default() {
    let mut bench = Bench::new(&CacheSettings::default());
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(1000));
    bench.wait_seconds(999);
    assert!(bench.fresh(&query).is_some());
}

#[test]
fn only_one_of_many_concurrent_lookups_renews() {
    let mut bench = Bench::new(&CacheSettings::default().prefetch(true));
    let query = a("www.example.com");
    bench.insert(&query, &Reply::to(&query).a(1000));
    bench.wait_seconds(950);
    let renewing = || (0..100).filter(|_| matches!(bench.found(&query), Found::Refresh(_))).count();
    let renewed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(renewing)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(renewed, 1);
}
