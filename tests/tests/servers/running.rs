//! What can be done to a server while it runs.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};

use privydns_tests::hickory_proto::rr::RecordType;
use privydns_tests::{End, MessageFault, QueryFault, Script, Server, Zone};

use crate::client::{Client, config, framed, query};

const WWW: &str = "www.example.test.";

#[test]
fn a_killed_server_refuses_connections_until_it_is_restarted() {
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
fn killing_and_restarting_twice_is_the_same_as_once() {
    let server = Server::dot().start();
    server.restart();
    server.kill();
    server.kill();
    server.restart();
    server.restart();
    Client::connect(&server);
}

#[test]
fn connections_are_dropped_and_new_ones_accepted() {
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
fn dropping_reaches_connections_of_every_kind() {
    use privydns_tests::ConnectionFault as Fault;
    let server =
        Server::dot().script(Script::new().on_connection(1, Fault::Silence).on_connection(2, Fault::Deaf));
    let server = server.start();
    let silent = TcpStream::connect(server.address()).unwrap();
    server.wait_until(|seen| seen.connections.len() == 1);
    let deaf = Client::connect(&server);
    let ended = Client::connect(&server);
    server.drop_connections(End::Fin);
    // These have had their FIN, and have not answered it.
    server.drop_connections(End::Reset);
    server.wait_until(|seen| seen.open() == 0);
    drop((silent, deaf, ended));
}

#[test]
fn a_new_script_counts_anew() {
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
fn a_new_zone_answers_from_the_next_query_on() {
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
fn both_families_are_served_on_one_port() {
    let server = Server::dot().start();
    for address in server.addresses() {
        assert_eq!(address.port(), server.address().port());
        TcpStream::connect(address).unwrap();
    }
}

#[test]
fn two_servers_share_a_port_on_two_addresses() {
    let one = Server::dot().start();
    let two = Server::dot().bind((Ipv4Addr::new(127, 0, 0, 2), one.address().port()).into()).start();
    assert_eq!(one.address().port(), two.address().port());
    TcpStream::connect(two.address()).unwrap();
    two.wait_until(|seen| seen.connections.len() == 1);
}

/// More than is kept: the rest is counted.
#[test]
fn made_up_names_are_answered_without_end() {
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
