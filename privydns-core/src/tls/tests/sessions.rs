//! Versions, application protocols, tickets, and the reading of errors. Conformance 13, 14, 21.

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
fn each_offer_is_what_it_says() {
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

/// Conformance 13: a server that refuses `dot` is told apart, so that it can be asked again without.
#[test]
fn a_refused_offer_is_told_apart() {
    let fixture = Fixture::new(|server| server.alpn_protocols = vec![b"h2".to_vec()]);
    let setup = setup(&fixture.upstream);
    let refused = fixture.link(&setup, AlpnOffer::Dot).shake_hands();
    assert_eq!(refused, Err((Stage::Tls, Cause::NoApplicationProtocol)));
    fixture.link(&setup, AlpnOffer::None).shake_hands().unwrap();
}

/// Conformance 14.
#[test]
fn the_minimum_version_is_kept() {
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
fn a_ticket_is_used_once() {
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
fn tickets_serve_every_offer_of_their_upstream_and_no_other_upstream() {
    let fixture = Fixture::new(|_| {});
    let setup_one = setup(&fixture.upstream);
    assert!(!fixture.resumes(&setup_one, AlpnOffer::Dot));
    assert!(fixture.resumes(&setup_one, AlpnOffer::None));
    assert!(!fixture.resumes(&setup(&fixture.upstream), AlpnOffer::Dot));
}

/// Conformance 21: what old connections still bring is not used either (RFC 9250 Section 5.5.3).
#[test]
fn forgotten_tickets_are_gone() {
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
fn tls_1_2_is_not_resumed() {
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
fn post_quantum_key_exchange_comes_first() {
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
fn errors_of_the_system_are_told_by_stage() {
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

/// Runtimes wrap errors of TLS once or more.
#[test]
fn errors_of_tls_are_found_however_deep() {
    let error = rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol);
    let once = || io::Error::new(io::ErrorKind::InvalidData, error.clone());
    assert_eq!(cause_of(once(), Stage::Tls), Cause::NoApplicationProtocol);
    let twice = io::Error::other(once());
    assert_eq!(cause_of(twice, Stage::Query), Cause::NoApplicationProtocol);
}

/// A server that is no TLS server.
#[test]
fn garbage_is_an_error_of_tls() {
    let fixture = Fixture::new(|_| {});
    let mut link = fixture.link(&setup(&fixture.upstream), AlpnOffer::Dot);
    link.client.read_tls(&mut &b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"[..]).unwrap();
    let error = link.client.process_new_packets().unwrap_err();
    let error = io::Error::new(io::ErrorKind::InvalidData, error);
    assert!(matches!(cause_of(error, Stage::Tls), Cause::Tls(_)));
}

/// What comes with no word of TLS is told by where the connection was.
#[test]
fn errors_before_and_within_tls_are_told_by_stage() {
    let cause = |stage| cause_of(io::ErrorKind::TimedOut.into(), stage);
    let timed_out = || io::ErrorKind::TimedOut.into();
    assert_eq!(cause(Stage::Waiting), Cause::Connect(timed_out()));
    assert_eq!(cause(Stage::Bootstrap), Cause::Bootstrap("timed out".into()));
    assert_eq!(cause(Stage::Tls), Cause::Tls(timed_out()));
}

/// An alert about a certificate is about the client's: a server judges no other.
#[test]
fn alerts_about_certificates_are_about_the_clients() {
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
    // These answer the client's last flight alone; before it they are about the handshake.
    for (alert, reason) in
        [(Alert::DecryptError, "wrong signature"), (Alert::HandshakeFailure, "handshake failure")]
    {
        assert!(matches!(cause(alert, Stage::Tls), Cause::Tls(_)));
        assert_eq!(cause(alert, Stage::Query), Cause::ClientCertificate(reason.into()));
    }
}

/// Faults of a server's certificate that no authority here makes.
#[test]
fn rare_faults_of_a_certificate_have_their_names_too() {
    use crate::error::CertificateProblem as Problem;
    use rustls::CertificateError as Fault;
    let cause = |error| cause_of(io::Error::other(error), Stage::Tls);
    assert_eq!(
        cause(rustls::Error::NoCertificatesPresented),
        Cause::Certificate(Problem::Other("none was sent".into()))
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
