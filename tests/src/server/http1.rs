//! HTTP/1.1 (RFC 9112): one request after the other, with responses encoded by hand.

use std::io;
use std::pin::pin;

use http::StatusCode;
use tokio::time::Instant;

use super::connection::Connection;
use super::request::{PlannedResponse, Request};
use super::secured::Secured;
use crate::observe::RequestSeen;
use crate::script::{End, Http1Fault, HttpFault};

/// The maximum number of header fields in a request.
const MAX_HEADERS: usize = 64;

/// Serves until the script ends the connection. The error means that the client has ended the connection.
pub(super) async fn serve(
    stream: &mut Secured<'_>,
    connection: &Connection,
    is_refused: bool,
) -> io::Result<End> {
    let mut input = Vec::new();
    loop {
        let since = Instant::now();
        let request = loop {
            match take_request(&mut input) {
                Ok(Some(request)) => break request,
                Ok(None) => {}
                Err(violation) => {
                    connection.log.update(|seen| seen.violation = Some(violation));
                    return send_unsolicited(stream, 400, End::CloseNotify).await;
                }
            }
            tokio::select! {
                biased;
                read = stream.read(&mut input) => read?,
                idle = connection.idle(since), if input.is_empty() => {
                    return if idle.announces_end {
                        send_unsolicited(stream, 408, idle.end).await
                    } else {
                        Ok(idle.end)
                    };
                }
            }
        };
        let closes =
            request.seen.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let planned = due(stream, &mut input, PlannedResponse::new(connection, request, is_refused)).await?;
        if let Some(end) = planned.plan.end_before {
            return Ok(end);
        }
        let (bytes, end) = Rendering::new(&planned).bytes();
        match planned.plan.piece {
            Some(piece) => stream.write(&bytes, piece).await?,
            None => stream.queue(&bytes),
        }
        stream.flush().await?;
        if let Some(end) = end.or(planned.plan.end_after).or(closes.then_some(End::CloseNotify)) {
            return Ok(end);
        }
    }
}

/// Waits until the response is due, and reads meanwhile, to notice when the client ends the connection.
async fn due(
    stream: &mut Secured<'_>,
    input: &mut Vec<u8>,
    planned: PlannedResponse,
) -> io::Result<PlannedResponse> {
    let mut due = pin!(planned.due());
    loop {
        tokio::select! {
            biased;
            planned = &mut due => return Ok(planned),
            read = stream.read(input) => read?,
        }
    }
}

/// Sends an unsolicited response, and returns how the connection is to end.
async fn send_unsolicited(stream: &mut Secured<'_>, status: u16, end: End) -> io::Result<End> {
    let head =
        format!("HTTP/1.1 {status} {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", reason(status));
    stream.queue(head.as_bytes());
    stream.flush().await?;
    Ok(end)
}

/// Removes a complete request from the front of the input, if there is one. The error describes what is wrong
/// with the request.
fn take_request(input: &mut Vec<u8>) -> Result<Option<Request>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(input).map_err(|error| error.to_string())? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(head) => head,
    };
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let mut seen = RequestSeen {
        version: 1,
        method: request.method.unwrap_or_default().to_owned(),
        authority: String::new(),
        target: request.path.unwrap_or_default().to_owned(),
        headers,
    };
    seen.authority = seen.header("host").ok_or("the request has no Host field")?.to_owned();
    if seen.header("transfer-encoding").is_some() {
        return Err("the body of the request is chunked".to_owned());
    }
    let length = seen.header("content-length").map_or(Ok(0), str::parse::<usize>);
    let length = length.map_err(|error| format!("Content-Length: {error}"))?;
    let Some(body) = input.get(head..head + length) else { return Ok(None) };
    let body = body.to_vec();
    input.drain(..head + length);
    Ok(Some(Request { seen, body }))
}

/// Encodes a response.
struct Rendering<'a> {
    planned: &'a PlannedResponse,
    trailers: Option<&'a [(String, String)]>,
    chunk: Option<usize>,
}

impl<'a> Rendering<'a> {
    fn new(planned: &'a PlannedResponse) -> Self {
        let trailers = planned.plan.http.iter().find_map(|fault| match fault {
            HttpFault::Trailers(fields) => Some(fields.as_slice()),
            _ => None,
        });
        let chunk = planned.plan.http1.iter().find_map(|fault| match fault {
            Http1Fault::Chunked(size) => Some((*size).max(1)),
            Http1Fault::BadChunk | Http1Fault::LengthAndChunked => Some(usize::MAX),
            _ => None,
        });
        Self { planned, trailers, chunk: chunk.or(trailers.map(|_| usize::MAX)) }
    }

    /// The bytes to write, and how the connection is to end after them if a fault of the response ends the connection.
    fn bytes(&self) -> (Vec<u8>, Option<End>) {
        if let Some(raw) = &self.planned.plan.raw {
            return (raw.clone(), None);
        }
        let mut bytes = self.interim();
        bytes.extend(self.head().into_bytes());
        let body = self.body();
        for fault in &self.planned.plan.http {
            if let HttpFault::EndMidBody(end) = fault {
                bytes.extend(&body[..self.middle(&body)]);
                return (bytes, Some(*end));
            }
        }
        bytes.extend(body);
        let mut bytes = bytes.repeat(1 + self.planned.plan.repeat);
        for fault in &self.planned.plan.http1 {
            if let Http1Fault::Leftover(leftover) = fault {
                bytes.extend(leftover);
            }
        }
        let closes = self.has(&Http1Fault::UntilClose) || self.has(&Http1Fault::ConnectionClose);
        (bytes, closes.then_some(End::CloseNotify))
    }

    fn interim(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for fault in &self.planned.plan.http {
            if let HttpFault::Interim(status) = fault {
                bytes.extend(format!("HTTP/1.1 {status} {}\r\n\r\n", reason(*status)).into_bytes());
            }
        }
        bytes
    }

    fn head(&self) -> String {
        let response = &self.planned.response;
        let version = if self.has(&Http1Fault::Version10) { "HTTP/1.0" } else { "HTTP/1.1" };
        let reason = if self.has(&Http1Fault::EmptyReason) { "" } else { reason(response.status) };
        let mut lines = vec![format!("{version} {} {reason}", response.status)];
        lines.extend(response.headers.iter().map(|(name, value)| format!("{}: {value}", capitalized(name))));
        let length = response.body.len() + usize::from(self.planned.plan.excess);
        if self.chunk.is_some() {
            lines.push("Transfer-Encoding: chunked".to_owned());
        }
        if self.has(&Http1Fault::LengthAndChunked)
            || self.chunk.is_none() && !self.has(&Http1Fault::UntilClose)
        {
            lines.push(format!("Content-Length: {length}"));
        }
        if self.has(&Http1Fault::ConflictingLengths) {
            lines.push(format!("Content-Length: {}", length + 1));
        }
        if self.has(&Http1Fault::ConnectionClose) {
            lines.push("Connection: close".to_owned());
        }
        lines.join("\r\n") + "\r\n\r\n"
    }

    fn body(&self) -> Vec<u8> {
        let body = &self.planned.response.body;
        let Some(chunk) = self.chunk else { return body.clone() };
        let mut bytes = Vec::new();
        for (index, part) in body.chunks(chunk).enumerate() {
            let size = match index {
                0 if self.has(&Http1Fault::BadChunk) => "xyz".to_owned(),
                0 => format!("{:x};extension=\"value\"", part.len()),
                _ => format!("{:X}", part.len()),
            };
            bytes.extend(format!("{size}\r\n").into_bytes());
            bytes.extend(part);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n");
        for (name, value) in self.trailers.unwrap_or_default() {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes
    }

    /// Where half of the encoded body ends. If the body is chunked, half of the first chunk.
    fn middle(&self, body: &[u8]) -> usize {
        let Some(chunk) = self.chunk else { return body.len() / 2 };
        let size_line = body.iter().position(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        size_line + chunk.min(self.planned.response.body.len()) / 2
    }

    fn has(&self, fault: &Http1Fault) -> bool {
        self.planned.plan.http1.contains(fault)
    }
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

/// Capitalizes a field name (`content-type` as `Content-Type`), as most servers do.
fn capitalized(name: &str) -> String {
    let words: Vec<_> = name.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    words.join("-")
}
