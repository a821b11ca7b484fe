//! Seeds of steps for caches and engines.

use super::Seeds;

pub(super) fn cache() -> Seeds {
    // Step, name, type and scope; for an answer also its TTLs, whether there is an alias, and its kind.
    const LOOKUP: u8 = 0;
    const INSERT: u8 = 50;
    const WAIT: u8 = 75;
    let seed = |is_stale: u8, is_prefetching: u8, steps: &[&[u8]]| {
        [&[is_stale, is_prefetching][..], &steps.concat()].concat()
    };
    let records: &[u8] = &[INSERT, 1, 0, 0, 2, 2, 9, 0];
    let denial: &[u8] = &[INSERT, 0, 0, 0, 2, 2, 9, 3];
    let alias: &[u8] = &[INSERT, 1, 0, 0, 2, 2, 0, 6, 3];
    let lookup: &[u8] = &[LOOKUP, 1, 0, 0];
    let below: &[u8] = &[LOOKUP, 3, 1, 0];
    let soon: &[u8] = &[WAIT, 0, 0, 0, 4, 0];
    let late: &[u8] = &[WAIT, 0, 0, 0, 31, 249];
    let failed: &[u8] = &[95, 1, 0, 0];
    vec![
        ("kept-and-gone", seed(0, 0, &[lookup, records, lookup, soon, lookup, late, late, lookup])),
        ("stale", seed(1, 0, &[records, late, late, lookup, failed, lookup, late, lookup])),
        ("near-its-end", seed(0, 1, &[records, late, soon, soon, lookup, lookup])),
        ("denied-below", seed(0, 0, &[denial, below, records, below, lookup])),
        ("denied-at-the-end-of-a-chain", seed(0, 0, &[alias, lookup, &[LOOKUP, 6, 0, 0]])),
        ("removed", seed(0, 0, &[records, denial, &[98, 1, 0, 0], lookup, records, &[99, 0, 0, 0], lookup])),
    ]
}

pub(super) fn engine() -> Seeds {
    // Steps by their first byte; then the connection, the query, and other parameters.
    const ASK: u8 = 0;
    const CANCEL: u8 = 4;
    const REPLY: u8 = 5;
    const RECEIVE: u8 = 9;
    const CONNECTED: u8 = 10;
    const ENDED: u8 = 12;
    const PASS: u8 = 13;
    const SLEEP: u8 = 15;
    const HOLD: u8 = 16;
    const OTHER: u8 = 17;
    const REFRESH: u8 = 18;
    // A lookup for any protocol, name 0 or 1, type A, with a timeout of five seconds.
    let ask = |name: u8| vec![ASK, 0x10, name, 0, 11];
    let connected = |alpn: u8| vec![CONNECTED, 0, alpn, 0];
    let reply = |number: u8, kind: u8| vec![REPLY, 0, number, 1, kind, 0, 0];
    let ended = |cause: u8| vec![ENDED, 0, cause];
    let pass = |time: u8| vec![PASS, time];
    let seed = |config: u8, steps: &[Vec<u8>]| [&[config][..], &steps.concat()].concat();
    vec![
        ("dot", seed(0, &[ask(0), connected(1), reply(0, 0), ask(1), reply(1, 3), ask(0)])),
        ("dot-closed-early", seed(0x80, &[ask(0), connected(1)])),
        ("stale", seed(1, &[ask(0), connected(1), reply(0, 0), pass(14), ask(0), pass(9), ask(0)])),
        ("http2", seed(2, &[ask(0), connected(2), pass(1), reply(0, 0), ask(1), reply(1, 2)])),
        ("http2-picked-http1", seed(2, &[ask(0), connected(3), reply(0, 0), ask(1), reply(1, 0)])),
        ("http1-many", seed(3, &[ask(0), ask(1), connected(3), connected(3), reply(0, 0), reply(0, 0)])),
        ("race", seed(4, &[ask(0), connected(1), connected(2), reply(0, 4), reply(0, 0)])),
        ("hedge", seed(5, &[ask(0), connected(1), pass(5), connected(2), reply(0, 0), pass(11), pass(11)])),
        ("bootstrap", seed(6, &[ask(0), connected(1), reply(0, 4), ask(1), reply(1, 0), reply(2, 0)])),
        (
            "overloaded",
            seed(7, &[ask(0), ask(1), ask(2), ask(0), vec![ASK, 0x10, 0, 1, 11], ask(2), pass(14)]),
        ),
        ("failing-everywhere", seed(1, &[ask(0), ended(0), ended(0), ended(2), ended(3), pass(11)])),
        ("refuses-alpn", seed(0, &[ask(0), ended(1), connected(0), reply(0, 0)])),
        (
            "closed-while-asked",
            seed(0, &[ask(0), connected(1), reply(0, 0), ask(1), ended(5), connected(1), reply(0, 0)]),
        ),
        ("silent", seed(1, &[ask(0), connected(1), pass(9), pass(9), pass(10), pass(11)])),
        ("cancelled", seed(0, &[ask(0), connected(1), vec![CANCEL, 0], reply(0, 0), ask(0), reply(1, 0)])),
        (
            "asleep",
            seed(0, &[ask(0), vec![SLEEP, 15], connected(1), ask(1), vec![OTHER, 2, 15], vec![OTHER, 2, 0]]),
        ),
        ("another-network", seed(2, &[ask(0), connected(2), vec![OTHER, 1], connected(2), reply(0, 0)])),
        ("not-written", seed(0, &[vec![HOLD, 1], ask(0), connected(1), reply(0, 0), vec![HOLD, 0], ask(1)])),
        ("refreshed", seed(1, &[vec![REFRESH, 0x10, 0, 0, 0], connected(1), reply(0, 0), ask(0)])),
        ("warm", seed(4, &[vec![OTHER, 0], connected(1), connected(2), ask(0), reply(0, 0), pass(13)])),
        ("garbage", seed(0, &[ask(0), connected(1), vec![RECEIVE, 0, 4, 0, 2, 9, 9], pass(5), ended(5)])),
    ]
}
