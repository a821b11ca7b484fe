//! Time: each caller's deadline, and the clock.

use std::sync::Arc;

use privydns_core::ErrorKind;
use privydns_core::engine::{Input, LookupId, Output};

use crate::world::{World, epoch, ms, query, s};

/// Conformance 12: equal lookups share their attempts, but not their deadlines.
#[test]
fn each_caller_ends_at_its_own_deadline() {
    let mut world = World::with_upstreams(1);
    world.host(0).keeps_silent();
    let patient = world.ask(&query("example.com").with_timeout(s(4)));
    let hurried = world.ask(&query("example.com").with_timeout(ms(1700)));
    let done = world.finish(hurried);
    assert_eq!(done.at, ms(1700));
    assert!(matches!(done.error().kind(), ErrorKind::Deadline));
    assert_eq!(world.finish(patient).at, s(4));
}

/// Lookups that begin then use the latest time seen: none of their timers is in the past.
#[test]
fn backward_clock_stands_still() {
    let mut world = World::with_upstreams(1);
    world.run_for(s(60));
    world.time_out();
    let (then, now) = (epoch() + s(1), epoch() + s(60));
    let query = Arc::new(query("example.com"));
    world.engine.handle_input(then, Input::Lookup { id: LookupId(1), query, deadline: now + s(5) });
    let mut message = Vec::new();
    let wake = loop {
        if let Output::Wait(wake) = world.engine.poll_output(then, &mut message) {
            break wake;
        }
    };
    assert!(wake.is_some_and(|wake| wake > now && wake <= now + s(5)), "{wake:?}, and it is {now:?}");
}
