//! The end of the head of an HTTP/1.x response (RFC 9112 Section 2), for servers and for proxies.

/// The maximum length of a head in bytes, also of an interim response.
const MAX_HEAD: usize = 16 * 1024;

/// The first bytes of every response.
const START: &[u8] = b"HTTP/1.";

/// The error for bytes that are not the start of a response.
pub(crate) const NOT_HTTP1: &str = "the peer does not use this protocol";

/// Whether the bytes begin with the start of a response.
pub(crate) fn has_begun(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

/// Returns the length of the head, or `None` until the head is complete. `scanned` keeps the position that the search
/// has reached.
///
/// Lines must end in CR LF. RFC 9112 Section 2.2 lets a recipient accept a lone LF, but then two readers of the same
/// head could disagree about its end.
pub(crate) fn find_end(bytes: &[u8], scanned: &mut usize) -> Result<Option<usize>, &'static str> {
    if !bytes.iter().zip(START).all(|(byte, expected)| byte == expected) {
        return Err(NOT_HTTP1);
    }
    let within = &bytes[..bytes.len().min(MAX_HEAD)];
    while let Some(offset) = within[*scanned..].iter().position(|&byte| byte == b'\n') {
        let end = *scanned + offset + 1;
        if !within[..end].ends_with(b"\r\n") {
            return Err("a header line without CR");
        }
        if within[..end].ends_with(b"\r\n\r\n") {
            return Ok(Some(end));
        }
        *scanned = end;
    }
    *scanned = within.len();
    if within.len() == MAX_HEAD { Err("a head that is too long") } else { Ok(None) }
}
