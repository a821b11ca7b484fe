//! A simulated server: the answers to the queries that a machine has written.

/// A pointer to the question's name; type A; class IN; a TTL of 300 s; four bytes of address.
const RECORD: [u8; 16] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 1];

/// The answer, an address, to a DNS message with one question.
pub(crate) fn answer(query: &[u8]) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += 1 + usize::from(query[end]);
    }
    let mut answer = query[..end + 5].to_vec();
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend_from_slice(&RECORD);
    answer
}

/// Appends the answers to all queries written over DNS over TLS.
pub(crate) fn answer_dot(mut written: &[u8], input: &mut Vec<u8>) {
    while let Some((length, rest)) = written.split_first_chunk() {
        let (query, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        let answer = answer(query);
        input.extend_from_slice(&u16::try_from(answer.len()).expect("it is short").to_be_bytes());
        input.extend_from_slice(&answer);
        written = rest;
    }
}

/// The first bytes of an HTTP/2 server: SETTINGS with 1,024 streams, the acknowledgement of the client's SETTINGS, and
/// a window update.
pub(crate) const HTTP2_GREETING: &[u8] =
    b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\x04\0\0\0\0\x04\x01\0\0\0\0\0\0\x04\x08\0\0\0\0\0\x70\0\0\0";

/// `:status: 200` and the content type.
const FIELDS: &[u8] = b"\x88\x0f\x10\x17application/dns-message";

/// Appends the answers to all HTTP/2 requests whose DATA was written.
pub(crate) fn answer_http2(mut written: &[u8], input: &mut Vec<u8>) {
    const PREFACE: usize = 24;
    const DATA: u8 = 0;

    if written.starts_with(b"PRI") {
        written = &written[PREFACE..];
    }
    while let Some((head, rest)) = written.split_first_chunk::<9>() {
        let [l1, l2, l3, kind, _, stream @ ..] = *head;
        let (payload, rest) = rest.split_at(u32::from_be_bytes([0, l1, l2, l3]) as usize);
        if kind == DATA {
            frame(1, 4, stream, FIELDS, input);
            frame(DATA, 1, stream, &answer(payload), input);
        }
        written = rest;
    }
}

fn frame(kind: u8, flags: u8, stream: [u8; 4], payload: &[u8], input: &mut Vec<u8>) {
    let [_, length @ ..] = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    input.extend_from_slice(&length);
    input.extend_from_slice(&[kind, flags]);
    input.extend_from_slice(&stream);
    input.extend_from_slice(payload);
}
