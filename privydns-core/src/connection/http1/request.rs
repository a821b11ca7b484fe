//! One request, as few octets as RFC 8484 lets it be.

use std::io::Write as _;

use crate::doh::{Endpoint, MEDIA_TYPE};
use crate::upstream::HttpMethod;

/// Appends the whole request for a message made by [`encode_query`](crate::doh::encode_query). There is no
/// User-Agent in it, no cookie, and nothing else that tells clients apart (RFC 8484 Section 8.2).
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
            .expect("a Vec takes whatever is written to it");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}
