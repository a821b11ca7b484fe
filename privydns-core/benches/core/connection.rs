//! The connection machines: from a query to its bytes, and from the answer's bytes to the answer.

use std::sync::Arc;
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use privydns_core::Upstream;
use privydns_core::fuzzing::{Dot, Endpoint, Event, Http2, Key, Machine};
use privydns_core::testkit::epoch;

use crate::{peer, world};

const IN_FLIGHT: [usize; 3] = [1, 100, 1000];

/// DNS over TLS: the query encoded and the answer matched.
#[divan::bench(args = IN_FLIGHT)]
fn dot(bencher: Bencher<'_, '_>, in_flight: usize) {
    run(bencher, in_flight, Dot::new(epoch(), [7; 32]), peer::answer_dot);
}

/// DNS over HTTP/2.
#[divan::bench(args = IN_FLIGHT)]
fn http2(bencher: Bencher<'_, '_>, in_flight: usize) {
    let upstream: Upstream = "https://dns.example/dns-query#ip=192.0.2.1".parse().expect("an upstream");
    let endpoint = Endpoint::of(&upstream).expect("it is of HTTPS");
    let now = epoch();
    let mut machine = Http2::new(now, Arc::new(endpoint));
    machine.handle_input(now, peer::HTTP2_GREETING);
    while machine.poll_event(now).is_some() {}
    run(bencher, in_flight, machine, peer::answer_http2);
}

/// Includes the simulated peer, whose share is small.
fn run(
    bencher: Bencher<'_, '_>,
    in_flight: usize,
    mut machine: impl Machine,
    answer: fn(&[u8], &mut Vec<u8>),
) {
    let now = epoch();
    let queries: Vec<_> = world::queries(0..in_flight).collect();
    let (mut last, mut message, mut written) = (0, Vec::new(), Vec::new());
    bencher.counter(ItemsCount::new(in_flight)).bench_local(|| {
        for query in &queries {
            last += 1;
            machine.submit(now, Key(last), query);
        }
        let mut expected = in_flight;
        // Over HTTP/2 requests leave in bursts.
        while expected > 0 {
            written.clear();
            while machine.poll_transmit(now, &mut message) {
                written.extend_from_slice(&message);
            }
            let mut input = Vec::with_capacity(written.len());
            answer(&written, &mut input);
            let answered = receive(&mut machine, now, &input);
            assert!(answered > 0, "the answers to a burst let the next one go out");
            expected -= answered;
        }
        while machine.poll_transmit(now, &mut message) {}
    });
}

fn receive(machine: &mut impl Machine, now: Instant, input: &[u8]) -> usize {
    machine.handle_input(now, input);
    let events = std::iter::from_fn(|| machine.poll_event(now));
    events.inspect(|event| assert!(matches!(event, Event::Answered { .. }), "{event:?}")).count()
}
