//! Lookups that yield addresses as they arrive, and connections to the addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use privydns_core::{Error, ErrorKind, NotFound, RecordType};
use privydns_tests::{QueryFault, Script, When, Zone};

use crate::bench::Bench;

const WWW: &str = "www.example.test.";

/// Collects the addresses of a name, in the order of arrival.
fn addresses(bench: &Bench, script: Script, name: &str) -> Vec<Result<IpAddr, Error>> {
    let (_server, resolver) = bench.start(script);
    let mut all = Vec::new();
    resolver.addresses(name, &mut |address| all.push(address));
    all
}

pub(crate) fn ipv6_comes_first_and_one_family_is_enough(bench: &Bench) {
    let both: Vec<_> = addresses(bench, Script::new(), WWW).into_iter().map(Result::unwrap).collect();
    assert_eq!(both, [IpAddr::V6("2001:db8::1".parse().unwrap()), Ipv4Addr::new(192, 0, 2, 1).into()]);
    for name in ["v4only.example.test", "v6only.example.test"] {
        assert_eq!(addresses(bench, Script::new(), name).len(), 1, "{name}");
    }
}

/// Conformance 45. The server holds the AAAA answer until the caller has the IPv4 address.
pub(crate) fn first_address_does_not_wait_for_the_other_family(bench: &Bench) {
    let held = When::named(WWW).of_type(RecordType::AAAA);
    let (server, resolver) = bench.start(Script::new().on_query(held, QueryFault::Hold));
    let mut all = Vec::new();
    resolver.addresses(WWW, &mut |address| {
        all.push(address.unwrap());
        server.release();
    });
    assert_eq!(all, [Ipv4Addr::new(192, 0, 2, 1).into(), IpAddr::V6("2001:db8::1".parse().unwrap())]);
}

pub(crate) fn lookup_without_addresses_yields_one_error(bench: &Bench) {
    let missing = addresses(bench, Script::new(), "nowhere.example.test");
    let [Err(error)] = &missing[..] else { panic!("{missing:?}") };
    assert!(matches!(error.kind(), ErrorKind::NotFound(NotFound::NxDomain)), "{error}");
    let failed = addresses(bench, Script::new(), "servfail.example.test");
    assert!(
        matches!(&failed[..], [Err(error)] if matches!(error.kind(), ErrorKind::Upstream(_))),
        "{failed:?}"
    );
    let wrong = addresses(bench, Script::new(), "not..a.name");
    assert!(matches!(&wrong[..], [Err(error)] if matches!(error.kind(), ErrorKind::Name(_))), "{wrong:?}");
}

/// Conformance 45. No socket listens on the IPv6 address, which is tried first.
pub(crate) fn connect_uses_the_address_that_accepts(bench: &Bench) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let name = "both.example.test.";
    let zone =
        Zone::example().address(name, 300, Ipv6Addr::LOCALHOST.into()).address(name, 300, address.ip());
    let server = bench.setup().zone(zone).start();
    let resolver = bench.resolver(&[&server]);
    assert_eq!(resolver.connect(name, address.port()).unwrap(), address);
    assert_eq!(resolver.connect("127.0.0.1", address.port()).unwrap(), address);
    assert_eq!(server.seen().query_count, 2);

    drop(listener);
    assert_eq!(resolver.connect(name, address.port()).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let error = resolver.connect("nowhere.example.test", 1).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let inner = error.into_inner().unwrap().downcast::<Error>().unwrap();
    assert!(matches!(inner.kind(), ErrorKind::NotFound(NotFound::NxDomain)), "{inner}");
}

/// The AAAA answer never arrives, and the connection over IPv4 is made without it.
pub(crate) fn connect_does_not_wait_for_the_other_family(bench: &Bench) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let name = "here.example.test.";
    let silent = Script::new().on_query(When::named(name).of_type(RecordType::AAAA), QueryFault::Hold);
    let server = bench.setup().zone(Zone::example().address(name, 300, address.ip())).script(silent).start();
    let resolver = bench.resolver(&[&server]);
    assert_eq!(resolver.connect(name, address.port()).unwrap(), address);
}
