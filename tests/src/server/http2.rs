//! HTTP/2 (RFC 9113) with the `h2` crate. A [`Rewriter`] changes the frames that `h2` writes as the script
//! requires.

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
use super::request::{PlannedResponse, Request};
use super::rewrite::Rewriter;
use super::secured::Secured;
use super::settings::Http2Settings;
use crate::observe::RequestSeen;
use crate::script::{End, HttpFault};

/// Serves until the script ends the connection. The error means that the client has ended the connection.
pub(super) async fn serve(
    stream: &mut Secured<'_>,
    connection: &Connection,
    is_refused: bool,
) -> io::Result<End> {
    let (ends, mut end) = unbounded_channel();
    let pending = PendingAnswers::default();
    let rewriter = Rewriter::new(stream, connection.log.clone(), pending.clone(), ends);
    let mut http2 = match builder(&connection.shared.setup.http2).handshake(rewriter).await {
        Ok(http2) => http2,
        Err(error) => return violation(connection, error),
    };
    let mut waiting = JoinSet::new();
    let mut receiving = JoinSet::new();
    let mut outbox = Outbox::new();
    let mut announced_end = None;
    loop {
        let since = Instant::now();
        tokio::select! {
            biased;
            Some(end) = end.recv() => return Ok(end),
            Some(received) = receiving.join_next() => {
                let Some((request, respond)) = received.expect("a task that receives does not panic") else { continue };
                let planned = PlannedResponse::new(connection, request, is_refused);
                if planned.plan.is_due() {
                    outbox.add(planned.plan.gather, (planned, respond));
                } else {
                    waiting.spawn(async { (planned.due().await, respond) });
                }
            }
            Some(due) = waiting.join_next() => {
                let (planned, respond): (PlannedResponse, _) = due.expect("a task that waits does not panic");
                outbox.add(planned.plan.gather, (planned, respond));
            }
            accepted = http2.accept() => match accepted {
                Some(Ok((request, respond))) => _ = receiving.spawn(receive(request, respond)),
                Some(Err(error)) => return announced_end.map_or_else(|| violation(connection, error), Ok),
                None => return announced_end.ok_or(io::ErrorKind::UnexpectedEof.into()),
            },
            idle = connection.idle(since), if waiting.is_empty() && announced_end.is_none() => {
                if !idle.announces_end {
                    return Ok(idle.end);
                }
                http2.abrupt_shutdown(Reason::NO_ERROR);
                announced_end = Some(idle.end);
            }
        }
        for (planned, respond) in outbox.drain().flatten() {
            if let Some(end) = planned.plan.end_before {
                return Ok(end);
            }
            // Responding fails if the client has reset the stream.
            _ = send(planned, respond, &pending);
        }
    }
}

/// Logs the client's violation of HTTP/2, for which `h2` has already sent a GOAWAY. All other errors mean that
/// the client has ended the connection.
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

/// Reads a request and its body. Returns `None` if the client resets the stream.
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
    planned: PlannedResponse,
    mut respond: SendResponse<Bytes>,
    pending: &PendingAnswers,
) -> Result<(), h2::Error> {
    let PlannedResponse { plan, response } = planned;
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
    match pending.give(respond.stream_id().as_u32(), &plan, end_mid_body) {
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
