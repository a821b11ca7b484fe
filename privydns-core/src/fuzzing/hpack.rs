//! Fuzz target: HPACK, the field blocks of one connection, each of which depends on those before.

use super::http1::endpoint;
use super::source::Source;
use super::stream::question;
use crate::connection::{Event, HEADER_TABLE_SIZE, HpackDecoder, Http2, Key, Machine};
use crate::testkit::epoch;
use crate::testkit::http2::frame;
use crate::upstream::HttpMethod;

/// A decoded field block: name and value of each field, up to the first error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each holds the fields")]
pub enum Block {
    Whole(Vec<(Vec<u8>, Vec<u8>)>),
    Broken(Vec<(Vec<u8>, Vec<u8>)>),
}

/// The maximum number of bytes in all fields of a connection's blocks, beyond which the input is not continued: a small
/// block can represent many large fields.
const MOST_DECODED: usize = 1 << 20;
/// The limit in our SETTINGS.
const TABLE: usize = HEADER_TABLE_SIZE as usize;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The input is the field blocks of one connection. `compare` receives each block with its decoded fields, and returns
/// whether it can compare the next block: the reference implementation may have given up.
pub fn hpack(input: &[u8], compare: &mut dyn FnMut(&[u8], &Block) -> bool) {
    let mut source = Source::new(input);
    let piece = source.below(16) + 1;
    let mut blocks = Vec::new();
    while !source.is_empty() {
        let length = source.byte();
        blocks.push(if length == u8::MAX { source.take(usize::MAX) } else { source.take(length.into()) });
    }
    let (mut decoder, mut decoded, mut is_compared) = (HpackDecoder::new(TABLE), 0, true);
    for block in &blocks {
        let mut fields = Vec::new();
        let result = decoder.decode(block, |name, value| {
            decoded += name.len() + value.len();
            if decoded <= MOST_DECODED {
                fields.push((name.to_vec(), value.to_vec()));
            }
        });
        assert!(decoder.held() <= 2 * TABLE, "the decoder holds {} bytes", decoder.held());
        if decoded > MOST_DECODED {
            break;
        }
        let is_whole = result.is_ok();
        let came_to = if is_whole { Block::Whole(fields) } else { Block::Broken(fields) };
        is_compared = is_compared && compare(block, &came_to);
        if !is_whole {
            break;
        }
    }
    let whole = events(&blocks, usize::MAX);
    assert_eq!(whole, events(&blocks, piece), "the same events in frames of {piece} bytes");
}

/// Decodes the blocks on a connection, one stream for each, in frames of a given length.
fn events(blocks: &[&[u8]], piece: usize) -> Vec<Event> {
    let now = epoch();
    let mut machine = Http2::new(now, endpoint(HttpMethod::Get));
    let mut output = Vec::new();
    for key in (0..32).map(Key) {
        machine.submit(now, key, &question(key));
    }
    while machine.poll_transmit(now, &mut output) {}
    machine.handle_input(now, &frame(SETTINGS, 0, 0, []));
    for (stream, block) in (1..).step_by(2).zip(blocks.iter().take(32)) {
        let mut rest = *block;
        for number in 0.. {
            // The maximum number of frames of a block.
            let length = if number < 60 { rest.len().min(piece) } else { rest.len() };
            let (fragment, later) = rest.split_at(length);
            let end = if later.is_empty() { END_HEADERS } else { 0 };
            let (kind, flags) = if number == 0 { (HEADERS, END_STREAM | end) } else { (CONTINUATION, end) };
            machine.handle_input(now, &frame(kind, flags, stream, fragment));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
    }
    std::iter::from_fn(|| machine.poll_event(now)).collect()
}
