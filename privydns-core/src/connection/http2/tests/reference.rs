//! A comparison with `h2`: the same requests to the same server, also `h2`, must give the same results. The server's
//! HPACK uses the dynamic table and Huffman coding, and the server's field blocks are also decoded separately.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

use super::pipe::{End, Tasks, pause, pipe};
use super::{Client, Draw, answer, failed, query};
use crate::connection::http2::error;
use crate::connection::http2::frame::{ErrorCode, flag, kind};
use crate::connection::http2::hpack::Decoder;
use crate::connection::{Event, Key, Machine};
use crate::doh::{self, ResponseHead, encode_query};
use crate::upstream::HttpMethod;

const CONNECTIONS: u64 = 125;
const EXCHANGES: u64 = 80;

/// In order: the pseudo-header fields first.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

#[test]
fn ten_thousand_requests_match_h2() {
    let (mut answers, mut failures) = (0, 0);
    for connection in 0..CONNECTIONS {
        let method = if connection.is_multiple_of(3) { HttpMethod::Get } else { HttpMethod::Post };
        let keys = connection * EXCHANGES + 1..(connection + 1) * EXCHANGES + 1;
        let ours = over_the_machine(connection, keys.clone(), method);
        let reference = over_h2(connection, keys.clone(), method);
        for key in keys {
            let plan = Plan::of(key);
            assert_eq!(ours.requests[&key], reference.requests[&key], "the same request, {key}");
            assert_eq!(ours.events[&key], reference.events[&key], "the same result, {key}");
            if plan.reset.is_none() {
                assert_eq!(ours.blocks[&key], plan.blocks(), "the fields of the plan, {key}");
            }
            match &ours.events[&key] {
                Event::Answered { message, .. } => {
                    assert_eq!(message[..], plan.body);
                    answers += 1;
                }
                _ => failures += 1,
            }
        }
    }
    assert_eq!(answers + failures, CONNECTIONS * EXCHANGES);
    assert!(answers > 6000 && failures > 1000, "{answers} answers, {failures} failures");
}

/// RFC 9113 Section 6.8, in `h2`'s way: a first GOAWAY, a PING, and a second GOAWAY.
#[test]
fn h2_server_with_goaway_answers_accepted_requests() {
    let tasks = Tasks::default();
    let (end, server) = pipe();
    let spawner = tasks.clone();
    tasks.spawn(async move {
        let mut connection = h2::server::handshake(server).await.unwrap();
        let mut requests = 0;
        while let Some(request) = connection.accept().await {
            let (request, respond) = request.unwrap();
            spawner.spawn(handle(request, respond, Rc::default()));
            requests += 1;
            if requests == 50 {
                connection.graceful_shutdown();
            }
        }
    });

    let mut client = Client::new();
    let (mut asked, mut events, mut written) = (0, Vec::new(), 0);
    while client.machine.in_flight() > 0 || !client.machine.is_draining() {
        for _ in 0..client.machine.capacity().min(3) {
            asked += 1;
            client.machine.submit(client.now, Key(asked), &query(asked));
        }
        client.transmit();
        end.write(&client.transmits[written..].concat());
        written = client.transmits.len();
        tasks.poll();
        events.extend(client.hear(&end.read()));
    }
    let not_processed = |event: &Event| matches!(event, Event::Failed { retry_safe: true, .. });
    let (passed_over, processed): (Vec<_>, Vec<_>) = events.into_iter().partition(not_processed);
    assert!(processed.len() >= 50);
    assert_eq!(processed.len() + passed_over.len(), usize::try_from(asked).unwrap());
    assert_eq!(client.machine.capacity(), 0);
    assert_eq!(client.end(), [Event::Ended(crate::Cause::Closed)]);
}

/// The results of a connection's queries, by key.
#[derive(Default)]
struct Record {
    requests: BTreeMap<u64, Fields>,
    events: BTreeMap<u64, Event>,
    /// The field blocks of the response.
    blocks: BTreeMap<u64, Vec<Fields>>,
}

fn over_the_machine(connection: u64, keys: std::ops::Range<u64>, method: HttpMethod) -> Record {
    let mut draw = Draw::new(connection);
    let tasks = Tasks::default();
    let requests = Rc::new(RefCell::new(BTreeMap::new()));
    let (end, server) = pipe();
    tasks.spawn(serve(connection, server, tasks.clone(), requests.clone()));

    let mut client = Client::with_method(method);
    let mut waiting = keys.clone().peekable();
    let mut heard = Vec::new();
    let mut events = BTreeMap::new();
    let mut written = 0;
    while events.len() < usize::try_from(EXCHANGES).unwrap() {
        // Requests sent before the server's SETTINGS may be refused; in this test none may be.
        let may_ask = client.machine.connection.peer.was_received();
        while may_ask && client.machine.capacity() > 0 && draw.below(8) > 0 {
            let Some(key) = waiting.next() else { break };
            client.machine.submit(client.now, Key(key), &query(key));
        }
        client.transmit();
        end.write(&client.transmits[written..].concat());
        written = client.transmits.len();
        tasks.poll();
        let octets = end.read();
        heard.extend_from_slice(&octets);
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(1 + draw.below(rest.len()));
            for event in client.hear(now) {
                let (Event::Answered { key, .. } | Event::Failed { key, .. }) = event else {
                    panic!("{event:?}");
                };
                assert_eq!(events.insert(key.0, event), None);
            }
            rest = later;
        }
    }
    Record { requests: requests.take(), events, blocks: blocks(&heard, keys.start) }
}

fn over_h2(connection: u64, keys: std::ops::Range<u64>, method: HttpMethod) -> Record {
    let tasks = Tasks::default();
    let requests = Rc::new(RefCell::new(BTreeMap::new()));
    let events = Rc::new(RefCell::new(BTreeMap::new()));
    let (end, server) = pipe();
    tasks.spawn(serve(connection, server, tasks.clone(), requests.clone()));
    let (spawner, results) = (tasks.clone(), events.clone());
    tasks.spawn(async move {
        // The limits of h2 on tiny frames are not part of the comparison.
        let mut builder = h2::client::Builder::new();
        builder.data_frame_budget(1 << 30).initial_max_send_streams(0);
        let (mut sender, driver) = builder.handshake::<_, Bytes>(end).await.unwrap();
        spawner.spawn(async move { driver.await.unwrap() });
        for key in keys {
            sender = sender.ready().await.unwrap();
            let (request, body) = request(key, method);
            let (response, mut stream) = sender.send_request(request, body.is_none()).unwrap();
            if let Some(body) = body {
                stream.send_data(body.into(), true).unwrap();
            }
            let results = results.clone();
            spawner.spawn(async move {
                let event = event_of(key, response).await.unwrap_or_else(|error| failure(key, &error));
                results.borrow_mut().insert(key, event);
            });
        }
    });
    while events.borrow().len() < usize::try_from(EXCHANGES).unwrap() {
        tasks.poll();
    }
    Record { requests: requests.take(), events: events.take(), blocks: BTreeMap::new() }
}

fn request(key: u64, method: HttpMethod) -> (Request<()>, Option<Vec<u8>>) {
    let mut message = Vec::new();
    encode_query(&query(key), &mut message);
    let media_type = "application/dns-message";
    let request = Request::builder().header("accept", media_type);
    if method == HttpMethod::Get {
        let encoded = data_encoding::BASE64URL_NOPAD.encode(&message);
        let uri = format!("https://dns.example/dns-query?dns={encoded}");
        return (request.method("GET").uri(uri).body(()).unwrap(), None);
    }
    let request = request
        .method("POST")
        .uri("https://dns.example/dns-query")
        .header("content-type", media_type)
        .header("content-length", message.len());
    (request.body(()).unwrap(), Some(message))
}

/// The result of a response over `h2`.
async fn event_of(key: u64, response: h2::client::ResponseFuture) -> Result<Event, h2::Error> {
    let (parts, mut stream) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    stream.trailers().await?;
    let mut head = ResponseHead::new(parts.status.as_u16());
    for (name, value) in &parts.headers {
        head.header(name.as_str().as_bytes(), value.as_bytes());
    }
    Ok(match doh::finish(&head, &body, &query(key)) {
        Ok((message, age)) => Event::Answered { key: Key(key), message, age },
        Err(cause) => failed(key, cause, false),
    })
}

fn failure(key: u64, error: &h2::Error) -> Event {
    let code = error.reason().expect("nothing but resets");
    let (cause, retry_safe) = error::of_reset(ErrorCode(code.into()));
    failed(key, cause, retry_safe)
}

/// One connection of a server with random settings.
async fn serve(connection: u64, io: End, tasks: Tasks, requests: Rc<RefCell<BTreeMap<u64, Fields>>>) {
    let mut draw = Draw::new(connection ^ 0xffff);
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size([65_535, 1 << 20, 100][draw.below(3)])
        .max_concurrent_streams([1, 5, 60, 200][draw.below(4)])
        .max_frame_size([16_384, 100_000][draw.below(2)])
        .header_table_size([4096, 0, 200, 65_536][draw.below(4)]);
    let mut connection = builder.handshake(io).await.unwrap();
    while let Some(request) = connection.accept().await {
        let (request, respond) = request.unwrap();
        tasks.spawn(handle(request, respond, requests.clone()));
    }
}

/// Answers one request according to the plan for the query's key.
async fn handle(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    requests: Rc<RefCell<BTreeMap<u64, Fields>>>,
) {
    let (parts, mut stream) = request.into_parts();
    let mut message = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data.unwrap();
        stream.flow_control().release_capacity(data.len()).unwrap();
        message.extend_from_slice(&data);
    }
    let mut seen = vec![
        (parts.method.as_str().into(), parts.uri.to_string().into_bytes()),
        (Vec::new(), message.clone()),
    ];
    seen.extend(parts.headers.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().into())));
    if let Some((_, encoded)) = parts.uri.query().and_then(|query| query.split_once('=')) {
        message = data_encoding::BASE64URL_NOPAD.decode(encoded.as_bytes()).unwrap();
    }
    let label = &message[13..13 + usize::from(message[12])];
    let key = str::from_utf8(&label[1..]).unwrap().parse().unwrap();
    requests.borrow_mut().insert(key, seen);

    let plan = Plan::of(key);
    pause(plan.delay).await;
    for _ in 0..plan.interim {
        respond.send_informational(Response::builder().status(103).body(()).unwrap()).unwrap();
    }
    if let Some((code, 0)) = plan.reset {
        return respond.send_reset(Reason::from(code));
    }
    let mut response = Response::builder().status(plan.status).body(()).unwrap();
    *response.headers_mut() = plan.fields();
    let is_end = plan.body.is_empty() && plan.trailers.is_empty();
    let mut stream = respond.send_response(response, is_end).unwrap();
    let mut parts = plan.body.chunks(plan.part).enumerate().peekable();
    while let Some((index, part)) = parts.next() {
        if let Some((code, after)) = plan.reset
            && index + 1 == after
        {
            pause(3).await;
            return stream.send_reset(Reason::from(code));
        }
        let is_end = parts.peek().is_none() && plan.trailers.is_empty();
        stream.send_data(Bytes::copy_from_slice(part), is_end).unwrap();
        pause(plan.delay % 2).await;
    }
    if !plan.trailers.is_empty() {
        stream.send_trailers(header_map(&plan.trailers)).unwrap();
    }
}

/// The server's plan for the query of a key.
struct Plan {
    status: u16,
    headers: Fields,
    body: Vec<u8>,
    /// The number of body bytes per call.
    part: usize,
    trailers: Fields,
    /// An error code, and the part of the body that is not sent.
    reset: Option<(u32, usize)>,
    interim: usize,
    delay: usize,
}

impl Plan {
    fn of(key: u64) -> Self {
        let mut draw = Draw::new(key);
        let mut headers: Fields = Vec::new();
        let media_type: &[u8] = match draw.below(20) {
            0 => b"text/html",
            1 => b"Application/DNS-Message; charset=utf-8",
            _ => b"application/dns-message",
        };
        headers.push((b"content-type".into(), media_type.into()));
        if draw.below(3) == 0 {
            headers.push((b"age".into(), draw.below(400).to_string().into()));
        }
        for _ in 0..draw.below(6) {
            headers.push(any_field(&mut draw));
        }
        let mut body = answer(key);
        match draw.below(12) {
            0 => body.clear(),
            1 => body[2] = 0,
            2 => body.resize(draw.below(65_535).max(body.len()), 0),
            3 => body.resize(body.len() + draw.below(2000), 7),
            _ => {}
        }
        let is_reset = draw.below(15) == 0;
        Self {
            status: if draw.below(10) == 0 { [404, 503, 204, 302][draw.below(4)] } else { 200 },
            headers,
            part: 1 + body.len() / 100 + draw.below(body.len().max(30) / 2),
            body,
            trailers: (0..draw.below(8).saturating_sub(5)).map(|_| any_field(&mut draw)).collect(),
            reset: is_reset.then(|| (u32::try_from(draw.below(13)).unwrap(), draw.below(2))),
            interim: draw.below(10).saturating_sub(7),
            delay: draw.below(6),
        }
    }

    fn fields(&self) -> HeaderMap {
        header_map(&self.headers)
    }

    /// All field blocks of the response.
    fn blocks(&self) -> Vec<Fields> {
        let status = |code: u16| (b":status".to_vec(), code.to_string().into_bytes());
        let mut blocks = vec![vec![status(103)]; self.interim];
        let mut head = vec![status(self.status)];
        head.extend(in_order(&self.fields()));
        blocks.push(head);
        if !self.trailers.is_empty() {
            blocks.push(in_order(&header_map(&self.trailers)));
        }
        blocks
    }
}

/// Random fields: names and values that repeat, and so become indexed, and values that occur once, with all bytes that
/// a value may contain.
fn any_field(draw: &mut Draw) -> (Vec<u8>, Vec<u8>) {
    let names = ["date", "server", "cache-control", "x-served-by", "via", "set-cookie", "x-padding"];
    let name = names[draw.below(names.len())];
    let value = if draw.below(2) == 0 {
        ["Mon, 21 Oct 2013 20:13:21 GMT", "max-age=300, private", "h2o", ""][draw.below(4)].into()
    } else {
        let length = draw.below(60);
        let allowed = |octet: u8| if matches!(octet, 0x21..=0x7e | 0x80..) { octet } else { b'~' };
        draw.octets(length).into_iter().map(allowed).collect()
    };
    (name.into(), value)
}

fn header_map(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let mut header = HeaderValue::from_bytes(value).unwrap();
        header.set_sensitive(value.len() % 7 == 3);
        map.append(HeaderName::from_bytes(name).unwrap(), header);
    }
    map
}

/// The order in which `h2` writes them.
fn in_order(map: &HeaderMap) -> Fields {
    map.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect()
}

/// The field blocks in a server's output, decoded without the machine, by key.
fn blocks(octets: &[u8], first_key: u64) -> BTreeMap<u64, Vec<Fields>> {
    let mut decoder = Decoder::new(4096);
    let mut blocks: BTreeMap<u64, Vec<Fields>> = BTreeMap::new();
    let mut block = Vec::new();
    for frame in super::frames(octets) {
        if !matches!(frame.kind, kind::HEADERS | kind::CONTINUATION) {
            continue;
        }
        assert_eq!(frame.flags & (flag::PADDED | flag::PRIORITY), 0);
        block.extend_from_slice(&frame.payload);
        if frame.flags & flag::END_HEADERS != 0 {
            let mut fields = Fields::new();
            decoder.decode(&block, |name, value| fields.push((name.into(), value.into()))).unwrap();
            blocks.entry(first_key + u64::from(frame.stream / 2)).or_default().push(fields);
            block.clear();
        }
    }
    blocks
}
