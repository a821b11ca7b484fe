//! Fuzz target: the whole engine, with steps of callers, servers, network and clock.

mod configs;
mod peer;
mod trace;
mod world;

use std::sync::Arc;
use std::time::Duration;

use self::trace::Trace;
use self::world::{Pieces, World};
use super::source::Source;
use crate::RecordType;
use crate::engine::Input;
use crate::error::{Cause, CertificateProblem};
use crate::message::{CacheUse, Query};
use crate::upstream::Protocol;

const NAMES: [&str; 6] =
    ["a.example", "b.example", "x.corp.example", "a.example.", "localhost", "printer.local"];
const TYPES: [RecordType; 3] = [RecordType::A, RecordType::AAAA, RecordType::TXT];
const CACHE_USES: [CacheUse; 4] = [CacheUse::Normal, CacheUse::Normal, CacheUse::Bypass, CacheUse::Only];
/// Timeouts of callers and pauses, in milliseconds.
const TIMES: [u64; 16] =
    [0, 1, 4, 10, 50, 100, 250, 300, 1000, 1800, 2500, 5000, 10_000, 31_000, 301_000, 90_000_000];

const LONGEST_TIMEOUT: Duration = Duration::from_secs(300);

/// The input is a list of steps. The engine must keep its contract, produce the same outputs for the same inputs, and
/// give the same results however the servers' bytes are split.
///
/// The first of several pieces may make the engine do deferred work earlier. From there on the two runs differ, and
/// only the contract is checked in both.
pub fn engine(input: &[u8]) {
    let whole = run(input, Pieces::Whole);
    assert!(whole == run(input, Pieces::Whole), "two runs with the same seed and inputs differ");
    let split = run(input, Pieces::Octets);
    for (whole, split) in whole.steps().zip(split.steps()) {
        assert_eq!(whole.results(), split.results(), "the same results byte by byte");
        if whole.deeds() != split.deeds() {
            break;
        }
    }
}

fn run(input: &[u8], pieces: Pieces) -> Trace {
    let mut source = Source::new(input);
    let flags = source.byte();
    let mut world = World::new(configs::config(flags.into()), pieces);
    while !source.is_empty() {
        step(&mut world, &mut source);
        world.settle();
    }
    if flags & 0x80 == 0 {
        world.come_to_rest();
    }
    world.close();
    world.into_trace()
}

fn step(world: &mut World, source: &mut Source<'_>) {
    match source.below(20) {
        0..4 => {
            let query = query(source);
            // The timeouts are below a day, and the engine has a timer at least every second while a caller waits.
            let timeout = milliseconds(source).min(LONGEST_TIMEOUT);
            world.ask(query, timeout);
        }
        4 => world.cancel(source.below(8)),
        5..9 => {
            let (link, asked) = (source.below(8), source.below(8));
            world.reply(link, asked, source);
        }
        9 => world.receive(source.below(8), source.counted()),
        10 | 11 => {
            let link = source.below(8);
            let alpn = source.pick(&[None, Some(&b"dot"[..]), Some(b"h2"), Some(b"http/1.1")]);
            world.connected(link, alpn, source.byte() & 1 == 1);
        }
        12 => {
            let link = source.below(8);
            world.ended(link, cause(source));
        }
        13 | 14 => world.pass(milliseconds(source)),
        15 => world.sleep(milliseconds(source)),
        16 => world.hold_writes(source.byte() & 1 == 1),
        17 => match source.below(4) {
            0 => world.tell(Input::WarmUp),
            1 => world.tell(Input::NetworkChanged),
            2 => world.wall_clock(milliseconds(source)),
            _ => world.tell(Input::Timeout),
        },
        18 => {
            let query = query(source);
            if source.byte() & 1 == 0 {
                world.tell(Input::Refresh(query));
            } else {
                world.forget(&query);
            }
        }
        _ => world.back_in_time(milliseconds(source)),
    }
}

fn query(source: &mut Source<'_>) -> Arc<Query> {
    let flags = source.byte();
    let query = Query::new(source.pick(&NAMES), source.pick(&TYPES)).expect("a name");
    let query = query.dnssec_ok(flags & 1 != 0).with_cache_use(CACHE_USES[usize::from(flags >> 1 & 3)]);
    Arc::new(match flags >> 3 & 7 {
        0 => query.with_protocol(Protocol::Https),
        1 => query.with_protocol(Protocol::Tls),
        _ => query,
    })
}

fn milliseconds(source: &mut Source<'_>) -> Duration {
    Duration::from_millis(source.pick(&TIMES))
}

fn cause(source: &mut Source<'_>) -> Cause {
    match source.below(6) {
        0 => Cause::Connect(std::io::ErrorKind::ConnectionRefused.into()),
        1 => Cause::NoApplicationProtocol,
        2 => Cause::Certificate(CertificateProblem::Expired),
        3 => Cause::Tls(std::io::ErrorKind::InvalidData.into()),
        4 => Cause::Timeout,
        _ => Cause::Closed,
    }
}
