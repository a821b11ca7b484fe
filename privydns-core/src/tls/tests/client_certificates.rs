//! Mutual TLS: parsing, use of the certificate, and the causes of refusals. Conformance 24.

use rustls::pki_types::pem::PemObject;

use super::*;

const SERVER: &str = "tls://dns.example#ip=192.0.2.1";
const EC_PKCS8_ENCRYPTED: &[u8] = include_bytes!("fixtures/ec-pkcs8-encrypted.pem");
const EC_SEC1: &[u8] = include_bytes!("fixtures/ec-sec1.pem");
const EC_SEC1_ENCRYPTED: &[u8] = include_bytes!("fixtures/ec-sec1-encrypted.pem");
const RSA_CERTIFICATE: &[u8] = include_bytes!("fixtures/rsa-certificate.pem");
const RSA_PKCS1: &[u8] = include_bytes!("fixtures/rsa-pkcs1.pem");

fn pem_error(chain: &[u8], key: &[u8]) -> String {
    ClientCertificate::from_pem(chain, key).unwrap_err().to_string()
}

#[test]
fn keys_are_parsed_as_pkcs8_sec1_and_pkcs1() {
    let whole = [CERTIFICATE, KEY].concat();
    let with_parameters =
        [b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n", EC_SEC1].concat();
    for (chain, key) in
        [(CERTIFICATE, KEY), (CERTIFICATE, EC_SEC1), (CERTIFICATE, &with_parameters), (&whole, &whole)]
    {
        assert_eq!(ClientCertificate::from_pem(chain, key).unwrap(), client_certificate());
    }
    let rsa = ClientCertificate::from_pem(RSA_CERTIFICATE, RSA_PKCS1).unwrap();
    assert_ne!(rsa, client_certificate());
}

#[test]
fn unusable_certificates_and_keys_are_refused_with_a_reason() {
    let encrypted = "configuration: TLS: client key: encrypted; decrypt it first";
    assert!(pem_error(CERTIFICATE, EC_PKCS8_ENCRYPTED).starts_with(encrypted));
    assert!(pem_error(CERTIFICATE, EC_SEC1_ENCRYPTED).starts_with(encrypted));
    assert!(pem_error(CERTIFICATE, RSA_PKCS1).ends_with("not the key of the client certificate"));
    assert!(pem_error(CERTIFICATE, CERTIFICATE).ends_with("client key: none found"));
    assert!(pem_error(KEY, KEY).ends_with("client certificate: none found"));
    assert!(pem_error(&CERTIFICATE[..100], KEY).contains("client certificate: "));
    assert!(pem_error(CERTIFICATE, &KEY[..100]).contains("client key: "));

    // The DER of an encrypted key cannot be recognized as such.
    let unlabelled = String::from_utf8_lossy(EC_PKCS8_ENCRYPTED).replace("ENCRYPTED ", "");
    let encrypted = PrivateKeyDer::from_pem_slice(unlabelled.as_bytes()).unwrap();
    let error = ClientCertificate::from_der([vec![0x30, 0]], encrypted.secret_der()).unwrap_err();
    assert!(error.to_string().contains("client key: "), "{error}");
    let key = Authority::root().0.key().serialize_der();
    let error = ClientCertificate::from_der([vec![0x30, 0]], &key).unwrap_err();
    assert!(error.to_string().contains("client certificate: "), "{error}");
}

#[test]
fn debug_does_not_show_the_client_key() {
    let upstream = upstream(SERVER).client_certificate(client_certificate());
    let debug = format!("{upstream:?} {:?}", setup(&upstream));
    assert!(debug.contains("ClientCertificate { certificates: 1, .. }"), "{debug}");
    assert!(!debug.contains("PrivateKey") && !debug.contains("CertifiedKey"), "{debug}");
}

#[test]
fn server_that_requests_a_certificate_gets_the_whole_chain() {
    let (servers, clients) = (Authority::root(), Authority::root());
    let intermediate = clients.below();
    let client = intermediate.issue("client").with(&intermediate);
    let mutual = upstream(SERVER).roots(servers.roots()).client_certificate(client.for_client());
    let server = servers.issue("dns.example");
    let link = connect(&mutual, server.server_with(&[&TLS13], Some(&clients))).unwrap();
    assert_eq!(link.server.peer_certificates(), Some(&client.chain[..]));
    // The certificate is not sent without a request.
    let link = connect(&mutual, server.server()).unwrap();
    assert_eq!(link.server.peer_certificates(), None);
}

/// Conformance 24: with TLS 1.2, on-path observers would see the certificate.
#[test]
fn client_certificate_over_tls_1_2_requires_opt_in() {
    let root = Authority::root();
    let server = root.issue("dns.example");
    let mutual = upstream(SERVER).roots(root.roots()).client_certificate(root.issue("client").for_client());
    let outcome = connect(&mutual, server.server_with(&[&TLS12], Some(&root)));
    assert!(matches!(outcome, Err((Stage::Tls, Cause::Tls(_)))));
    let mutual = mutual.with_minimum_tls(TlsVersion::Tls12);
    let link = connect(&mutual, server.server_with(&[&TLS12], Some(&root))).unwrap();
    assert!(link.server.peer_certificates().is_some());
}

/// With TLS 1.3, the refusal is received after the handshake, at the first read.
#[test]
fn alert_that_refuses_the_client_certificate_is_its_cause() {
    let (root, other, namesake) = (Authority::root(), Authority::root_named("other"), Authority::root());
    let server = root.issue("dns.example");
    let without = upstream(SERVER).roots(root.roots()).with_minimum_tls(TlsVersion::Tls12);
    let from_other = without.clone().client_certificate(other.issue("client").for_client());
    let from_namesake = without.clone().client_certificate(namesake.issue("client").for_client());
    let rows = [
        (&from_namesake, &TLS13, Stage::Query, "wrong signature"),
        (&without, &TLS13, Stage::Query, "it requires one"),
        (&from_other, &TLS13, Stage::Query, "unknown authority"),
        (&without, &TLS12, Stage::Tls, "it requires one"),
        (&from_other, &TLS12, Stage::Tls, "unknown authority"),
    ];
    for (upstream, version, stage, words) in rows {
        let outcome = connect(upstream, server.server_with(&[version], Some(&root))).map(|_| "accepted");
        assert_eq!(outcome, Err((stage, Cause::ClientCertificate(words.into()))), "{version:?}");
    }
}

/// Servers close the connection with or without `close_notify`, or send an HTML page. The cause is the certificate if the
/// server has requested one.
#[test]
fn close_after_a_certificate_request_is_a_refusal() {
    let root = Authority::root();
    let server = root.issue("dns.example");
    for (clients, is_requested) in [(Some(&root), true), (None, false)] {
        let upstream = upstream(SERVER).roots(root.roots());
        let setup = setup(&upstream);
        let config = server.server_with(&[&TLS13], clients);
        let mut link = Link::new(&upstream, &setup, AlpnOffer::Dot, config);
        while link.client.is_handshaking() {
            let _ = link.carry();
        }
        // The server's alert is not delivered.
        let cause = cause_of(link.read_at_end().unwrap_err(), Stage::Query);
        assert_eq!(cause, Cause::Closed);
        let page = Cause::Http(HttpProblem::Status { code: 400, retry_after: None });
        for cause in [cause, page] {
            let cause = setup.cause_before_first_answer(cause);
            assert_eq!(matches!(cause, Cause::ClientCertificate(_)), is_requested, "{cause}");
        }
        assert_eq!(setup.cause_before_first_answer(Cause::Timeout), Cause::Timeout);
        setup.note_answer();
        assert_eq!(setup.cause_before_first_answer(Cause::Closed), Cause::Closed);
    }
}
