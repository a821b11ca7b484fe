//! Mutual TLS: the clients that are accepted, and the ways in which others are refused.

use std::io::ErrorKind;

use privydns_tests::{
    Authority, ClientAuthentication, ClientCertificate, ConnectionFault, Refusal, Script, Server, Setup,
    TlsVersions,
};

use crate::client::{Client, config, reason};

const WWW: &str = "www.example.test.";

/// Connects with this certificate and sends one query.
fn ask(server: &Server, certificate: Option<ClientCertificate>) -> std::io::Result<()> {
    let mut client = Client::try_connect(server, config(&[b"dot"], certificate))?;
    client.ask(1, WWW);
    client.message().map(|_| ())
}

#[test]
fn valid_client_certificate_is_accepted_and_logged() {
    let server = Server::dot().mutual().start();
    ask(&server, Some(ClientCertificate::Good)).unwrap();
    let good = &Authority::shared().client(ClientCertificate::Good).chain_der()[0].to_vec();
    assert_eq!(server.seen().connections[0].client_certificate.as_ref(), Some(good));
}

/// RFC 8446 Section 6.2.
#[test]
fn refusal_alert_states_the_reason() {
    for (certificate, alert) in [
        (None, "CertificateRequired"),
        (Some(ClientCertificate::UnknownAuthority), "UnknownCA"),
        (Some(ClientCertificate::Expired), "CertificateExpired"),
    ] {
        let server = Server::dot().mutual().start();
        assert_eq!(reason(ask(&server, certificate)), format!("received fatal alert: {alert}"));
        assert!(server.wait_until(|seen| seen.open() == 0).connections[0].failure.is_some());
    }
}

#[test]
fn tls12_handshake_of_a_refused_client_fails() {
    let server = Server::dot().mutual().tls(TlsVersions::Only12).start();
    let result = Client::try_connect(&server, config(&[b"dot"], Some(ClientCertificate::UnknownAuthority)));
    assert_eq!(reason(result), "received fatal alert: UnknownCA");
}

#[test]
fn refusals_without_alert_follow_the_handshake() {
    for (refusal, expected) in [
        (Refusal::CloseNotify, ErrorKind::UnexpectedEof),
        (Refusal::Eof, ErrorKind::UnexpectedEof),
        (Refusal::Reset, ErrorKind::ConnectionReset),
        (Refusal::Page, ErrorKind::UnexpectedEof),
    ] {
        for certificate in [None, Some(ClientCertificate::Expired)] {
            let server = Server::dot().mutual().refusal(refusal).start();
            let mut client = Client::try_connect(&server, config(&[b"dot"], certificate)).unwrap();
            let end = client.end().map_err(|error| error.kind());
            let is_polite = matches!(refusal, Refusal::CloseNotify | Refusal::Page);
            assert_eq!(end, if is_polite { Ok(()) } else { Err(expected) }, "{refusal:?}");
            ask(&server, Some(ClientCertificate::Good)).unwrap();
        }
    }
}

#[test]
fn valid_client_certificate_can_be_refused() {
    let server = |setup: Setup| {
        setup.script(Script::new().on_connection(1, ConnectionFault::RefuseClient(Refusal::Alert))).start()
    };
    let refusing = server(Server::dot().mutual());
    assert_eq!(reason(ask(&refusing, Some(ClientCertificate::Good))), "received fatal alert: AccessDenied");
    ask(&refusing, Some(ClientCertificate::Good)).unwrap();
    assert_eq!(reason(ask(&server(Server::dot()), None)), "received fatal alert: CertificateRequired");
}

#[test]
fn optional_authentication_refuses_only_invalid_certificates() {
    let server = Server::dot().client_authentication(ClientAuthentication::Optional).start();
    ask(&server, None).unwrap();
    ask(&server, Some(ClientCertificate::Good)).unwrap();
    assert!(ask(&server, Some(ClientCertificate::UnknownAuthority)).is_err());
}
