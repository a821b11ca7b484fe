//! The checks that each line of each server runs through, with each backend.

use privydns_core::{Cause, Outcome, Query, RecordType, ResponseCode, TlsVersion};

use crate::backend::TestResolver;
use crate::bench::{Bench, ask_many, cause, stats};

/// The number of concurrent lookups.
const MANY: u32 = 200;

/// All record types, compared field by field.
pub(crate) fn records(bench: &Bench<'_>, resolver: &dyn TestResolver) {
    let sets: Vec<_> = bench.lab.zone.sets().filter(|(name, ..)| !name.starts_with("huge")).collect();
    let queries = sets.iter().map(|(name, record_type, _)| Query::new(name, *record_type).unwrap()).collect();
    let behaviour = &bench.instance.kind.behaviour;
    for ((name, record_type, set), result) in sets.iter().zip(resolver.query_all(queries)) {
        let answer = result.unwrap_or_else(|error| panic!("{name} {record_type}: {error}"));
        let compared = set.compare(&answer, behaviour.ttls(set.ttl));
        assert_eq!(compared, Ok(()), "{name} {record_type}");
        assert_eq!(answer.transport(), bench.line.transport());
    }
}

/// An answer of 60,000 bytes.
pub(crate) fn huge(bench: &Bench<'_>, resolver: &dyn TestResolver) {
    let set = bench.lab.zone.set("huge.example.test.", RecordType::TXT);
    let answer = resolver.lookup("huge.example.test", RecordType::TXT).unwrap();
    assert_eq!(set.compare(&answer, bench.instance.kind.behaviour.ttls(set.ttl)), Ok(()));
    assert!(answer.to_wire().len() > 60_000);
}

/// NXDOMAIN and NODATA, with their negative TTL.
pub(crate) fn denials(bench: &Bench<'_>, resolver: &dyn TestResolver) {
    let ttls = bench.instance.kind.behaviour.ttls(60);
    for (name, outcome) in
        [("nowhere.example.test", Outcome::NxDomain), ("v4only.example.test", Outcome::NoData)]
    {
        let answer = resolver.lookup(name, RecordType::AAAA).unwrap();
        assert_eq!(answer.outcome(), outcome, "{name}");
        assert!(answer.ttl().is_some_and(|ttl| ttls.contains(&ttl)), "{name}: {:?}", answer.ttl());
        assert!(resolver.lookup(name, RecordType::AAAA).unwrap().is_cached(), "{name}");
    }
}

/// Chains of CNAME records, with and without an existing target.
pub(crate) fn aliases(bench: &Bench<'_>, resolver: &dyn TestResolver) {
    let answer = resolver.lookup("chain.example.test", RecordType::A).unwrap();
    assert_eq!(answer.records().count(), 5, "{answer:?}");
    assert_eq!(answer.canonical_name().to_ascii(), "www.example.test.");
    assert_eq!(answer.addresses().count(), 1);
    let dangling = resolver.lookup("dangling.example.test", RecordType::A).unwrap();
    let behaviour = &bench.instance.kind.behaviour;
    let expected = if behaviour.reports_dangling_as_nxdomain { Outcome::NxDomain } else { Outcome::NoData };
    assert_eq!(dangling.outcome(), expected);
}

/// SERVFAIL, which is reported as an error with this code.
pub(crate) fn servfail(_: &Bench<'_>, resolver: &dyn TestResolver) {
    match cause(resolver.lookup("www.broken.test", RecordType::A)) {
        Cause::Rcode(rcode) => assert_eq!(rcode.code, ResponseCode::ServFail),
        other => panic!("{other}"),
    }
}

/// An answer with TTL 0 is not cached, and TTL 1 is not changed. A server with a cache may send TTL 0 when the
/// TTL has expired.
pub(crate) fn ttls(bench: &Bench<'_>, resolver: &dyn TestResolver) {
    for (name, ttl) in [("ttl0.example.test", 0), ("ttl1.example.test", 1)] {
        let first = resolver.lookup(name, RecordType::A).unwrap();
        let again = resolver.lookup(name, RecordType::A).unwrap();
        let shown = first.ttl().unwrap();
        assert!(
            bench.instance.kind.behaviour.ttls(ttl).contains(&shown) || first.is_cached(),
            "{name}: {first:?}"
        );
        assert!(shown > 0 || !again.is_cached(), "{name}: {again:?}");
    }
}

/// Two hundred concurrent queries, on as few connections as possible. Each name has its own address.
pub(crate) fn pipelined(bench: &Bench<'_>, resolver: &dyn TestResolver) {
    let before = stats(resolver);
    ask_many(resolver, 0..MANY);
    let after = stats(resolver);
    // A second connection is allowed, since some servers limit the concurrent queries of a connection to fewer
    // than 200.
    let limit = if bench.line.is_serial() { 6 } else { 2 };
    assert!(after.connections_opened - before.connections_opened <= limit, "{before:?} {after:?}");
    assert_eq!(after.failures, before.failures);
}

/// After the server has closed the idle connection, a new connection resumes the TLS session, without an error for the
/// caller. The answer with a TTL of one second has expired and is queried again.
pub(crate) fn idle(_: &Bench<'_>, resolver: &dyn TestResolver) {
    let before = stats(resolver);
    let answer = resolver.lookup("ttl1.example.test", RecordType::A).unwrap();
    assert!(!answer.is_cached());
    assert_eq!((answer.attempts(), answer.addresses().count()), (1, 1));
    let after = stats(resolver);
    assert_eq!(after.failures, before.failures);
    let opened = after.connections_opened - before.connections_opened;
    let resumed = after.connections_resumed - before.connections_resumed;
    assert_eq!((opened, resumed), (1, 1), "{after:?}");
}

/// TLS 1.2 is accepted from a server that supports no later version, but not with a client certificate unless
/// configured.
pub(crate) fn tls12(bench: &Bench<'_>) {
    let upstream = bench.upstream();
    if bench.line.endpoint.is_mutual {
        let error = cause(bench.resolver_for(upstream.clone()).lookup("www.example.test", RecordType::A));
        assert!(matches!(error, Cause::Tls(_)), "{error}");
    }
    let resolver = bench.resolver_with_long_attempts(upstream.with_minimum_tls(TlsVersion::Tls12));
    records(bench, &*resolver);
    pipelined(bench, &*resolver);
}
