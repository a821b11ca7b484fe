//! HTTP/2 frames built by hand (RFC 9113 Section 4), for frames that HTTP/2 libraries do not send.
//!
//! ```
//! use privydns_tests::frame::{Frame, header_block};
//!
//! let block = header_block(&[(":status", "200")]);
//! let frame = Frame::headers(1, &block, Frame::END_HEADERS);
//! assert_eq!(frame.to_bytes()[..9], [0, 0, 13, 1, 4, 0, 0, 0, 1]);
//! ```

/// An HTTP/2 frame: header fields and payload. The content is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The frame type.
    pub kind: u8,
    /// The flags.
    pub flags: u8,
    /// The stream identifier; 0 is the connection.
    pub stream: u32,
    /// The bytes after the frame header.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The length of a frame header in bytes.
    pub const HEADER: usize = 9;
    /// A placeholder for the stream of a response in a [script](crate::Http2Fault::Insert), which does not know
    /// the stream identifier.
    pub const THIS_STREAM: u32 = u32::MAX;

    /// The type of DATA frames.
    pub const DATA: u8 = 0;
    /// The type of HEADERS frames.
    pub const HEADERS: u8 = 1;
    /// The type of `RST_STREAM` frames.
    pub const RST_STREAM: u8 = 3;
    /// The type of SETTINGS frames.
    pub const SETTINGS: u8 = 4;
    /// The type of `PUSH_PROMISE` frames.
    pub const PUSH_PROMISE: u8 = 5;
    /// The type of PING frames.
    pub const PING: u8 = 6;
    /// The type of GOAWAY frames.
    pub const GOAWAY: u8 = 7;
    /// The type of `WINDOW_UPDATE` frames.
    pub const WINDOW_UPDATE: u8 = 8;
    /// The type of CONTINUATION frames.
    pub const CONTINUATION: u8 = 9;

    /// The flag that marks a SETTINGS or PING frame as an acknowledgement.
    pub const ACK: u8 = 0x1;
    /// The flag of the last frame of a stream.
    pub const END_STREAM: u8 = 0x1;
    /// The flag of a frame that ends a header block.
    pub const END_HEADERS: u8 = 0x4;
    /// The flag of a frame with padding.
    pub const PADDED: u8 = 0x8;
    /// The flag of a HEADERS frame with priority fields.
    pub const PRIORITY: u8 = 0x20;

    /// A frame of any type.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// A DATA frame.
    pub fn data(stream: u32, payload: &[u8], flags: u8) -> Self {
        Self::new(Self::DATA, flags, stream, payload)
    }

    /// A HEADERS frame with a [header block](header_block) or the first part of a header block.
    pub fn headers(stream: u32, block: &[u8], flags: u8) -> Self {
        Self::new(Self::HEADERS, flags, stream, block)
    }

    /// A CONTINUATION frame with a part of a header block.
    pub fn continuation(stream: u32, block: &[u8], flags: u8) -> Self {
        Self::new(Self::CONTINUATION, flags, stream, block)
    }

    /// A SETTINGS frame with these identifiers and values.
    pub fn settings(settings: &[(u16, u32)]) -> Self {
        let mut payload = Vec::new();
        for (identifier, value) in settings {
            payload.extend(identifier.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        Self::new(Self::SETTINGS, 0, 0, payload)
    }

    /// A SETTINGS acknowledgement.
    pub fn settings_ack() -> Self {
        Self::new(Self::SETTINGS, Self::ACK, 0, [])
    }

    /// A PING frame.
    pub fn ping(opaque: [u8; 8]) -> Self {
        Self::new(Self::PING, 0, 0, opaque)
    }

    /// A GOAWAY frame without debug data.
    pub fn go_away(last_stream: u32, code: u32) -> Self {
        Self::new(Self::GOAWAY, 0, 0, [last_stream.to_be_bytes(), code.to_be_bytes()].concat())
    }

    /// A `RST_STREAM` frame.
    pub fn reset_stream(stream: u32, code: u32) -> Self {
        Self::new(Self::RST_STREAM, 0, stream, code.to_be_bytes())
    }

    /// A `WINDOW_UPDATE` frame.
    pub fn window_update(stream: u32, increment: u32) -> Self {
        Self::new(Self::WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
    }

    /// A `PUSH_PROMISE` frame with a header block.
    pub fn push_promise(stream: u32, promised: u32, block: &[u8]) -> Self {
        let payload = [&promised.to_be_bytes(), block].concat();
        Self::new(Self::PUSH_PROMISE, Self::END_HEADERS, stream, payload)
    }

    /// Encodes the frame.
    ///
    /// # Panics
    ///
    /// If the payload length does not fit in 24 bits.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        assert!(length < 1 << 24, "the length field of a frame has 24 bits");
        let mut bytes = Vec::with_capacity(Self::HEADER + self.payload.len());
        bytes.extend(&length.to_be_bytes()[1..]);
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Removes a complete frame from the front of `bytes`. Returns `None` if the frame is incomplete.
    pub fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let header = bytes.first_chunk::<{ Self::HEADER }>()?;
        let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]) & 0x7fff_ffff;
        let (kind, flags) = (header[3], header[4]);
        if bytes.len() < Self::HEADER + length {
            return None;
        }
        let payload = bytes[Self::HEADER..Self::HEADER + length].to_vec();
        bytes.drain(..Self::HEADER + length);
        Some(Self { kind, flags, stream, payload })
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Encodes a header block in which every field is a literal without indexing and without Huffman coding (RFC
/// 7541 Section 6.2.2).
///
/// # Panics
///
/// If a name or a value is 16,384 bytes or longer.
pub fn header_block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// Encodes an integer with a 7-bit prefix (RFC 7541 Section 5.1).
fn length(block: &mut Vec<u8>, length: usize) {
    assert!(length < 1 << 14, "a header field must be shorter than 16,384 bytes");
    let byte = |bits: usize| u8::try_from(bits & 0x7f).expect("seven bits");
    match length {
        0..127 => block.push(byte(length)),
        127..255 => block.extend([127, byte(length - 127)]),
        _ => block.extend([127, byte(length - 127) | 0x80, byte((length - 127) >> 7)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_frame_decodes_to_the_same_frame() {
        let frames = [Frame::ping(*b"12345678"), Frame::data(3, b"body", Frame::END_STREAM)];
        let wire: Vec<u8> = frames.iter().flat_map(Frame::to_bytes).collect();
        let mut received = Vec::new();
        let mut taken = Vec::new();
        for byte in wire {
            received.push(byte);
            taken.extend(Frame::take(&mut received));
        }
        assert_eq!(taken, frames);
    }

    /// RFC 7541 Section 5.1. The lengths are those around each change of encoding.
    #[test]
    fn string_lengths_use_a_seven_bit_prefix() {
        for (number, bytes) in [
            (0, &[0][..]),
            (126, &[126]),
            (127, &[127, 0]),
            (254, &[127, 127]),
            (255, &[127, 128, 1]),
            (16_383, &[127, 0x80, 0x7f]),
        ] {
            let mut block = Vec::new();
            length(&mut block, number);
            assert_eq!(block, bytes, "{number}");
        }
    }
}
