//! HTTP/2 frames for tests (RFC 9113), written without the code under test.

/// The first bytes of a client.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `:status: 200` and the content type of a DNS message, as a header block.
pub const DNS_HEAD: &[u8] = b"\x88\x0f\x10\x17application/dns-message";

/// The frame type DATA.
pub const DATA: u8 = 0;
/// The frame type HEADERS.
pub const HEADERS: u8 = 1;
/// The frame type `RST_STREAM`.
pub const RST_STREAM: u8 = 3;
/// The frame type SETTINGS.
pub const SETTINGS: u8 = 4;
/// The frame type PING.
pub const PING: u8 = 6;
/// The frame type GOAWAY.
pub const GOAWAY: u8 = 7;
/// The frame type `WINDOW_UPDATE`.
pub const WINDOW_UPDATE: u8 = 8;

/// The flag of the last DATA or HEADERS of a stream.
pub const END_STREAM: u8 = 1;
/// The flag of SETTINGS and PING that acknowledge.
pub const ACK: u8 = 1;
/// The flag of HEADERS with a complete header block.
pub const END_HEADERS: u8 = 4;

/// Any frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let [.., l0, l1, l2] = payload.len().to_be_bytes();
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    [&[l0, l1, l2, kind, flags, s0, s1, s2, s3], payload].concat()
}
