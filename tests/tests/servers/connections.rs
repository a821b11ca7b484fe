//! Faults of whole connections.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use privydns_tests::observe::{ClientEnd, Handshake};
use privydns_tests::{Alpn, ConnectionFault, End, Script, Server, ServerCertificate, Step, TlsVersions};

use crate::client::{Client, config, reason};

const WWW: &str = "www.example.test.";

/// Starts a server whose first connection has this fault.
fn with(fault: ConnectionFault) -> Server {
    Server::dot().script(Script::new().on_connection(1, fault)).start()
}

fn try_connect(server: &Server) -> std::io::Result<Client> {
    Client::try_connect(server, config(&[b"dot"], None))
}

#[test]
fn tcp_is_accepted_and_then_closed() {
    let server = with(ConnectionFault::Close(End::Fin));
    assert_eq!(try_connect(&server).err().unwrap().kind(), ErrorKind::UnexpectedEof);
    let server = with(ConnectionFault::Close(End::Reset));
    assert_eq!(try_connect(&server).err().unwrap().kind(), ErrorKind::ConnectionReset);
    Client::connect(&server).ask(1, WWW);
}

#[test]
fn silent_connection_sends_no_tls() {
    let server = with(ConnectionFault::Silence);
    let mut tcp = TcpStream::connect(server.address()).unwrap();
    tcp.write_all(b"anybody there?").unwrap();
    tcp.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let error = tcp.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    drop(tcp);
    let seen = server.wait_until(|seen| seen.open() == 0);
    assert_eq!(seen.connections[0].ended_by_client, Some(ClientEnd::Fin));
    assert_eq!(seen.handshakes(), 0);
}

#[test]
fn plaintext_is_sent_in_place_of_tls() {
    let server = with(ConnectionFault::Plaintext(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    assert!(reason(try_connect(&server)).contains("corrupt"));
}

#[test]
fn handshake_is_refused_by_an_alert() {
    let server = with(ConnectionFault::HandshakeAlert(40));
    assert_eq!(reason(try_connect(&server)), "received fatal alert: HandshakeFailure");
}

#[test]
fn each_certificate_has_its_one_defect() {
    for (certificate, expected) in [
        (ServerCertificate::WrongName, "not valid for name"),
        (ServerCertificate::Expired, "expired"),
        (ServerCertificate::NotYetValid, "not valid yet"),
        (ServerCertificate::UnknownAuthority, "UnknownIssuer"),
    ] {
        let server = with(ConnectionFault::Certificate(certificate));
        let reason = reason(try_connect(&server));
        assert!(reason.contains(expected), "{certificate:?}: {reason}");
        let seen = server.wait_until(|seen| seen.open() == 0);
        let failure = seen.connections[0].failure.as_deref().unwrap();
        assert!(failure.starts_with("received fatal alert"), "{failure}");
        try_connect(&server).unwrap();
    }
}

#[test]
fn chain_with_an_intermediate_is_valid() {
    let server = Server::dot().certificate(ServerCertificate::Intermediate).start();
    let client = try_connect(&server).unwrap();
    assert_eq!(client.tls.conn.peer_certificates().unwrap().len(), 2);
}

#[test]
fn alpn_is_refused_ignored_or_negotiated() {
    let server = with(ConnectionFault::Alpn(Alpn::Refuse));
    assert_eq!(reason(try_connect(&server)), "received fatal alert: NoApplicationProtocol");

    let server = with(ConnectionFault::Alpn(Alpn::Refuse));
    Client::try_connect(&server, config(&[], None)).unwrap();

    let server = with(ConnectionFault::Alpn(Alpn::Ignore));
    assert_eq!(try_connect(&server).unwrap().tls.conn.alpn_protocol(), None);

    let server = with(ConnectionFault::Alpn(Alpn::Only(b"h2".to_vec())));
    let client = Client::try_connect(&server, config(&[b"dot", b"h2"], None)).unwrap();
    assert_eq!(client.tls.conn.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(server.wait_until(|seen| seen.handshakes() == 1).connections[0].offered.len(), 2);
}

#[test]
fn tls_versions_are_as_configured() {
    for (versions, expected) in [(TlsVersions::Only12, 0x0303), (TlsVersions::Only13, 0x0304)] {
        let server = Server::dot().tls(versions).start();
        let mut client = try_connect(&server).unwrap();
        client.ask(1, WWW);
        client.answer();
        assert_eq!(server.seen().connections[0].tls_version, Some(expected));
    }
}

#[test]
fn connections_end_after_the_handshake() {
    let server = with(ConnectionFault::EndAfterHandshake(End::CloseNotify));
    try_connect(&server).unwrap().end().unwrap();
    let server = with(ConnectionFault::EndAfterHandshake(End::Fin));
    assert_eq!(try_connect(&server).unwrap().end().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn connections_end_when_idle() {
    let idle = Duration::from_millis(10);
    let server = with(ConnectionFault::EndWhenIdle(idle, End::CloseNotify));
    let mut client = try_connect(&server).unwrap();
    client.ask(1, WWW);
    client.answer();
    client.end().unwrap();
    client.leave();
    let seen = server.wait_until(|seen| seen.open() == 0);
    assert_eq!(seen.connections[0].ended_by_client, Some(ClientEnd::CloseNotify));
}

#[test]
fn deaf_connection_reads_nothing() {
    let server = with(ConnectionFault::Deaf);
    let mut client = try_connect(&server).unwrap();
    client.ask(1, WWW);
    server.drop_connections(End::Fin);
    assert_eq!(client.end().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(server.seen().query_count, 0);
}

#[test]
fn raw_steps_are_performed_in_order() {
    let steps = vec![
        Step::AwaitBytes(4),
        Step::Write(b"one".to_vec()),
        Step::AwaitBytes(8),
        Step::Write(b"two".to_vec()),
        Step::End(End::CloseNotify),
    ];
    let server = with(ConnectionFault::Raw(steps));
    let mut client = try_connect(&server).unwrap();
    client.send(b"ping");
    assert_eq!(client.read_bytes(3).unwrap(), b"one");
    client.send(b"pong");
    assert_eq!(client.read_bytes(3).unwrap(), b"two");
    client.end().unwrap();
}

#[test]
fn sessions_are_resumed_until_the_server_forgets_them() {
    let server = Server::dot().start();
    let config = std::sync::Arc::new(config(&[b"dot"], None));
    let handshake = || {
        let mut client = Client::try_connect(&server, config.clone()).unwrap();
        client.ask(1, WWW);
        client.answer();
        client.leave();
        server.seen().connections.last().unwrap().handshake
    };
    assert_eq!(handshake(), Some(Handshake::Full));
    assert_eq!(handshake(), Some(Handshake::Resumed));
    server.forget_sessions();
    assert_eq!(handshake(), Some(Handshake::Full));
}

#[test]
fn no_session_is_resumed_without_tickets() {
    let server = Server::dot().tickets(0).start();
    let config = std::sync::Arc::new(config(&[b"dot"], None));
    for _ in 0..2 {
        let mut client = Client::try_connect(&server, config.clone()).unwrap();
        client.ask(1, WWW);
        client.answer();
    }
    assert_eq!((server.seen().handshakes(), server.seen().resumed()), (2, 0));
}
