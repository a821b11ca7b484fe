//! Frames: header, types, and the frames that this client writes (RFC 9113 Sections 4 and 6).

/// The length of a frame header in bytes.
pub(super) const HEADER_LENGTH: usize = 9;

/// The longest payload that every peer must accept, and the longest that this client accepts:
/// `SETTINGS_MAX_FRAME_SIZE` stays at the default (RFC 9113 Section 4.2).
pub(super) const MAX_PAYLOAD: usize = 16_384;

/// The highest stream identifier, and the largest window (RFC 9113 Sections 5.1.1 and 6.9.1).
pub(super) const MAX_31_BITS: u32 = (1 << 31) - 1;

/// Frame types (RFC 9113 Section 6).
pub(super) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(in super::super) const PRIORITY: u8 = 2;
    pub(in super::super) const RST_STREAM: u8 = 3;
    pub(in super::super) const SETTINGS: u8 = 4;
    pub(in super::super) const PUSH_PROMISE: u8 = 5;
    pub(in super::super) const PING: u8 = 6;
    pub(in super::super) const GOAWAY: u8 = 7;
    pub(in super::super) const WINDOW_UPDATE: u8 = 8;
    pub(in super::super) const CONTINUATION: u8 = 9;
}

/// Frame flags.
pub(super) mod flag {
    pub(in super::super) const END_STREAM: u8 = 0x1;
    pub(in super::super) const ACK: u8 = 0x1;
    pub(in super::super) const END_HEADERS: u8 = 0x4;
    pub(in super::super) const PADDED: u8 = 0x8;
    pub(in super::super) const PRIORITY: u8 = 0x20;
}

/// Error codes (RFC 9113 Section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ErrorCode(pub(super) u32);

impl ErrorCode {
    pub(super) const NO_ERROR: Self = Self(0x0);
    pub(super) const PROTOCOL_ERROR: Self = Self(0x1);
    pub(super) const FLOW_CONTROL_ERROR: Self = Self(0x3);
    pub(super) const STREAM_CLOSED: Self = Self(0x5);
    pub(super) const FRAME_SIZE_ERROR: Self = Self(0x6);
    pub(super) const REFUSED_STREAM: Self = Self(0x7);
    pub(super) const CANCEL: Self = Self(0x8);
    pub(super) const COMPRESSION_ERROR: Self = Self(0x9);
    pub(super) const ENHANCE_YOUR_CALM: Self = Self(0xb);
    pub(super) const HTTP_1_1_REQUIRED: Self = Self(0xd);
}

/// A frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The length of the payload.
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// 0 for a frame about the connection.
    pub(super) stream: u32,
}

impl Header {
    pub(super) fn parse(bytes: [u8; HEADER_LENGTH]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = bytes;
        Self {
            length: usize::from(l0) << 16 | usize::from(l1) << 8 | usize::from(l2),
            kind,
            flags,
            // The highest bit is reserved and ignored (RFC 9113 Section 4.1).
            stream: u32::from_be_bytes([s0, s1, s2, s3]) & MAX_31_BITS,
        }
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The payload of DATA or HEADERS without padding, or `None` if the padding is longer than the frame (RFC 9113 Sections
/// 6.1 and 6.2).
pub(super) fn without_padding(header: Header, payload: &[u8]) -> Option<&[u8]> {
    if !header.has(flag::PADDED) {
        return Some(payload);
    }
    let (&padding, rest) = payload.split_first()?;
    let length = rest.len().checked_sub(usize::from(padding))?;
    Some(&rest[..length])
}

/// The first 31 bits of a payload, after one reserved bit.
pub(super) fn read_31_bits(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|&bytes| u32::from_be_bytes(bytes) & MAX_31_BITS)
}

/// The first 32 bits of a payload.
pub(super) fn read_32_bits(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|&bytes| u32::from_be_bytes(bytes))
}

/// Appends a frame header for a payload of `length` bytes.
pub(super) fn write_header(length: usize, kind: u8, flags: u8, stream: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&header(length, kind, flags, stream));
}

/// A frame header.
pub(super) fn header(length: usize, kind: u8, flags: u8, stream: u32) -> [u8; HEADER_LENGTH] {
    debug_assert!(length <= MAX_PAYLOAD);
    let [.., l0, l1, l2] = length.to_be_bytes();
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    [l0, l1, l2, kind, flags, s0, s1, s2, s3]
}

pub(super) fn write_settings(settings: &[(u16, u32)], out: &mut Vec<u8>) {
    write_header(6 * settings.len(), kind::SETTINGS, 0, 0, out);
    for (identifier, value) in settings {
        out.extend_from_slice(&identifier.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(super) fn write_settings_ack(out: &mut Vec<u8>) {
    write_header(0, kind::SETTINGS, flag::ACK, 0, out);
}

pub(super) fn write_ping(opaque: [u8; 8], flags: u8, out: &mut Vec<u8>) {
    write_header(opaque.len(), kind::PING, flags, 0, out);
    out.extend_from_slice(&opaque);
}

/// Appends GOAWAY. The last stream is 0, because the server opens no streams.
pub(super) fn write_goaway(code: ErrorCode, out: &mut Vec<u8>) {
    write_header(8, kind::GOAWAY, 0, 0, out);
    out.extend_from_slice(&0u32.to_be_bytes());
    out.extend_from_slice(&code.0.to_be_bytes());
}

pub(super) fn write_window_update(stream: u32, increment: u32, out: &mut Vec<u8>) {
    write_header(4, kind::WINDOW_UPDATE, 0, stream, out);
    out.extend_from_slice(&increment.to_be_bytes());
}

pub(super) fn write_rst_stream(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    write_header(4, kind::RST_STREAM, 0, stream, out);
    out.extend_from_slice(&code.0.to_be_bytes());
}
