//! HTTP/2, with the `h2` crate as the client. Tests for which `h2` is too lenient or too strict send frames
//! built by hand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use privydns_tests::frame::{Frame, header_block};
use privydns_tests::hickory_proto::op::Message;
use privydns_tests::hickory_proto::rr::RecordType;
use privydns_tests::{
    ConnectionFault, End, Http2Fault, Http2Settings, HttpFault, LastStream, Moment, QueryFault, SERVER_NAME,
    Script, Server,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Client, config, query};

const WWW: &str = "www.example.test.";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The result of a request.
type Outcome = Result<(Response<()>, Vec<u8>, Option<HeaderMap>), h2::Error>;

fn with<const N: usize>(faults: [QueryFault; N]) -> Server {
    let script = faults.into_iter().fold(Script::new(), |script, fault| script.on_query(1, fault));
    Server::http2().script(script).start()
}

/// Sends N requests at once over one connection with the `h2` crate.
fn ask<const N: usize>(server: &Server) -> [Outcome; N] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = TcpStream::connect(server.address()).await.unwrap();
        let tls = TlsConnector::from(Arc::new(config(&[b"h2"], None)));
        let tls = tls.connect(SERVER_NAME.try_into().unwrap(), tcp).await.unwrap();
        let (sender, connection) = h2::client::handshake(tls).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut outcomes = Vec::new();
        for _ in 0..N {
            outcomes.push(match sender.clone().ready().await {
                Ok(mut sender) => tokio::spawn(exchange(send(&mut sender))),
                Err(error) => tokio::spawn(async { Err(error) }),
            });
        }
        drop(sender);
        let mut results = Vec::new();
        for outcome in outcomes {
            results.push(outcome.await.unwrap());
        }
        connection.abort();
        results.try_into().unwrap_or_else(|_| panic!("there is one outcome for each request"))
    })
}

fn send(sender: &mut SendRequest<Bytes>) -> h2::client::ResponseFuture {
    let request = Request::post(format!("https://{SERVER_NAME}/dns-query"))
        .header("content-type", "application/dns-message")
        .body(())
        .unwrap();
    let (response, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(query(0, WWW, RecordType::A).into(), true).unwrap();
    response
}

async fn exchange(response: h2::client::ResponseFuture) -> Outcome {
    let (head, mut stream): (_, RecvStream) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend(data);
    }
    let trailers = stream.trailers().await?;
    Ok((Response::from_parts(head, ()), body, trailers))
}

fn ask_once(server: &Server) -> Outcome {
    let [outcome] = ask(server);
    outcome
}

/// Returns the frames that answer one request, up to the end of the stream or the connection, a GOAWAY or a
/// `RST_STREAM`, without the server's SETTINGS.
fn frames(server: &Server) -> Vec<Frame> {
    let mut client = Client::try_connect(server, config(&[b"h2"], None)).unwrap();
    client.send(&request());
    let (mut input, mut frames) = (Vec::new(), Vec::new());
    while let Ok(byte) = client.read_bytes(1) {
        input.extend(byte);
        let Some(frame) = Frame::take(&mut input) else { continue };
        if frame.kind == Frame::SETTINGS {
            client.send(&Frame::settings_ack().to_bytes());
            continue;
        }
        let has_end =
            matches!(frame.kind, Frame::HEADERS | Frame::DATA) && frame.flags & Frame::END_STREAM != 0;
        let is_last = has_end || matches!(frame.kind, Frame::GOAWAY | Frame::RST_STREAM);
        if frame.kind != Frame::WINDOW_UPDATE {
            frames.push(frame);
        }
        if is_last {
            break;
        }
    }
    frames
}

/// The first bytes of a client: preface, SETTINGS, and one request.
fn request() -> Vec<u8> {
    let block = header_block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", SERVER_NAME),
        (":path", "/dns-query"),
        ("content-type", "application/dns-message"),
    ]);
    [
        PREFACE,
        &Frame::settings(&[]).to_bytes(),
        &Frame::headers(1, &block, Frame::END_HEADERS).to_bytes(),
        &Frame::data(1, &query(0, WWW, RecordType::A), Frame::END_STREAM).to_bytes(),
    ]
    .concat()
}

fn kinds(frames: &[Frame]) -> Vec<u8> {
    frames.iter().map(|frame| frame.kind).collect()
}

#[test]
fn queries_are_answered_and_logged() {
    let server = Server::http2().start();
    for outcome in ask::<3>(&server) {
        let (head, body, _) = outcome.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-type"], "application/dns-message");
        assert_eq!(head.headers()["cache-control"], "max-age=300");
        assert_eq!(head.headers()["content-length"], body.len().to_string());
        assert_eq!(Message::from_vec(&body).unwrap().answers.len(), 1);
    }
    let seen = server.seen();
    let request = seen.queries[0].request.as_ref().unwrap();
    assert_eq!(
        (request.version, request.method.as_str(), request.target.as_str()),
        (2, "POST", "/dns-query")
    );
    assert_eq!((request.authority.as_str(), seen.query_count), (SERVER_NAME, 3));
    assert!(seen.connections[0].frames.iter().any(|frame| frame.kind == Frame::SETTINGS));
}

/// The HTTP/1.1 tests check the faults of both versions. This test checks that they reach HTTP/2.
#[test]
fn http_faults_apply_to_http2() {
    let (head, ..) = ask_once(&with([HttpFault::too_many_requests(7).into()])).unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    let (head, ..) = ask_once(&with([HttpFault::age(30).into()])).unwrap();
    assert_eq!(head.headers()["age"], "30");
    let (_, body, _) = ask_once(&with([HttpFault::oversize().into()])).unwrap();
    assert_eq!(body.len(), 70_000);
    let (head, ..) = ask_once(&with([HttpFault::Interim(103).into()])).unwrap();
    assert_eq!(head.status(), 200);
    let trailers = HttpFault::Trailers(vec![("x-checksum".to_owned(), "1".to_owned())]);
    let (_, _, trailers) = ask_once(&with([trailers.into()])).unwrap();
    assert_eq!(trailers.unwrap()["x-checksum"], "1");
}

#[test]
fn excess_content_length_is_malformed() {
    assert!(ask_once(&with([QueryFault::ExcessLength(1)])).is_err());
}

/// RFC 9113 Section 6.8.
#[test]
fn goaway_is_sent_at_each_position_of_a_response() {
    let goaway = |moment, last| frames(&with([Http2Fault::GoAway { moment, last, code: 0 }.into()]));
    for (moment, expected) in [
        (Moment::Before, &[Frame::GOAWAY][..]),
        (Moment::Instead, &[Frame::GOAWAY]),
        (Moment::During, &[Frame::HEADERS, Frame::DATA, Frame::GOAWAY]),
    ] {
        assert_eq!(kinds(&goaway(moment, LastStream::This)), expected, "{moment:?}");
    }
    let last = |last| goaway(Moment::Instead, last)[0].payload[..4].to_vec();
    assert_eq!(last(LastStream::None), [0, 0, 0, 0]);
    assert_eq!(last(LastStream::This), [0, 0, 0, 1]);
    assert_eq!(last(LastStream::Any), [0x7f, 0xff, 0xff, 0xff]);
}

#[test]
fn no_response_is_sent_above_the_last_stream() {
    let goaway = |moment, last| with([Http2Fault::GoAway { moment, last, code: 0 }.into()]);
    let [first, second] = ask(&goaway(Moment::Before, LastStream::This));
    assert!(first.is_ok());
    assert!(second.unwrap_err().is_go_away());
    let [first] = ask(&goaway(Moment::After, LastStream::This));
    first.unwrap();
    let [first] = ask(&goaway(Moment::Before, LastStream::None));
    assert!(first.unwrap_err().is_go_away());
}

/// RFC 9113 Sections 6.4 and 8.7.
#[test]
fn streams_can_be_refused_or_reset() {
    let error = ask_once(&with([Http2Fault::refused().into()])).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));
    let server = with([Http2Fault::ResetStream { moment: Moment::During, code: 2 }.into()]);
    let [first, second] = ask(&server);
    assert_eq!(first.unwrap_err().reason(), Some(Reason::INTERNAL_ERROR));
    second.unwrap();
    let frames = frames(&with([Http2Fault::ResetStream { moment: Moment::During, code: 2 }.into()]));
    assert_eq!(kinds(&frames), [Frame::HEADERS, Frame::DATA, Frame::RST_STREAM]);
}

/// RFC 7541 Section 2.2: after a response that is cut off, client and server must still have the same HPACK
/// tables.
#[test]
fn responses_after_a_cut_response_can_be_decoded() {
    let trailers = || HttpFault::Trailers(vec![("x-checksum".to_owned(), "1".to_owned())]).into();
    for fault in [
        Http2Fault::refused(),
        Http2Fault::ResetStream { moment: Moment::Before, code: 2 },
        Http2Fault::ResetStream { moment: Moment::During, code: 2 },
    ] {
        let [first, second, third] = ask(&with([fault.clone().into(), trailers()]));
        assert!(first.is_err(), "{fault:?}");
        for outcome in [second, third] {
            assert_eq!(outcome.unwrap().0.headers()["cache-control"], "max-age=300", "{fault:?}");
        }
    }
}

#[test]
fn body_is_split_into_small_and_empty_frames() {
    let tiny =
        frames(&with([Http2Fault::DataFrames(3).into(), HttpFault::Body(b"12345678".to_vec()).into()]));
    let lengths: Vec<_> = tiny.iter().map(|frame| frame.payload.len()).skip(1).collect();
    assert_eq!(lengths, [3, 3, 2]);
    let empty = frames(&with([Http2Fault::DataFrames(0).into()]));
    assert_eq!(kinds(&empty), [Frame::HEADERS, Frame::DATA, Frame::DATA]);
    assert!(empty[1].payload.is_empty());
    ask_once(&with([Http2Fault::DataFrames(1).into()])).unwrap();
}

/// RFC 9113 Section 6.10.
#[test]
fn header_block_is_split_into_continuation_frames() {
    let server = || {
        with([Http2Fault::Continuation(1).into(), Http2Fault::Priority.into(), Http2Fault::Padding(9).into()])
    };
    let frames = frames(&server());
    assert_eq!(frames[0].flags, Frame::PRIORITY | Frame::PADDED);
    assert_eq!(frames[0].payload.len(), 1 + 5 + 1 + 9);
    let blocks = frames.iter().filter(|frame| frame.kind == Frame::CONTINUATION);
    let ends: Vec<_> = blocks.map(|frame| frame.flags & Frame::END_HEADERS != 0).collect();
    assert!(ends.len() > 10 && *ends.last().unwrap() && ends.iter().filter(|end| **end).count() == 1);
    let (_, body, _) = ask_once(&server()).unwrap();
    Message::from_vec(&body).unwrap();
}

#[test]
fn any_frame_can_be_inserted() {
    let insert = |moment, frame: Frame| with([Http2Fault::Insert(moment, frame).into()]);
    let unknown = Frame::new(0xfa, 0, Frame::THIS_STREAM, *b"whatever");
    assert_eq!(kinds(&frames(&insert(Moment::Before, unknown.clone()))), [0xfa, Frame::HEADERS, Frame::DATA]);
    assert_eq!(frames(&insert(Moment::Before, unknown))[0].stream, 1);
    let ping = Frame::ping(*b"anybody?");
    let server = insert(Moment::During, ping.clone());
    ask_once(&server).unwrap();
    let seen =
        server.wait_until(|seen| seen.connections[0].frames.iter().any(|frame| frame.kind == Frame::PING));
    let reply = seen.connections[0].frames.iter().find(|frame| frame.kind == Frame::PING).unwrap();
    assert_eq!((reply.flags, &reply.payload), (Frame::ACK, &ping.payload));
    let promise = Frame::push_promise(Frame::THIS_STREAM, 2, &header_block(&[(":method", "GET")]));
    assert_eq!(kinds(&frames(&insert(Moment::Before, promise)))[0], Frame::PUSH_PROMISE);
}

/// `h2` treats an acknowledgement of SETTINGS that it did not send as an error, and must not receive one.
#[test]
fn settings_can_change_during_a_connection() {
    let settings = Frame::settings(&[(1, 0), (3, 7), (4, 100)]);
    let server = with([Http2Fault::Insert(Moment::Before, settings).into()]);
    for outcome in ask::<3>(&server) {
        outcome.unwrap();
    }
    let seen = server.wait_until(|seen| {
        let is_ack = |frame: &&Frame| frame.kind == Frame::SETTINGS && frame.flags & Frame::ACK != 0;
        seen.connections[0].frames.iter().filter(is_ack).count() == 2
    });
    assert_eq!(seen.connections[0].violation, None);
}

#[test]
fn connection_ends_before_within_or_after_a_response() {
    for end in [End::CloseNotify, End::Fin, End::Reset] {
        assert!(ask_once(&with([QueryFault::EndBefore(end)])).is_err());
        assert!(ask_once(&with([HttpFault::EndMidBody(end).into()])).is_err());
    }
    let server = with([QueryFault::EndAfter(End::Fin)]);
    ask_once(&server).unwrap();
    assert_eq!(server.wait_until(|seen| seen.open() == 0).connections[0].ended_by_server, Some(End::Fin));
    let frames = frames(&with([HttpFault::EndMidBody(End::Fin).into()]));
    assert_eq!(kinds(&frames), [Frame::HEADERS, Frame::DATA]);
}

#[test]
fn responses_can_be_split_delayed_and_reordered() {
    ask_once(&with([QueryFault::Split(1), QueryFault::Delay(Duration::from_millis(5))])).unwrap();
    let script = Script::new().on_query(1..=3, QueryFault::Reorder(3));
    for outcome in ask::<3>(&Server::http2().script(script).start()) {
        outcome.unwrap();
    }
}

#[test]
fn idle_connection_gets_a_goaway() {
    let farewell = ConnectionFault::FarewellWhenIdle(Duration::from_millis(10));
    let server = Server::http2().script(Script::new().on_connection(1, farewell)).start();
    let mut client = Client::try_connect(&server, config(&[b"h2"], None)).unwrap();
    client.send(&request());
    let mut input = Vec::new();
    let goaway = loop {
        input.extend(client.read_bytes(1).unwrap());
        match Frame::take(&mut input) {
            Some(frame) if frame.kind == Frame::GOAWAY => break frame,
            _ => {}
        }
    };
    assert_eq!(goaway.payload[4..], [0; 4]);
}

#[test]
fn settings_are_as_configured() {
    let settings = Http2Settings {
        max_concurrent_streams: Some(7),
        initial_window_size: Some(1000),
        max_frame_size: Some(20_000),
        header_table_size: Some(50),
        max_header_list_size: Some(3000),
    };
    let server = Server::http2().http2_settings(settings).start();
    let mut client = Client::try_connect(&server, config(&[b"h2"], None)).unwrap();
    client.send(&[PREFACE, &Frame::settings(&[]).to_bytes()].concat());
    let mut input = Vec::new();
    let frame = loop {
        input.extend(client.read_bytes(1).unwrap());
        if let Some(frame) = Frame::take(&mut input) {
            break frame;
        }
    };
    for (identifier, value) in [(1, 50), (3, 7), (4, 1000), (5, 20_000), (6, 3000)] {
        let setting = Frame::settings(&[(identifier, value)]).payload;
        assert!(frame.payload.chunks(6).any(|chunk| chunk == setting), "{identifier}");
    }
}

#[test]
fn protocol_violation_of_a_client_is_logged() {
    let server = Server::http2().start();
    let mut client = Client::try_connect(&server, config(&[b"h2"], None)).unwrap();
    client
        .send(&[PREFACE, &Frame::settings(&[]).to_bytes(), &Frame::window_update(0, 0).to_bytes()].concat());
    let seen = server.wait_until(|seen| seen.connections[0].violation.is_some());
    assert!(seen.connections[0].violation.as_deref().unwrap().contains("protocol"), "{seen:?}");
}
