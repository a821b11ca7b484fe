//! Frames of a server, valid and invalid.

use crate::connection::http2::frame::{flag, kind};
pub(super) use crate::testkit::http2::frame;

pub(super) const OK: &[u8] = &[0x88];

/// Empty SETTINGS, and the acknowledgement of the client's.
pub(super) fn greeting() -> Vec<u8> {
    [settings(&[]), settings_ack()].concat()
}

pub(super) fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let octets =
        |(identifier, value): &(u16, u32)| [&identifier.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(kind::SETTINGS, 0, 0, settings.iter().flat_map(octets).collect::<Vec<_>>())
}

pub(super) fn settings_ack() -> Vec<u8> {
    frame(kind::SETTINGS, flag::ACK, 0, [])
}

/// HEADERS in one frame.
pub(super) fn headers(stream: u32, is_end: bool, block: impl AsRef<[u8]>) -> Vec<u8> {
    let end = if is_end { flag::END_STREAM } else { 0 };
    frame(kind::HEADERS, flag::END_HEADERS | end, stream, block)
}

pub(super) fn data(stream: u32, is_end: bool, body: impl AsRef<[u8]>) -> Vec<u8> {
    frame(kind::DATA, if is_end { flag::END_STREAM } else { 0 }, stream, body)
}

/// DATA, with this many bytes of padding.
pub(super) fn padded_data(stream: u32, is_end: bool, body: &[u8], padding: u8) -> Vec<u8> {
    let payload = [&[padding], body, &vec![0; padding.into()]].concat();
    let end = if is_end { flag::END_STREAM } else { 0 };
    frame(kind::DATA, flag::PADDED | end, stream, payload)
}

/// A complete response with a DNS message.
pub(super) fn response(stream: u32, message: &[u8]) -> Vec<u8> {
    let frames = message.chunks(16_384).map(|part| data(stream, false, part));
    let body = frames.collect::<Vec<_>>().concat();
    [headers(stream, false, dns_head()), body, data(stream, true, [])].concat()
}

/// The fields of a response with a DNS message.
pub(super) fn dns_head() -> Vec<u8> {
    [OK, &field("content-type", "application/dns-message")].concat()
}

/// One literal field.
pub(super) fn field(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Vec<u8> {
    let (name, value) = (name.as_ref(), value.as_ref());
    let length = |text: &[u8]| {
        let mut octets = Vec::new();
        let mut rest = text.len();
        if rest < 127 {
            return vec![u8::try_from(rest).unwrap()];
        }
        octets.push(127);
        rest -= 127;
        while rest >= 128 {
            octets.push(rest.to_le_bytes()[0] | 128);
            rest >>= 7;
        }
        octets.push(u8::try_from(rest).unwrap());
        octets
    };
    [&[0], &length(name)[..], name, &length(value), value].concat()
}

pub(super) fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, code.to_be_bytes())
}

pub(super) fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
}

pub(super) fn ping(opaque: [u8; 8]) -> Vec<u8> {
    frame(kind::PING, 0, 0, opaque)
}

pub(super) fn goaway(last_stream: u32, code: u32) -> Vec<u8> {
    frame(kind::GOAWAY, 0, 0, [last_stream.to_be_bytes(), code.to_be_bytes()].concat())
}
