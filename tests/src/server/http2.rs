//! HTTP/2 (RFC 9113), on the `h2` crate, with its frames rewritten on their way out where the script says so.

use std::future::poll_fn;
use std::io;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::Connection;
use super::pending_answers::{PendingAnswers, Share};
use super::plan::Outbox;
use super::request::{Exchange, Request};
use super::rewrite::Rewriter;
use super::secured::Secured;
use super::settings::Http2Settings;
use crate::observe::RequestSeen;
use crate::script::{End, HttpFault};

/// Serves until the script says how to end; the client's end is an error.
pub(super) async fn serve(
    stream: &mut Secured<'_>,
    connection: &Connection,
    is_refused: bool,
) -> io::Result<End> {
    let (ends, mut end) = unbounded_channel();
    let orders = PendingAnswers::default();
    let rewriter = Rewriter::new(stream, connection.log.clone(), orders.clone(), ends);
    let mut http2 = match builder(&connection.shared.setup.http2).handshake(rewriter).await {
        Ok(http2) => http2,
        Err(error) => return violation(connection, error),
    };
    let mut waiting = JoinSet::new();
    let mut receiving = JoinSet::new();
    let mut outbox = Outbox::new();
    let mut says_farewell = None;
    loop {
        let since = Instant::now();
        tokio::select! {
            biased;
            Some(end) = end.recv() => return Ok(end),
            Some(received) = receiving.join_next() => {
                let Some((request, respond)) = received.expect("receiving does not panic") else { continue };
                let exchange = Exchange::new(connection, request, is_refused);
                if exchange.plan.is_due() {
                    outbox.add(exchange.plan.gather, (exchange, respond));
                } else {
                    waiting.spawn(async { (exchange.due().await, respond) });
                }
            }
            Some(due) = waiting.join_next() => {
                let (exchange, respond): (Exchange, _) = due.expect("waiting does not panic");
                outbox.add(exchange.plan.gather, (exchange, respond));
            }
            accepted = http2.accept() => match accepted {
                Some(Ok((request, respond))) => _ = receiving.spawn(receive(request, respond)),
                Some(Err(error)) => return says_farewell.map_or_else(|| violation(connection, error), Ok),
                None => return says_farewell.ok_or(io::ErrorKind::UnexpectedEof.into()),
            },
            idle = connection.idle(since), if waiting.is_empty() && says_farewell.is_none() => {
                if !idle.says_farewell {
                    return Ok(idle.end);
                }
                http2.abrupt_shutdown(Reason::NO_ERROR);
                says_farewell = Some(idle.end);
            }
        }
        for (exchange, respond) in outbox.drain().flatten() {
            if let Some(end) = exchange.plan.end_before {
                return Ok(end);
            }
            // A stream that the client has reset takes no response.
            _ = send(exchange, respond, &orders);
        }
    }
}

/// What ended the connection: a rule that the client broke, or the client's end. `h2` has sent its GOAWAY by now.
fn violation(connection: &Connection, error: h2::Error) -> io::Result<End> {
    if error.is_library() {
        connection.log.update(|seen| seen.violation = Some(error.to_string()));
        return Ok(End::CloseNotify);
    }
    Err(io::Error::other(error))
}

fn builder(settings: &Http2Settings) -> Builder {
    let mut builder = Builder::new();
    if let Some(value) = settings.max_concurrent_streams {
        builder.max_concurrent_streams(value);
    }
    if let Some(value) = settings.initial_window_size {
        builder.initial_window_size(value);
    }
    if let Some(value) = settings.max_frame_size {
        builder.max_frame_size(value);
    }
    if let Some(value) = settings.header_table_size {
        builder.header_table_size(value);
    }
    if let Some(value) = settings.max_header_list_size {
        builder.max_header_list_size(value);
    }
    builder
}

/// Reads a request to its end; `None` where the client resets it.
async fn receive(
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> Option<(Request, SendResponse<Bytes>)> {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = poll_fn(|cx| stream.poll_data(cx)).await {
        let data = data.ok()?;
        body.extend(&data);
        stream.flow_control().release_capacity(data.len()).ok()?;
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let seen = RequestSeen {
        version: 2,
        method: head.method.to_string(),
        authority: head.uri.authority().map(ToString::to_string).unwrap_or_default(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
    };
    Some((Request { seen, body }, respond))
}

fn send(
    exchange: Exchange,
    mut respond: SendResponse<Bytes>,
    orders: &PendingAnswers,
) -> Result<(), h2::Error> {
    let Exchange { plan, response } = exchange;
    let mut trailers = None;
    let mut end_mid_body = None;
    for fault in &plan.http {
        match fault {
            HttpFault::Interim(code) => {
                let mut interim = http::Response::new(());
                *interim.status_mut() = status(*code);
                respond.send_informational(interim)?;
            }
            HttpFault::Trailers(fields) => trailers = Some(header_map(fields)),
            HttpFault::EndMidBody(end) => end_mid_body = Some(*end),
            _ => {}
        }
    }
    match orders.give(respond.stream_id().as_u32(), &plan, end_mid_body) {
        Share::All => {}
        Share::WithoutTrailers => trailers = None,
        Share::Reset => {
            respond.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        }
    }
    let mut head = http::Response::new(());
    *head.status_mut() = status(response.status);
    *head.headers_mut() = header_map(&response.headers);
    let length = response.body.len() + usize::from(plan.excess);
    head.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    let mut stream = respond.send_response(head, false)?;
    stream.send_data(response.body.into(), trailers.is_none())?;
    if let Some(trailers) = trailers {
        stream.send_trailers(trailers)?;
    }
    Ok(())
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a script's status has three digits")
}

fn header_map(fields: &[(String, String)]) -> HeaderMap {
    let field = |(name, value): &(String, String)| {
        let name: HeaderName = name.parse().expect("a script's field name is a token");
        (name, HeaderValue::from_str(value).expect("a script's field value is ASCII"))
    };
    fields.iter().map(field).collect()
}
