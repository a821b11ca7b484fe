//! Versions, application protocols, tickets, and the conversion of errors. Conformance 13, 14, 21.

use rustls::{HandshakeKind, ProtocolVersion};

use super::*;

const SERVER: &str = "tls://dns.example#ip=192.0.2.1";

struct Fixture {
    upstream: Upstream,
    server: Arc<ServerConfig>,
}

impl Fixture {
    fn new(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let root = Authority::root();
        let mut server = root.issue("dns.example").server();
        change(&mut server);
        Self { upstream: upstream(SERVER).roots(root.roots()), server: Arc::new(server) }
    }

    fn link(&self, setup: &TlsSetup, offer: AlpnOffer) -> Link {
        let name = self.upstream.server_name().clone();
        Link {
            client: ClientConnection::new(setup.client_config(offer), name).unwrap(),
            server: ServerConnection::new(self.server.clone()).unwrap(),
        }
    }

    /// Whether a new connection resumes an older one.
    fn resumes(&self, setup: &TlsSetup, offer: AlpnOffer) -> bool {
        let mut link = self.link(setup, offer);
        link.shake_hands().unwrap();
        link.client.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

#[test]
fn each_alpn_offer_negotiates_its_protocol() {
    let server = |protocols: &[&str]| {
        let protocols: Vec<_> = protocols.iter().map(|token| token.as_bytes().to_vec()).collect();
        Fixture::new(|server| server.alpn_protocols = protocols)
    };
    let rows = [
        (AlpnOffer::Dot, Some("dot")),
        (AlpnOffer::None, None),
        (AlpnOffer::H2AndHttp1, Some("h2")),
        (AlpnOffer::H2, Some("h2")),
        (AlpnOffer::Http1, Some("http/1.1")),
    ];
    let (all, none, old) = (server(&["h2", "http/1.1", "dot"]), server(&[]), server(&["http/1.1"]));
    for (offer, token) in rows {
        for (fixture, token) in [(&all, token), (&none, None)] {
            let mut link = fixture.link(&setup(&fixture.upstream), offer);
            link.shake_hands().unwrap();
            assert_eq!(link.client.alpn_protocol(), token.map(str::as_bytes), "{offer:?}");
        }
    }
    let mut link = old.link(&setup(&old.upstream), AlpnOffer::H2AndHttp1);
    link.shake_hands().unwrap();
    assert_eq!(link.client.alpn_protocol(), Some(&b"http/1.1"[..]));
}

/// Conformance 13: the refusal of `dot` has a separate cause, so that the next attempt makes no offer.
#[test]
fn refused_alpn_offer_has_its_own_cause() {
    let fixture = Fixture::new(|server| server.alpn_protocols = vec![b"h2".to_vec()]);
    let setup = setup(&fixture.upstream);
    let refused = fixture.link(&setup, AlpnOffer::Dot).shake_hands();
    assert_eq!(refused, Err((Stage::Tls, Cause::NoApplicationProtocol)));
    fixture.link(&setup, AlpnOffer::None).shake_hands().unwrap();
}

/// Conformance 14.
#[test]
fn minimum_tls_version_is_enforced() {
    let root = Authority::root();
    let issued = root.issue("dns.example");
    let open = upstream(SERVER).roots(root.roots());
    let strict = open.clone().with_minimum_tls(TlsVersion::Tls13);
    let link = connect(&open, issued.server()).unwrap();
    assert_eq!(link.client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let link = connect(&open, issued.server_with(&[&TLS12], None)).unwrap();
    assert_eq!(link.client.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    let outcome = connect(&strict, issued.server_with(&[&TLS12], None)).map(|_| "accepted");
    assert!(matches!(outcome, Err((Stage::Tls, Cause::Tls(_)))), "{outcome:?}");
}

/// Conformance 21: a ticket is used once (RFC 8446 Appendix C.4).
#[test]
fn session_ticket_is_used_once() {
    let fixture = Fixture::new(|server| server.send_tls13_tickets = 1);
    let setup = setup(&fixture.upstream);
    assert!(!fixture.resumes(&setup, AlpnOffer::Dot));
    let mut links = [(); 2].map(|()| fixture.link(&setup, AlpnOffer::Dot));
    let kinds = links.each_mut().map(|link| {
        link.shake_hands().unwrap();
        link.client.handshake_kind()
    });
    assert_eq!(kinds.iter().filter(|kind| **kind == Some(HandshakeKind::Resumed)).count(), 1, "{kinds:?}");
}

#[test]
fn tickets_are_shared_by_offers_and_not_by_upstreams() {
    let fixture = Fixture::new(|_| {});
    let setup_one = setup(&fixture.upstream);
    assert!(!fixture.resumes(&setup_one, AlpnOffer::Dot));
    assert!(fixture.resumes(&setup_one, AlpnOffer::None));
    assert!(!fixture.resumes(&setup(&fixture.upstream), AlpnOffer::Dot));
}

/// Conformance 21: tickets that existing connections still receive are not used either (RFC 9250 Section 5.5.3).
#[test]
fn forgotten_tickets_are_not_used() {
    let fixture = Fixture::new(|_| {});
    let setup = setup(&fixture.upstream);
    let mut old = fixture.link(&setup, AlpnOffer::Dot);
    setup.forget_tickets();
    old.shake_hands().unwrap();
    assert!(!fixture.resumes(&setup, AlpnOffer::Dot));
    setup.forget_tickets();
    assert!(!fixture.resumes(&setup, AlpnOffer::Dot));
    assert!(fixture.resumes(&setup, AlpnOffer::Dot));
}

#[test]
fn tls_1_2_sessions_are_not_resumed() {
    let root = Authority::root();
    let mut server = root.issue("dns.example").server_with(&[&TLS12], None);
    server.ticketer = rustls_ticketer();
    let fixture = Fixture { upstream: upstream(SERVER).roots(root.roots()), server: Arc::new(server) };
    let setup = setup(&fixture.upstream);
    assert!(!fixture.resumes(&setup, AlpnOffer::Dot));
    assert!(!fixture.resumes(&setup, AlpnOffer::Dot));
}

fn rustls_ticketer() -> Arc<dyn rustls::server::ProducesTickets> {
    #[cfg(feature = "aws-lc-rs")]
    use rustls::crypto::aws_lc_rs as chosen;
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    use rustls::crypto::ring as chosen;
    chosen::Ticketer::new().unwrap()
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn post_quantum_key_exchange_is_preferred() {
    assert_eq!(provider().kx_groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    let fixture = Fixture::new(|_| {});
    let mut link = fixture.link(&setup(&fixture.upstream), AlpnOffer::Dot);
    link.shake_hands().unwrap();
    let group = link.client.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}

#[test]
fn seeds_differ() {
    assert_ne!(seed().unwrap(), seed().unwrap());
}

#[test]
fn io_error_kinds_map_to_causes_by_stage() {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, TimedOut, UnexpectedEof};
    let cause = |kind: io::ErrorKind, stage| cause_of(kind.into(), stage);
    assert_eq!(cause(ConnectionRefused, Stage::Connect), Cause::Connect(ConnectionRefused.into()));
    assert_eq!(cause(TimedOut, Stage::Connect), Cause::Connect(TimedOut.into()));
    assert_eq!(cause(ConnectionReset, Stage::Proxy), Cause::Proxy(ConnectionReset.into()));
    for kind in [UnexpectedEof, ConnectionReset, BrokenPipe] {
        let Cause::Tls(closed) = cause(kind, Stage::Tls) else { panic!("{kind}") };
        assert_eq!((closed.kind(), &*closed.to_string()), (kind, "the server closed in the handshake"));
        assert_eq!(cause(kind, Stage::Query), Cause::Closed);
    }
    assert_eq!(cause(TimedOut, Stage::Query), Cause::Closed);
}

/// Runtimes wrap TLS errors once or more often.
#[test]
fn tls_error_is_found_at_any_depth_of_an_io_error() {
    let error = rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol);
    let once = || io::Error::new(io::ErrorKind::InvalidData, error.clone());
    assert_eq!(cause_of(once(), Stage::Tls), Cause::NoApplicationProtocol);
    let twice = io::Error::other(once());
    assert_eq!(cause_of(twice, Stage::Query), Cause::NoApplicationProtocol);
}

/// The server does not speak TLS.
#[test]
fn bytes_that_are_not_tls_are_a_tls_error() {
    let fixture = Fixture::new(|_| {});
    let mut link = fixture.link(&setup(&fixture.upstream), AlpnOffer::Dot);
    link.client.read_tls(&mut &b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"[..]).unwrap();
    let error = link.client.process_new_packets().unwrap_err();
    let error = io::Error::new(io::ErrorKind::InvalidData, error);
    assert!(matches!(cause_of(error, Stage::Tls), Cause::Tls(_)));
}

/// The stage decides the cause of an I/O error that does not contain a TLS error.
#[test]
fn io_error_without_tls_error_maps_to_the_cause_of_its_stage() {
    let cause = |stage| cause_of(io::ErrorKind::TimedOut.into(), stage);
    let timed_out = || io::ErrorKind::TimedOut.into();
    assert_eq!(cause(Stage::Waiting), Cause::Connect(timed_out()));
    assert_eq!(cause(Stage::Bootstrap), Cause::Bootstrap("timed out".into()));
    assert_eq!(cause(Stage::Tls), Cause::Tls(timed_out()));
}

/// An alert about a certificate is about the client's, because a server verifies no other.
#[test]
fn certificate_alerts_mean_the_client_certificate() {
    use rustls::AlertDescription as Alert;
    let cause = |alert, stage| cause_of(io::Error::other(rustls::Error::AlertReceived(alert)), stage);
    let rows = [
        (Alert::CertificateRequired, "it requires one"),
        (Alert::BadCertificate, "bad certificate"),
        (Alert::UnsupportedCertificate, "unsupported certificate"),
        (Alert::CertificateRevoked, "revoked"),
        (Alert::CertificateExpired, "expired"),
        (Alert::CertificateUnknown, "certificate unknown"),
        (Alert::UnknownCA, "unknown authority"),
        (Alert::AccessDenied, "access denied"),
    ];
    for (alert, reason) in rows {
        for stage in [Stage::Tls, Stage::Query] {
            assert_eq!(cause(alert, stage), Cause::ClientCertificate(reason.into()));
        }
    }
    // These alerts refuse the certificate only if they answer the client's last flight.
    for (alert, reason) in
        [(Alert::DecryptError, "wrong signature"), (Alert::HandshakeFailure, "handshake failure")]
    {
        assert!(matches!(cause(alert, Stage::Tls), Cause::Tls(_)));
        assert_eq!(cause(alert, Stage::Query), Cause::ClientCertificate(reason.into()));
    }
}

/// Problems of certificates that the authorities of these tests do not create.
#[test]
fn rare_certificate_errors_map_to_problems() {
    use crate::error::CertificateProblem as Problem;
    use rustls::CertificateError as Fault;
    let cause = |error| cause_of(io::Error::other(error), Stage::Tls);
    assert_eq!(
        cause(rustls::Error::NoCertificatesPresented),
        Cause::Certificate(Problem::Other("no certificate was sent".into()))
    );
    let rows = [
        (Fault::Revoked, Problem::Revoked),
        (Fault::NotValidYet, Problem::NotYetValid),
        (Fault::BadEncoding, Problem::Other("it is malformed".into())),
        (Fault::BadSignature, Problem::Other("a signature does not verify".into())),
    ];
    for (fault, problem) in rows {
        assert_eq!(cause(rustls::Error::InvalidCertificate(fault)), Cause::Certificate(problem));
    }
}
