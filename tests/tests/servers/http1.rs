//! HTTP/1.1, with the faults of both versions and of HTTP/1.1 only.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use privydns_tests::hickory_proto::op::Message;
use privydns_tests::hickory_proto::rr::RecordType;
use privydns_tests::{
    ConnectionFault, End, Http, Http1Fault, HttpFault, MessageFault, QueryFault, Refusal, Script, Server,
};

use crate::client::{Client, config, query};

const WWW: &str = "www.example.test.";

fn connect(server: &Server) -> Client {
    Client::try_connect(server, config(&[b"http/1.1"], None)).unwrap()
}

fn post(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /dns-query HTTP/1.1\r\nHost: dns.example.test\r\nContent-Type: application/dns-message\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn post_www() -> Vec<u8> {
    post(&query(0, WWW, RecordType::A))
}

/// Reads a response with `Content-Length`. Returns the status line with the header fields, and the body.
fn response(client: &mut Client) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(client.read_bytes(1)?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or("0", str::trim);
    let body = client.read_bytes(length.parse().unwrap())?;
    Ok((head, body))
}

/// Starts a server with these faults and a client that has sent one query.
fn with<const N: usize>(faults: [QueryFault; N]) -> (Server, Client) {
    let script = faults.into_iter().fold(Script::new(), |script, fault| script.on_query(1, fault));
    let server = Server::http1().script(script).start();
    let mut client = connect(&server);
    client.send(&post_www());
    (server, client)
}

fn rest(client: &mut Client) -> String {
    let mut text = Vec::new();
    // An end without `close_notify` is an error, after which the text is complete.
    _ = client.tls.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn post_and_get_queries_are_answered_and_logged() {
    let server = Server::http1().start();
    let mut client = connect(&server);
    client.send(&post_www());
    let (head, body) = response(&mut client).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: application/dns-message\r\n"), "{head}");
    assert!(head.contains("Cache-Control: max-age=300\r\n"), "{head}");
    assert_eq!(Message::from_vec(&body).unwrap().answers.len(), 1);

    let encoded = data_encoding::BASE64URL_NOPAD.encode(&query(0, WWW, RecordType::AAAA));
    client
        .send(format!("GET /dns-query?dns={encoded} HTTP/1.1\r\nHost: dns.example.test\r\n\r\n").as_bytes());
    let (_, body) = response(&mut client).unwrap();
    assert_eq!(Message::from_vec(&body).unwrap().answers[0].record_type(), RecordType::AAAA);

    let seen = server.seen();
    let [post, get] = [0, 1].map(|index| seen.queries[index].request.as_ref().unwrap());
    assert_eq!((post.version, post.method.as_str(), post.target.as_str()), (1, "POST", "/dns-query"));
    assert_eq!(post.authority, "dns.example.test");
    assert_eq!(post.header("content-type"), Some("application/dns-message"));
    assert_eq!((get.method.as_str(), get.header("content-type")), ("GET", None));
}

/// RFC 8484 Section 4.1, and RFC 9110 Section 15.5.
#[test]
fn invalid_requests_get_an_error_status() {
    let server = Server::http1().path("/resolve").start();
    let mut client = connect(&server);
    for (request, status) in [
        ("GET /dns-query?dns=AAAA HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /resolve HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET /resolve?dns=AAA= HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("POST /resolve HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n", 415),
        ("PUT /resolve HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ] {
        client.send(request.as_bytes());
        let (head, _) = response(&mut client).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
    assert_eq!(server.seen().connections[0].rejected.len(), 5);
    client.send(b"GET /resolve HTTP/1.1\r\n\r\n");
    assert!(response(&mut client).unwrap().0.starts_with("HTTP/1.1 400 "));
    client.end().unwrap();
    assert_eq!(server.seen().connections[0].violation.as_deref(), Some("the request has no Host field"));
}

#[test]
fn http_faults_change_status_and_header_fields() {
    for (fault, line, field) in [
        (HttpFault::Status(500), "500 Internal Server Error", "Content-Type: application/dns-message"),
        (HttpFault::too_many_requests(7), "429 Too Many Requests", "Retry-After: 7"),
        (HttpFault::unavailable(3), "503 Service Unavailable", "Retry-After: 3"),
        (HttpFault::redirect("https://elsewhere.test/"), "302 Found", "Location: https://elsewhere.test/"),
        (HttpFault::page(400), "400 Bad Request", "Content-Type: text/html"),
        (HttpFault::ContentType(Some("text/plain".to_owned())), "200 OK", "Content-Type: text/plain"),
        (HttpFault::age(30), "200 OK", "Age: 30"),
    ] {
        let (_server, mut client) = with([fault.into()]);
        let (head, _) = response(&mut client).unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {line}\r\n")) && head.contains(&format!("\r\n{field}\r\n")),
            "{head}"
        );
    }
    let (_server, mut client) = with([HttpFault::ContentType(None).into()]);
    assert!(!response(&mut client).unwrap().0.contains("Content-Type"));
}

#[test]
fn body_is_replaced() {
    let (_server, mut client) = with([HttpFault::Body(Vec::new()).into()]);
    assert_eq!(response(&mut client).unwrap().1, b"");
    let (_server, mut client) = with([HttpFault::oversize().into()]);
    assert_eq!(response(&mut client).unwrap().1.len(), 70_000);
    let (_server, mut client) = with([MessageFault::CutTo(5).into()]);
    assert_eq!(response(&mut client).unwrap().1.len(), 5);
}

/// RFC 9112 Section 7.1.
#[test]
fn chunked_body_can_have_trailers() {
    let trailers = HttpFault::Trailers(vec![("x-checksum".to_owned(), "1".to_owned())]);
    let (_server, mut client) = with([
        Http1Fault::Chunked(4).into(),
        trailers.into(),
        HttpFault::Body(b"0123456789".to_vec()).into(),
        QueryFault::EndAfter(End::CloseNotify),
    ]);
    let text = rest(&mut client);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Content-Length"), "{head}");
    assert_eq!(body, "4;extension=\"value\"\r\n0123\r\n4\r\n4567\r\n2\r\n89\r\n0\r\nx-checksum: 1\r\n\r\n");
}

#[test]
fn connection_ends_within_a_body_or_a_chunk() {
    let ends = |faults: [QueryFault; 2]| {
        let (_server, mut client) = with(faults);
        rest(&mut client).split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let body = || HttpFault::Body(b"0123456789".to_vec()).into();
    assert_eq!(ends([body(), HttpFault::EndMidBody(End::Fin).into()]), "01234");

    let (_server, mut client) =
        with([body(), Http1Fault::Chunked(8).into(), HttpFault::EndMidBody(End::CloseNotify).into()]);
    assert!(rest(&mut client).ends_with("8;extension=\"value\"\r\n0123"));
}

#[test]
fn http1_faults_change_the_framing() {
    let whole = |fault: Http1Fault| {
        let (_server, mut client) = with([fault.into(), QueryFault::EndAfter(End::CloseNotify)]);
        rest(&mut client)
    };
    assert!(whole(Http1Fault::EmptyReason).starts_with("HTTP/1.1 200 \r\n"));
    assert!(whole(Http1Fault::Version10).starts_with("HTTP/1.0 200 OK\r\n"));
    assert_eq!(whole(Http1Fault::ConflictingLengths).matches("Content-Length").count(), 2);
    let both = whole(Http1Fault::LengthAndChunked);
    assert!(both.contains("Content-Length") && both.contains("Transfer-Encoding"));
    assert!(whole(Http1Fault::BadChunk).contains("\r\n\r\nxyz\r\n"));
    assert!(whole(Http1Fault::Leftover(b"leftover".to_vec())).ends_with("leftover"));
    let until_close = whole(Http1Fault::UntilClose);
    assert!(!until_close.contains("Content-Length") && !until_close.contains("Transfer-Encoding"));
    assert!(whole(Http1Fault::ConnectionClose).contains("\r\nConnection: close\r\n"));
}

#[test]
fn interim_responses_precede_the_response() {
    let (_server, mut client) = with([HttpFault::Interim(100).into(), HttpFault::Interim(103).into()]);
    for line in ["HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints", "HTTP/1.1 200 OK"] {
        assert!(response(&mut client).unwrap().0.starts_with(line), "{line}");
    }
}

#[test]
fn length_exceeds_the_bytes_sent() {
    let (_server, mut client) = with([QueryFault::ExcessLength(1), QueryFault::EndAfter(End::Fin)]);
    assert_eq!(response(&mut client).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn response_is_split_or_replaced_by_raw_bytes() {
    let (_server, mut client) = with([QueryFault::Split(1)]);
    response(&mut client).unwrap();
    let (_server, mut client) = with([QueryFault::Raw(b"anything".to_vec())]);
    assert_eq!(client.read_bytes(8).unwrap(), b"anything");
}

#[test]
fn held_response_waits_and_a_closing_client_is_noticed() {
    let (server, mut client) = with([QueryFault::Hold]);
    server.wait_until(|seen| seen.query_count == 1);
    server.release();
    response(&mut client).unwrap();

    let (server, client) = with([QueryFault::Silent]);
    server.wait_until(|seen| seen.query_count == 1);
    client.leave();
    server.wait_until(|seen| seen.open() == 0);
}

#[test]
fn idle_connection_gets_an_unsolicited_response() {
    let farewell = ConnectionFault::FarewellWhenIdle(Duration::from_millis(10));
    let server = Server::http1().script(Script::new().on_connection(1, farewell)).start();
    let mut client = connect(&server);
    client.send(&post_www());
    assert!(response(&mut client).unwrap().0.starts_with("HTTP/1.1 200 "));
    assert!(response(&mut client).unwrap().0.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    client.end().unwrap();
}

/// nginx does the same.
#[test]
fn client_without_a_certificate_gets_a_page() {
    let server = Server::http1().mutual().refusal(Refusal::Page).start();
    let mut client = connect(&server);
    client.send(&post_www());
    assert!(response(&mut client).unwrap().0.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!(server.seen().query_count, 0);
}

#[test]
fn http1_can_be_spoken_after_negotiating_h2() {
    let server = Server::https().speaks(Http::One).start();
    let mut client = Client::try_connect(&server, config(&[b"h2"], None)).unwrap();
    assert_eq!(client.tls.conn.alpn_protocol(), Some(&b"h2"[..]));
    client.send(&post_www());
    response(&mut client).unwrap();
}
