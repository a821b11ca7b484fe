//! Faults of single queries over DoT.

use std::io::ErrorKind;
use std::time::Duration;

use privydns_tests::hickory_proto::op::ResponseCode;
use privydns_tests::hickory_proto::rr::RecordType;
use privydns_tests::observe::ClientEnd;
use privydns_tests::{End, MessageFault, QueryFault, Script, Server, When};

use crate::client::{Client, framed, query};

const WWW: &str = "www.example.test.";

fn scripted(script: Script) -> (Server, Client) {
    let server = Server::dot().script(script).start();
    let client = Client::connect(&server);
    (server, client)
}

fn with(fault: impl Into<QueryFault>) -> (Server, Client) {
    let (server, mut client) = scripted(Script::new().on_query(1, fault));
    client.ask(7, WWW);
    (server, client)
}

#[test]
fn queries_are_answered_and_logged() {
    let server = Server::dot().start();
    let mut client = Client::connect(&server);
    client.ask(7, "wWw.example.test.");
    let answer = client.answer();
    assert_eq!((answer.metadata.id, answer.answers.len()), (7, 1));
    client.leave();

    let seen = server.wait_until(|seen| seen.open() == 0 && !seen.connections.is_empty());
    assert_eq!((seen.handshakes(), seen.resumed(), seen.query_count), (1, 0, 1));
    let connection = &seen.connections[0];
    assert_eq!(connection.server_name.as_deref(), Some("dns.example.test"));
    assert_eq!(
        (connection.offered.clone(), connection.protocol.as_deref()),
        (vec![b"dot".to_vec()], Some(&b"dot"[..]))
    );
    assert_eq!(connection.tls_version, Some(0x0304));
    assert_eq!(connection.ended_by_client, Some(ClientEnd::CloseNotify));
    let query = &seen.queries[0];
    assert_eq!((query.name.as_str(), query.record_type, query.id), ("wWw.example.test.", RecordType::A, 7));
    assert!(query.recursion_desired && query.edns.is_none() && query.request.is_none());
    assert_eq!(connection.records[query.record].length, query.bytes.len() + 2);
    assert_eq!(seen.queries_for(WWW).count(), 1);
}

#[test]
fn records_are_logged_with_their_read() {
    let server = Server::dot().start();
    let mut client = Client::connect(&server);
    // Two records in one write, then two messages in one record.
    let queries: Vec<_> = (1..=4).map(|id| framed(&query(id, WWW, RecordType::A))).collect();
    for part in &queries[..2] {
        std::io::Write::write_all(&mut client.tls.conn.writer(), part).unwrap();
    }
    client.tls.conn.write_tls(&mut client.tls.sock).unwrap();
    assert_eq!([client.answer(), client.answer()].map(|answer| answer.metadata.id), [1, 2]);
    client.send(&queries[2..].concat());
    assert_eq!([client.answer(), client.answer()].map(|answer| answer.metadata.id), [3, 4]);
    let connection = &server.seen().connections[0];
    let lengths: Vec<_> = connection.records.iter().map(|record| record.length).collect();
    let length = queries[0].len();
    assert_eq!(lengths, [length, length, 2 * length]);
    assert_eq!(connection.records[0].read, connection.records[1].read);
    assert!(connection.records[2].read > connection.records[1].read);
    assert!(connection.reads.len() > connection.records[2].read);
}

#[test]
fn held_answers_wait_for_release_and_others_do_not() {
    let (server, mut client) = scripted(Script::new().on_query(1, QueryFault::Hold));
    client.ask(1, WWW);
    client.ask(2, WWW);
    assert_eq!(client.answer().metadata.id, 2);
    server.release();
    assert_eq!(client.answer().metadata.id, 1);
}

#[test]
fn answer_is_delayed_for_the_given_time() {
    let (_server, mut client) =
        scripted(Script::new().on_query(.., QueryFault::Delay(Duration::from_millis(30))));
    let start = std::time::Instant::now();
    client.ask(1, WWW);
    client.answer();
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn silence_affects_only_its_query() {
    let (server, mut client) = scripted(Script::new().on_query("v4only.example.test.", QueryFault::Silent));
    client.ask(1, "v4only.example.test.");
    client.ask(2, WWW);
    assert_eq!(client.answer().metadata.id, 2);
    assert_eq!(server.seen().query_count, 2);
}

#[test]
fn connections_end_before_answers() {
    for (end, expected) in [
        (End::CloseNotify, Ok(())),
        (End::Fin, Err(ErrorKind::UnexpectedEof)),
        (End::Reset, Err(ErrorKind::ConnectionReset)),
        (End::BadRecord, Err(ErrorKind::InvalidData)),
    ] {
        let (server, mut client) = with(QueryFault::EndBefore(end));
        assert_eq!(client.end().map_err(|error| error.kind()), expected, "{end:?}");
        assert_eq!(server.seen().connections[0].ended_by_server, Some(end));
    }
}

#[test]
fn connections_end_after_answers() {
    for end in [End::CloseNotify, End::Fin] {
        let (_server, mut client) = with(QueryFault::EndAfter(end));
        assert_eq!(client.answer().metadata.id, 7);
        assert_eq!(client.end().is_ok(), end == End::CloseNotify);
    }
}

#[test]
fn answers_are_sent_in_reverse_order() {
    let (_server, mut client) = scripted(Script::new().on_query(1..=3, QueryFault::Reorder(3)));
    for id in 1..=4 {
        client.ask(id, WWW);
    }
    let ids: Vec<_> = (0..4).map(|_| client.answer().metadata.id).collect();
    assert_eq!(ids.iter().position(|id| *id == 2).unwrap(), ids.iter().position(|id| *id == 3).unwrap() + 1);
    assert!(ids.iter().position(|id| *id == 1) > ids.iter().position(|id| *id == 2));
}

/// The lengths of the TLS records, as rustls returns their plaintext.
fn record_lengths(client: &mut Client, total: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    while lengths.iter().sum::<usize>() < total {
        let mut header = [0; 5];
        std::io::Read::read_exact(&mut client.tls.sock, &mut header).unwrap();
        let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        std::io::Read::read_exact(&mut client.tls.sock, &mut record).unwrap();
        client.tls.conn.read_tls(&mut [&header[..], &record].concat().as_slice()).unwrap();
        let state = client.tls.conn.process_new_packets().unwrap();
        if state.plaintext_bytes_to_read() > 0 {
            let mut plaintext = vec![0; state.plaintext_bytes_to_read()];
            std::io::Read::read_exact(&mut client.tls.conn.reader(), &mut plaintext).unwrap();
            lengths.push(plaintext.len());
        }
    }
    lengths
}

#[test]
fn answer_is_split_into_one_byte_records() {
    let (_server, mut client) = with(QueryFault::Split(1));
    let expected = query(7, WWW, RecordType::A).len() + 2 + 16;
    assert_eq!(record_lengths(&mut client, expected), vec![1; expected]);
}

#[test]
fn answers_are_coalesced_in_one_record() {
    let (_server, mut client) = scripted(Script::new().on_query(1..=2, QueryFault::Coalesce(2)));
    client.ask(1, WWW);
    client.ask(2, WWW);
    let expected = 2 * (query(7, WWW, RecordType::A).len() + 2 + 16);
    assert_eq!(record_lengths(&mut client, expected), [expected]);
}

#[test]
fn answer_is_repeated() {
    let (_server, mut client) = with(QueryFault::Repeat(2));
    assert_eq!(client.message().unwrap(), client.message().unwrap());
}

#[test]
fn length_exceeds_the_bytes_sent() {
    let whole = query(7, WWW, RecordType::A).len() + 16;
    let (server, mut client) = scripted(
        Script::new()
            .on_query(1, QueryFault::ExcessLength(10))
            .on_query(1, QueryFault::EndAfter(End::CloseNotify)),
    );
    client.ask(7, WWW);
    let length = client.read_bytes(2).unwrap();
    assert_eq!(usize::from(u16::from_be_bytes([length[0], length[1]])), whole + 10);
    client.read_bytes(whole).unwrap();
    client.end().unwrap();
    drop(server);
}

#[test]
fn raw_bytes_replace_the_answer() {
    let (_server, mut client) = with(QueryFault::Raw(b"anything".to_vec()));
    assert_eq!(client.read_bytes(8).unwrap(), b"anything");
}

#[test]
fn message_faults_change_the_answer() {
    let (_server, mut client) = with(MessageFault::WrongId);
    assert_ne!(client.answer().metadata.id, 7);

    let failure = MessageFault::ExtendedError(ResponseCode::ServFail, 9, "key missing".to_owned());
    let (_server, mut client) = with(failure);
    assert_eq!(client.answer().metadata.response_code, ResponseCode::ServFail);

    let (_server, mut client) = with(MessageFault::Cut);
    let whole = query(7, WWW, RecordType::A).len() + 16;
    assert_eq!(client.message().unwrap().len(), whole / 2);
}

#[test]
fn rules_can_select_types_and_connections() {
    let when = When::named(WWW).of_type(RecordType::A).on_connection(2);
    let server = Server::dot().script(Script::new().on_query(when, MessageFault::TruncatedFlag)).start();
    for is_truncated in [false, true, false] {
        let mut client = Client::connect(&server);
        client.ask(1, WWW);
        assert_eq!(client.answer().metadata.truncation, is_truncated);
    }
}

#[test]
fn long_answers_are_complete() {
    let server = Server::dot().start();
    let mut client = Client::connect(&server);
    client.send(&framed(&query(3, "huge.example.test.", RecordType::TXT)));
    assert_eq!(client.answer().answers.len(), 30);
}
