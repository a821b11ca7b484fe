//! One request, with as few bytes as RFC 8484 allows.

use std::io::Write as _;

use crate::doh::{Endpoint, MEDIA_TYPE};
use crate::upstream::HttpMethod;

/// Appends the complete request for a message made by [`encode_query`](crate::doh::encode_query). The request contains
/// no User-Agent, no cookies, and nothing else that distinguishes clients (RFC 8484 Section 8.2).
pub(super) fn write(endpoint: &Endpoint, message: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(match endpoint.method() {
        HttpMethod::Post => b"POST ",
        HttpMethod::Get => b"GET ",
    });
    endpoint.append_path(message, out);
    for text in [" HTTP/1.1\r\nHost: ", endpoint.authority(), "\r\nAccept: ", MEDIA_TYPE, "\r\n"] {
        out.extend_from_slice(text.as_bytes());
    }
    let body = endpoint.body(message).unwrap_or_default();
    if !body.is_empty() {
        write!(out, "Content-Type: {MEDIA_TYPE}\r\nContent-Length: {}\r\n", body.len())
            .expect("writing to a Vec does not fail");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}
