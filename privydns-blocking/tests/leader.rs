//! Which thread drives, and what happens to the others when that thread leaves, fails or is delayed.

mod server;
mod subscriber;

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use privydns_blocking::{Answer, Error, ErrorKind, Resolver, Stage};

use server::{Event, LONG, Query, SHORT, Server, Step, number, query};

/// A server that answers query 1 only after query 2 has arrived, and then follows `script`.
fn server(mut script: impl FnMut(Query, Query) -> Vec<Step> + Send + 'static) -> Server {
    let mut first = None;
    Server::start(move |query| match query.number() {
        1 => {
            first = Some(query);
            Vec::new()
        }
        2 if first.is_some() => script(first.take().unwrap(), query),
        _ => vec![Step::Answer(query)],
    })
}

/// Starts a thread with query 1, waits until the thread drives, and calls `on_event` for its tracing events.
fn spawn_driver(
    server: &Server,
    resolver: &Resolver,
    on_event: impl Fn(&str) + Send + Sync + 'static,
) -> JoinHandle<Result<Answer, Error>> {
    let resolver = resolver.clone();
    let driver = spawn(move || subscriber::with(on_event, || resolver.query(query(1))));
    server.wait_for(&Event::Asked(1));
    driver
}

/// Starts a thread with query 2.
fn spawn_other(resolver: &Resolver, timeout: Duration) -> JoinHandle<Result<Answer, Error>> {
    let resolver = resolver.clone();
    spawn(move || resolver.query(query(2).with_timeout(timeout)))
}

#[test]
fn another_thread_leads_when_the_leader_has_its_answer() {
    let (gate, gated) = channel();
    let mut gated = Some(gated);
    let server = server(move |first, second| {
        vec![Step::Answer(first), Step::Wait(gated.take().unwrap()), Step::Answer(second)]
    });
    let resolver = server.resolver();

    let driver = spawn_driver(&server, &resolver, |_| {});
    let other = spawn_other(&resolver, LONG);
    assert_eq!(number(&driver.join().unwrap().unwrap()), 1);
    // Only the other thread is left to receive its answer.
    drop(gate);
    assert_eq!(number(&other.join().unwrap().unwrap()), 2);
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 1);
}

#[test]
fn deadline_holds_for_the_new_leader() {
    let server = server(|first, _| vec![Step::Answer(first)]);
    let resolver = server.resolver();

    let driver = spawn_driver(&server, &resolver, |_| {});
    let other = spawn_other(&resolver, SHORT);
    driver.join().unwrap().unwrap();
    let error = other.join().unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!(error.stage(), Some(Stage::Query));
    assert_eq!(error.upstream(), Some(server.upstream().label()));
}

#[test]
fn deadline_holds_while_the_leader_is_delayed() {
    let server = server(|first, _| vec![Step::Answer(first)]);
    let resolver = server.resolver();
    let (gate, gated) = channel::<()>();
    let gated = Mutex::new(gated);

    let driver = spawn_driver(&server, &resolver, move |text| {
        if text == "answered" {
            let _ = gated.lock().unwrap().recv();
        }
    });
    let started = Instant::now();
    let error = resolver.query(query(2).with_timeout(SHORT)).unwrap_err();
    let took = started.elapsed();
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert!(took >= SHORT && took < LONG / 2, "{took:?}");
    let batch = resolver.lookup_many([4, 5].map(|number| query(number).with_timeout(SHORT)));
    let is_late = |result: Result<_, Error>| matches!(result.unwrap_err().kind(), ErrorKind::Deadline);
    assert_eq!(batch.filter_map(|(_, result)| is_late(result).then_some(())).count(), 2);
    assert!(!driver.is_finished());

    drop(gate);
    assert_eq!(number(&driver.join().unwrap().unwrap()), 1);
    assert_eq!(number(&resolver.query(query(3)).unwrap()), 3);
}

#[test]
fn panic_of_the_leader_does_not_lose_other_lookups() {
    let server = server(|first, second| vec![Step::Answer(first), Step::Answer(second)]);
    let resolver = server.resolver();

    let driver = spawn_driver(&server, &resolver, |text| assert_ne!(text, "answered", "on purpose"));
    let other = spawn_other(&resolver, LONG);
    driver.join().unwrap_err();
    // Its lookup begins again, on another connection.
    assert_eq!(number(&other.join().unwrap().unwrap()), 2);
    assert_eq!(number(&resolver.query(query(3)).unwrap()), 3);
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 2);
}

#[test]
fn resolver_works_after_a_panic_of_its_only_caller() {
    let server = Server::prompt();
    let resolver = server.resolver();

    let asking = resolver.clone();
    let panicking = spawn(move || {
        let on_event = |text: &str| assert_ne!(text, "connected", "on purpose");
        subscriber::with(on_event, || asking.query(query(1)))
    });
    panicking.join().unwrap_err();
    assert_eq!(number(&resolver.query(query(2)).unwrap()), 2);
    resolver.close();
    server.wait_for(&Event::Goodbye);
}

#[test]
fn close_ends_the_lookups_of_other_threads() {
    let server = server(|_, _| Vec::new());
    let resolver = server.resolver();

    let driver = spawn_driver(&server, &resolver, |_| {});
    let other = spawn_other(&resolver, LONG);
    server.wait_for(&Event::Asked(2));
    resolver.close();
    for caller in [driver, other] {
        assert!(matches!(caller.join().unwrap().unwrap_err().kind(), ErrorKind::Closed));
    }
    server.wait_for(&Event::Goodbye);
}
