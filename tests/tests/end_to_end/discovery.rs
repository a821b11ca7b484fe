//! Discovery of designated resolvers (conformance 44).

use std::net::{Ipv4Addr, SocketAddr};

use privydns_core::rdata::A;
use privydns_core::rdata::svcb::{Alpn, IpHint, SVCB, SvcParamKey, SvcParamValue, Unknown};
use privydns_core::{
    Answer, Cause, CertificateProblem, Error, ErrorKind, Name, Proxy, RData, RecordType, Roots, Upstream,
};
use privydns_tests::{ClientAuthentication, Server, ServerCertificate, Setup, Zone};

use crate::bench::{Bench, Carrier};

const OWNER: &str = "_dns.resolver.arpa.";
const TARGET: &str = "dns.example.test.";

/// An address that is in no certificate.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn elsewhere(setup: Setup) -> Server {
    setup.bind(SocketAddr::from((ELSEWHERE, 0))).start()
}

/// A record that designates a server with the bench's protocol on this port. Without a hint, the address of the
/// target has to be looked up.
fn designation(priority: u16, bench: &Bench, port: u16, address: Option<Ipv4Addr>) -> RData {
    let protocol = match bench.carrier {
        Carrier::Dot => "dot",
        Carrier::Http2 => "h2",
        Carrier::Http1 => "http/1.1",
    };
    let mut parameters = vec![
        (SvcParamKey::Alpn, SvcParamValue::Alpn(Alpn(vec![protocol.to_owned()]))),
        (SvcParamKey::Port, SvcParamValue::Port(port)),
    ];
    parameters.extend(
        address.map(|address| (SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(vec![A(address)])))),
    );
    let path = SvcParamValue::Unknown(Unknown(b"/dns-query{?dns}".to_vec()));
    parameters.push((SvcParamKey::Unknown(7), path));
    RData::SVCB(SVCB::new(priority, Name::from_ascii(TARGET).unwrap(), parameters))
}

/// A resolver at 127.0.0.1 that designates other resolvers.
fn resolver(records: impl IntoIterator<Item = RData>) -> Server {
    Server::dot().zone(zone(records)).start()
}

fn zone(records: impl IntoIterator<Item = RData>) -> Zone {
    let zone = Zone::example().apex("resolver.arpa.").address(TARGET, 300, ELSEWHERE.into());
    records.into_iter().fold(zone, |zone, data| zone.record(OWNER, 300, data))
}

/// The upstream for a server of which only the address is known.
fn by_address(server: &Server) -> Upstream {
    Upstream::tls(&server.address().to_string()).unwrap().roots(roots(server))
}

fn roots(server: &Server) -> Roots {
    Roots::from_pem(server.authority().root_pem().as_bytes()).unwrap()
}

fn ask(bench: &Bench, upstream: Upstream) -> Result<Answer, Error> {
    bench.build(bench.config(&[]).upstream(upstream)).lookup("www.example.test", RecordType::A)
}

fn is_wrong_name(error: &Error) -> bool {
    is_certificate(error, &CertificateProblem::WrongName)
}

fn is_certificate(error: &Error, problem: &CertificateProblem) -> bool {
    matches!(error.kind(), ErrorKind::Upstream(Cause::Certificate(found)) if found == problem)
}

/// The designated resolvers have other addresses and get no server name, but present certificates for the
/// original address.
pub(crate) fn designated_resolvers_prove_the_original_address(bench: &Bench) {
    if bench.is_mutual {
        return;
    }
    let (hinted, looked_up) = (elsewhere(bench.setup()), elsewhere(bench.setup()));
    let resolver = resolver([
        designation(2, bench, looked_up.address().port(), None),
        designation(1, bench, hinted.address().port(), Some(ELSEWHERE)),
    ]);
    let upstreams = bench.backend.discover(by_address(&resolver)).unwrap();
    assert_eq!(upstreams.len(), 2);
    for (upstream, server) in upstreams.iter().zip([&hinted, &looked_up]) {
        assert_eq!(upstream.socket_addresses().collect::<Vec<_>>(), [server.address()]);
        assert_eq!(ask(bench, upstream.clone()).unwrap().transport(), bench.transport());
        // An upstream that was written as text and parsed again works, too.
        let written: Upstream = upstream.to_string().parse().unwrap();
        ask(bench, written.roots(roots(server))).unwrap();

        let seen = server.seen();
        assert!(seen.connections.iter().all(|connection| connection.server_name.is_none()));
        for request in seen.queries.iter().filter_map(|query| query.request.as_ref()) {
            assert_eq!(request.authority, format!("127.0.0.1:{}", server.address().port()));
        }
    }
    assert_eq!(resolver.seen().connections[0].server_name, None);
}

/// RFC 9462 Section 4.2: a certificate for another name is not sufficient.
pub(crate) fn designated_resolver_without_the_address_is_not_used(bench: &Bench) {
    if bench.is_mutual {
        return;
    }
    let other = elsewhere(bench.setup().certificate(ServerCertificate::WrongName));
    let resolver = resolver([designation(1, bench, other.address().port(), Some(ELSEWHERE))]);
    let upstreams = bench.backend.discover(by_address(&resolver)).unwrap();
    let [upstream] = &upstreams[..] else { panic!("{upstreams:?}") };
    let error = ask(bench, upstream.clone()).unwrap_err();
    assert!(is_wrong_name(&error), "{error}");
    assert_eq!(other.seen().query_count, 0);
}

/// The proxy gets a request for each, by address.
pub(crate) fn discovery_and_its_results_use_the_same_proxy(bench: &Bench) {
    if bench.is_mutual {
        return;
    }
    let other = elsewhere(bench.setup());
    let resolver = resolver([designation(1, bench, other.address().port(), Some(ELSEWHERE))]);
    let proxy = privydns_tests::Proxy::socks5().start();
    let through = by_address(&resolver).proxy(Proxy::socks5(proxy.address()));
    let upstreams = bench.backend.discover(through).unwrap();
    ask(bench, upstreams[0].clone()).unwrap();
    let asked: Vec<_> = proxy.seen().into_iter().map(|tunnel| tunnel.target).collect();
    assert_eq!(asked, [resolver.address().to_string(), other.address().to_string()]);
}

/// The client certificate is for the configured resolver, not for the resolvers that it designates.
pub(crate) fn client_certificate_is_not_sent_to_designated_resolvers(bench: &Bench) {
    if !bench.is_mutual || bench.carrier != Carrier::Dot {
        return;
    }
    let other = elsewhere(Server::dot().client_authentication(ClientAuthentication::Optional));
    let zone = zone([designation(1, bench, other.address().port(), Some(ELSEWHERE))]);
    let resolver = bench.setup().zone(zone).start();
    let asked = bench.upstream_of(&resolver, &format!("tls://{}", resolver.address()));
    let upstreams = bench.backend.discover(asked).unwrap();
    ask(bench, upstreams[0].clone()).unwrap();
    assert!(resolver.seen().connections[0].client_certificate.is_some());
    assert_eq!(other.seen().connections[0].client_certificate, None);
}

pub(crate) fn resolver_that_cannot_prove_its_address_is_not_queried(bench: &Bench) {
    let resolver = elsewhere(Server::dot());
    let error = bench.backend.discover(by_address(&resolver)).unwrap_err();
    assert!(is_wrong_name(&error), "{error}");
    assert_eq!(resolver.seen().query_count, 0);

    // The right address, but an authority that is not trusted.
    let unknown = Server::dot().start();
    let by_default = Upstream::tls(&unknown.address().to_string()).unwrap();
    let error = bench.backend.discover(by_default).unwrap_err();
    assert!(is_certificate(&error, &CertificateProblem::UnknownIssuer), "{error}");
    assert_eq!(unknown.seen().query_count, 0);
}

pub(crate) fn resolver_without_designations_yields_no_upstreams(bench: &Bench) {
    assert!(bench.backend.discover(by_address(&resolver([]))).unwrap().is_empty());
    let named = Upstream::tls("dns.example.test#ip=127.0.0.1").unwrap();
    assert!(matches!(bench.backend.discover(named).unwrap_err().kind(), ErrorKind::Config(_)));
}
