//! Requests: HEADERS and DATA, encoded directly into the output.

use std::sync::Arc;

use super::frame::{self, HEADER_LENGTH, MAX_PAYLOAD, flag, kind};
use super::hpack::encode::{self, index};
use crate::doh::{Endpoint, MEDIA_TYPE, encode_query};
use crate::message::Query;
use crate::upstream::HttpMethod;

/// Encodes the requests of one connection, which differ in few fields.
pub(super) struct Requests {
    endpoint: Arc<Endpoint>,
    /// The encoded fields before the path of a GET: the pseudo-header fields, which must come first.
    before_path: Vec<u8>,
    /// The encoded fields after the path, without the length of a body.
    after_path: Vec<u8>,
    /// Whether the next field block must begin with the size of the dynamic table, which is not used.
    must_send_table_size: bool,
    /// Buffers for the message and a path, kept to avoid allocations.
    message: Vec<u8>,
    path: Vec<u8>,
}

impl Requests {
    pub(super) fn new(endpoint: Arc<Endpoint>) -> Self {
        let method = endpoint.method();
        let mut before_path = Vec::new();
        let method_field = match method {
            HttpMethod::Post => index::METHOD_POST,
            HttpMethod::Get => index::METHOD_GET,
        };
        encode::indexed(method_field, &mut before_path);
        encode::indexed(index::SCHEME_HTTPS, &mut before_path);
        encode::literal(index::AUTHORITY, endpoint.authority().as_bytes(), &mut before_path);
        if method == HttpMethod::Post {
            let mut path = Vec::new();
            endpoint.append_path(&[], &mut path);
            encode::literal(index::PATH, &path, &mut before_path);
        }
        let mut after_path = Vec::new();
        encode::literal(index::ACCEPT, MEDIA_TYPE.as_bytes(), &mut after_path);
        if method == HttpMethod::Post {
            encode::literal(index::CONTENT_TYPE, MEDIA_TYPE.as_bytes(), &mut after_path);
        }
        Self {
            endpoint,
            before_path,
            after_path,
            must_send_table_size: false,
            message: Vec::new(),
            path: Vec::new(),
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Announces the table size with the next request, because the server reduced the size of the dynamic table (RFC
    /// 9113 Section 4.3.1).
    pub(super) fn require_table_size(&mut self) {
        self.must_send_table_size = true;
    }

    /// Prepares the request for `query`. Returns the length of the body.
    pub(super) fn prepare(&mut self, query: &Query) -> usize {
        self.message.clear();
        encode_query(query, &mut self.message);
        self.body().len()
    }

    /// The body of the prepared request; empty for GET.
    pub(super) fn body(&self) -> &[u8] {
        self.endpoint.body(&self.message).unwrap_or_default()
    }

    /// Appends the HEADERS of the prepared request.
    pub(super) fn write_headers(&mut self, stream: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let has_body = self.endpoint.method() == HttpMethod::Post;
        let end_stream = if has_body { 0 } else { flag::END_STREAM };
        // The frame header is filled in when the length is known.
        out.extend_from_slice(&[0; HEADER_LENGTH]);
        self.write_fields(out);
        let block = start + HEADER_LENGTH..out.len();
        if block.len() <= MAX_PAYLOAD {
            let header = frame::header(block.len(), kind::HEADERS, flag::END_HEADERS | end_stream, stream);
            out[start..block.start].copy_from_slice(&header);
            return;
        }
        // A path of many thousand bytes.
        let block = out.split_off(block.start);
        out.truncate(start);
        let mut parts = block.chunks(MAX_PAYLOAD).peekable();
        let (mut kind, mut flags) = (kind::HEADERS, end_stream);
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                flags |= flag::END_HEADERS;
            }
            frame::write_header(part.len(), kind, flags, stream, out);
            out.extend_from_slice(part);
            (kind, flags) = (kind::CONTINUATION, 0);
        }
    }

    fn write_fields(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.must_send_table_size) {
            encode::table_size(0, out);
        }
        out.extend_from_slice(&self.before_path);
        if self.endpoint.method() == HttpMethod::Get {
            // The path contains the query, which no intermediary may keep in a table.
            self.path.clear();
            self.endpoint.append_path(&self.message, &mut self.path);
            encode::never_indexed(index::PATH, &self.path, out);
        }
        out.extend_from_slice(&self.after_path);
        if let Some(body) = self.endpoint.body(&self.message) {
            encode::literal(index::CONTENT_LENGTH, decimal(body.len(), &mut [0; 20]), out);
        }
    }
}

/// Appends one DATA frame.
pub(super) fn write_data(data: &[u8], is_end: bool, stream: u32, out: &mut Vec<u8>) {
    let flags = if is_end { flag::END_STREAM } else { 0 };
    frame::write_header(data.len(), kind::DATA, flags, stream, out);
    out.extend_from_slice(data);
}

/// The decimal digits of a number.
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b"0123456789"[number % 10];
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}
