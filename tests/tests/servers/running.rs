//! Operations on a running server.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};

use privydns_tests::hickory_proto::rr::RecordType;
use privydns_tests::{End, MessageFault, QueryFault, Script, Server, Zone};

use crate::client::{Client, config, framed, query};

const WWW: &str = "www.example.test.";

#[test]
fn killed_server_refuses_connections_until_restart() {
    let server = Server::dot().start();
    let mut client = Client::connect(&server);
    client.ask(1, WWW);
    client.answer();

    server.kill();
    assert_eq!(client.end().unwrap_err().kind(), ErrorKind::ConnectionReset);
    for address in server.addresses() {
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }

    server.restart();
    let mut client = Client::connect(&server);
    client.ask(2, WWW);
    assert_eq!(client.answer().metadata.id, 2);
}

#[test]
fn kill_and_restart_are_idempotent() {
    let server = Server::dot().start();
    server.restart();
    server.kill();
    server.kill();
    server.restart();
    server.restart();
    Client::connect(&server);
}

#[test]
fn dropping_connections_does_not_refuse_new_ones() {
    let server = Server::dot().start();
    for (end, expected) in [
        (End::CloseNotify, Ok(())),
        (End::Fin, Err(ErrorKind::UnexpectedEof)),
        (End::Reset, Err(ErrorKind::ConnectionReset)),
    ] {
        let mut clients = [(); 3].map(|()| Client::connect(&server));
        for client in &mut clients {
            client.ask(1, WWW);
            client.answer();
        }
        server.drop_connections(end);
        for mut client in clients {
            assert_eq!(client.end().map_err(|error| error.kind()), expected, "{end:?}");
        }
    }
}

#[test]
fn connections_in_every_state_are_dropped() {
    use privydns_tests::ConnectionFault as Fault;
    let server =
        Server::dot().script(Script::new().on_connection(1, Fault::Silence).on_connection(2, Fault::Deaf));
    let server = server.start();
    let silent = TcpStream::connect(server.address()).unwrap();
    server.wait_until(|seen| seen.connections.len() == 1);
    let deaf = Client::connect(&server);
    let ended = Client::connect(&server);
    server.drop_connections(End::Fin);
    // The server has sent a FIN on these connections, and the clients have not closed them.
    server.drop_connections(End::Reset);
    server.wait_until(|seen| seen.open() == 0);
    drop((silent, deaf, ended));
}

#[test]
fn new_script_restarts_its_counts() {
    let server = Server::dot().script(Script::new().on_query(.., QueryFault::Silent)).start();
    let mut client = Client::connect(&server);
    client.ask(1, WWW);
    server.wait_until(|seen| seen.query_count == 1);
    server.set_script(Script::new().on_query(2, MessageFault::WrongId));
    client.ask(2, WWW);
    assert_eq!(client.answer().metadata.id, 2);
    client.ask(3, WWW);
    assert_ne!(client.answer().metadata.id, 3);
}

#[test]
fn new_zone_answers_the_next_query() {
    let server = Server::dot().start();
    let mut client = Client::connect(&server);
    client.ask(1, "new.internal.test.");
    assert!(client.answer().answers.is_empty());
    server.set_zone(Zone::new("internal.test.").address(
        "new.internal.test.",
        60,
        Ipv4Addr::LOCALHOST.into(),
    ));
    client.ask(2, "new.internal.test.");
    assert_eq!(client.answer().answers.len(), 1);
}

#[test]
fn ipv4_and_ipv6_are_served_on_one_port() {
    let server = Server::dot().start();
    for address in server.addresses() {
        assert_eq!(address.port(), server.address().port());
        TcpStream::connect(address).unwrap();
    }
}

#[test]
fn servers_on_two_addresses_can_share_a_port() {
    let one = Server::dot().start();
    let two = Server::dot().bind((Ipv4Addr::new(127, 0, 0, 2), one.address().port()).into()).start();
    assert_eq!(one.address().port(), two.address().port());
    TcpStream::connect(two.address()).unwrap();
    two.wait_until(|seen| seen.connections.len() == 1);
}

/// The test sends more queries than the log keeps. The rest is counted.
#[test]
fn generated_names_are_answered_and_logs_are_bounded() {
    let server = Server::dot().start();
    let mut client = Client::try_connect(&server, config(&[], None)).unwrap();
    for round in 0..20 {
        let burst =
            (0..100).map(|id| framed(&query(id, &format!("{id}.{round}.many.example.test."), RecordType::A)));
        client.send(&burst.flatten().collect::<Vec<_>>());
        for id in 0..100 {
            assert_eq!(client.answer().metadata.id, id);
        }
    }
    assert_eq!(server.seen().query_count, 2000);
}
