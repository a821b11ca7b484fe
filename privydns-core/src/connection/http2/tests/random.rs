//! Random bytes: no panic, bounded memory, and the same events however the bytes are split.

use super::server::{self, data, field, frame, headers, response, settings};
use super::{Client, Draw, answer};
use crate::connection::http2::limits;
use crate::connection::{Event, Key, Machine};

/// Sequences of frames, mostly well-formed, of all types and on all streams, some with changed bytes: fed whole, byte
/// by byte and in random pieces.
#[test]
fn random_frames_do_not_break_the_machine_in_any_split() {
    let mut draw = Draw::new(2024);
    let mut ends = 0;
    for _ in 0..3000 {
        let mut octets: Vec<u8> = (0..draw.below(30)).flat_map(|_| any_frame(&mut draw)).collect();
        for _ in 0..draw.below(3) {
            if !octets.is_empty() {
                let state = draw.below(octets.len());
                octets[state] = draw.next().to_le_bytes()[0];
            }
        }
        let whole = hear(&octets, |left| left);
        let single = hear(&octets, |_| 1);
        assert_eq!(whole, single);
        let pieces = hear(&octets, |left| 1 + draw.below(left));
        assert_eq!(whole, pieces);
        ends += usize::from(matches!(whole[whole.len() - 1], Event::Ended(crate::Cause::Protocol(_))));
    }
    assert!((500..2800).contains(&ends), "{ends}: some inputs contain violations, and some do not");
}

#[test]
fn random_bytes_from_the_start_are_an_error() {
    let mut draw = Draw::new(7);
    for _ in 0..2000 {
        let length = draw.below(100);
        let octets = draw.octets(length);
        let mut client = Client::new();
        client.ask(1);
        let whole = client.hear(&octets);
        let mut client = Client::new();
        client.ask(1);
        let single: Vec<_> = octets.chunks(1).flat_map(|octet| client.hear(octet)).collect();
        assert_eq!(whole, single);
    }
}

/// All events of a connection with six queries that receives `octets` in pieces, followed by its end.
fn hear(octets: &[u8], mut piece: impl FnMut(usize) -> usize) -> Vec<Event> {
    let mut client = Client::asking(6);
    client.machine.cancel(client.now, Key(5));
    client.transmit();
    let mut events = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece(rest.len()));
        events.extend(client.hear(now));
        rest = later;
    }
    events.extend(client.end());

    let mut told: Vec<Key> = events
        .iter()
        .filter_map(|event| match event {
            Event::Answered { key, .. } | Event::Failed { key, .. } => Some(*key),
            _ => None,
        })
        .collect();
    told.sort_unstable();
    assert_eq!(told, [1, 2, 3, 4, 6].map(Key), "each query ends once");
    assert!(matches!(events.last(), Some(Event::Ended(_))));
    assert_eq!(client.machine.in_flight(), 0);
    assert!(client.transmits.concat().len() < 1000 * 12 + limits::MAX_PENDING_CONTROL);
    events
}

fn any_frame(draw: &mut Draw) -> Vec<u8> {
    let stream = 2 * u32::try_from(draw.below(6)).unwrap() + 1;
    let key = u64::from(stream / 2 + 1);
    let is_end = draw.below(3) == 0;
    let length = draw.below(20);
    let octets = draw.octets(length);
    match draw.below(18) {
        0 | 1 => response(stream, &answer(key)),
        2 | 3 => headers(stream, is_end, server::dns_head()),
        4 => headers(stream, is_end, field("n", "v")),
        5 => headers(stream, is_end, field(":status", "100")),
        6 => headers(stream, is_end, octets),
        7 => frame(1, 0, stream, server::dns_head()),
        8 => frame(9, 4, stream, field("n", "v")),
        9 => data(stream, is_end, answer(key)),
        10 => data(stream, is_end, octets),
        11 => server::padded_data(stream, is_end, &octets, 5),
        12 => server::ping(draw.next().to_be_bytes()),
        13 => {
            settings(&[(u16::try_from(draw.below(8)).unwrap(), u32::try_from(draw.below(1 << 17)).unwrap())])
        }
        14 => server::window_update(
            if is_end { 0 } else { stream },
            u32::try_from(draw.below(1 << 20)).unwrap(),
        ),
        15 if is_end => server::goaway(stream, 0),
        15 => server::rst_stream(stream, u32::try_from(draw.below(16)).unwrap()),
        16 => frame(draw.next().to_le_bytes()[0], 0, stream, octets),
        _ => frame(0x63, 0, 0, octets),
    }
}
