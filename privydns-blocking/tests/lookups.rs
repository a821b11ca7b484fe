//! One thread and a server on loopback.

mod server;
mod subscriber;

use std::cell::Cell;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use privydns_blocking::{CacheUse, ErrorKind, RecordType, Resolver, Stage};

use server::{Event, LONG, SHORT, Server, Step, name, number, query};

#[test]
fn second_lookup_is_answered_from_the_cache() {
    let server = Server::prompt();
    let resolver = server.resolver();

    let answer = resolver.lookup(&name(7), RecordType::A).unwrap();
    assert_eq!((number(&answer), answer.is_cached()), (7, false));

    let answer = resolver.lookup(&name(7), RecordType::A).unwrap();
    assert_eq!((number(&answer), answer.is_cached()), (7, true));
}

#[test]
fn both_address_families_are_queried_in_parallel() {
    // The server answers when both queries have arrived.
    let mut held = Vec::new();
    let server = Server::start(move |query| {
        held.push(query);
        if held.len() == 2 { held.drain(..).map(Step::Answer).collect() } else { Vec::new() }
    });

    let addresses = server.resolver().lookup_ip(&name(7)).unwrap();
    let expected = [Ipv6Addr::from_bits(7).to_canonical(), Ipv4Addr::from_bits(7).into()];
    assert_eq!(addresses.iter().map(|address| address.to_canonical()).collect::<Vec<_>>(), expected);
}

#[test]
fn batch_is_sent_at_once_and_yields_answers_in_order_of_arrival() {
    // The server answers when all queries have arrived, the last one first.
    let mut held = Vec::new();
    let server = Server::start(move |query| {
        held.push(query);
        if held.len() == 100 { held.drain(..).rev().map(Step::Answer).collect() } else { Vec::new() }
    });

    let resolver = server.resolver();
    let mut numbers = resolver
        .lookup_many((0..100).map(query))
        .map(|(asked, answer)| {
            let number = number(&answer.unwrap());
            assert_eq!(asked, query(number));
            number
        })
        .collect::<Vec<_>>();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 1);
}

#[test]
fn delayed_answer_does_not_delay_the_rest_of_the_batch() {
    // The first query is answered after the third.
    let mut first = None;
    let server = Server::start(move |query| match query.number() {
        0 => {
            first = Some(query);
            Vec::new()
        }
        2 => vec![Step::Answer(query), Step::Answer(first.take().unwrap())],
        _ => vec![Step::Answer(query)],
    });

    let resolver = server.resolver();
    let mut answers = resolver.lookup_many((0..3).map(query));
    let order = answers.by_ref().map(|(_, answer)| number(&answer.unwrap())).collect::<Vec<_>>();
    assert!(order == [1, 2, 0] || order == [1, 0, 2] || order == [0, 1, 2], "{order:?}");
    assert!(answers.next().is_none());
}

#[test]
fn batch_of_any_size_respects_max_lookups() {
    let server = Server::prompt();
    let resolver = server.builder().max_lookups(8).build().unwrap();

    let answers = resolver.lookup_many((0..500).map(query));
    assert_eq!(answers.filter(|(_, answer)| answer.is_ok()).count(), 500);
}

#[test]
fn at_most_limits_the_lookups_in_flight() {
    // A single query is answered when a second has arrived.
    let mut held = Vec::new();
    let server = Server::start(move |query| {
        held.push(query);
        if held.len() == 2 { held.drain(..).map(Step::Answer).collect() } else { Vec::new() }
    });
    let resolver = server.resolver();

    let begun = Cell::new(0);
    let queries = (0..40).inspect(|_| begun.set(begun.get() + 1)).map(query);
    for (ended, (_, answer)) in resolver.lookup_many(queries).at_most(4).enumerate() {
        answer.unwrap();
        assert!(begun.get() - ended <= 4, "{} begun when {ended} had ended", begun.get());
    }
    assert_eq!(begun.get(), 40);

    let one_by_one = Server::prompt();
    let resolver = one_by_one.resolver();
    assert_eq!(resolver.lookup_many((0..3).map(query)).at_most(0).count(), 3);
}

#[test]
fn later_queries_join_the_lookups_in_flight() {
    let server = Server::prompt();
    let resolver = server.resolver();
    let (sender, queries) = channel();

    sender.send(query(0)).unwrap();
    let mut answers = resolver.lookup_many(queries.try_iter());
    for asked in 0..10 {
        assert_eq!(number(&answers.next().unwrap().1.unwrap()), asked);
        assert!(answers.next().is_none());
        sender.send(query(asked + 1)).unwrap();
    }
}

#[test]
fn dropped_batch_is_cancelled() {
    let server = Server::start(|query| match query.number() {
        0 => vec![Step::Answer(query)],
        _ => Vec::new(),
    });
    let resolver = server.resolver();

    let mut answers = resolver.lookup_many((0..10).map(query));
    assert_eq!(number(&answers.next().unwrap().1.unwrap()), 0);
    drop(answers);
    // No lookup waits any more: the connection is closed when the idle time is over.
    resolver.close();
    server.wait_for(&Event::Goodbye);
}

#[test]
fn dead_idle_connection_is_noticed_before_the_next_query() {
    let (gate, gated) = channel();
    let mut gated = Some(gated);
    let server = Server::start(move |query| match query.number() {
        1 => vec![Step::Answer(query), Step::Wait(gated.take().unwrap()), Step::Close],
        _ => vec![Step::Answer(query)],
    });
    let resolver = server.resolver();
    resolver.query(query(1)).unwrap();
    drop(gate);
    server.wait_for(&Event::Lost);

    let (event, events) = channel();
    let answer =
        subscriber::with(move |text| event.send(text.to_owned()).unwrap(), || resolver.query(query(2)));
    assert_eq!(number(&answer.unwrap()), 2);
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 2);
    let events = events.into_iter().collect::<Vec<_>>();
    assert_eq!(events[..3], ["connection ended", "attempt", "connecting"]);
}

#[test]
fn deadline_holds_when_the_server_is_silent_in_the_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("tls://{}#server.test", listener.local_addr().unwrap());
    let resolver = Resolver::builder().upstream(upstream.parse().unwrap()).timeout(SHORT).build().unwrap();

    let started = Instant::now();
    let error = resolver.query(query(1)).unwrap_err();
    let took = started.elapsed();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.stage(), Some(Stage::Tls));
    assert!(took >= SHORT && took < LONG / 2, "{took:?}");
}

#[test]
fn deadline_holds_when_the_server_does_not_answer() {
    let server = Server::start(|_| Vec::new());
    let resolver = server.builder().timeout(SHORT).build().unwrap();

    let started = Instant::now();
    let error = resolver.query(query(1)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!(error.stage(), Some(Stage::Query));
    assert_eq!(error.upstream(), Some(server.upstream().label()));
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn refused_connection_is_reported_as_the_cause() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resolver =
        Resolver::builder().upstream(format!("tls://{refusing}#server.test").parse().unwrap()).build();

    let error = resolver.unwrap().query(query(1)).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Connect));
    assert_eq!(error.address(), Some(refusing));
}

#[test]
fn close_during_the_handshake_is_reported_with_its_stage() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let _ = tcp.unwrap().read(&mut [0; 4096]);
        }
    });
    let resolver =
        Resolver::builder().upstream(format!("tls://{address}#server.test").parse().unwrap()).build();

    let error = resolver.unwrap().query(query(1)).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Tls));
    assert!(error.to_string().contains("handshake"), "{error}");
}

#[test]
fn untrusted_certificate_is_reported_and_sends_an_alert() {
    let server = Server::prompt();
    let upstream = server.upstream().roots(privydns_blocking::Roots::WebPki);
    let error = Resolver::builder().upstream(upstream).build().unwrap().query(query(1)).unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    server.wait_for(&Event::Lost);
}

#[test]
fn drive_closes_idle_connections_with_close_notify() {
    let server = Server::start(|query| vec![Step::AnswerAndKeep(query, 2)]);
    let resolver = server.resolver();
    resolver.query(query(1)).unwrap();

    // The server keeps connections for 0.2 s; driving ends with the test.
    let driving = resolver.clone();
    let driver = std::thread::spawn(move || driving.drive(LONG));
    server.wait_for(&Event::Goodbye);
    resolver.close();
    let end = driver.join().unwrap();
    assert!(matches!(end.unwrap_err().kind(), ErrorKind::Closed));
}

#[test]
fn next_lookup_closes_expired_idle_connections_first() {
    let server = Server::start(|query| vec![Step::AnswerAndKeep(query, 0)]);
    let resolver = server.resolver();
    resolver.query(query(1)).unwrap();
    resolver.query(query(2)).unwrap();
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 2);
    server.wait_for(&Event::Goodbye);
}

#[test]
fn drive_with_zero_time_does_not_wait() {
    let server = Server::prompt();
    let resolver = server.resolver();
    resolver.drive(Duration::ZERO).unwrap();
    resolver.query(query(1)).unwrap();
    let started = Instant::now();
    resolver.drive(Duration::ZERO).unwrap();
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn close_sends_close_notify_and_ends_every_clone() {
    let server = Server::prompt();
    let resolver = server.resolver();
    let clone = resolver.clone();
    resolver.query(query(1)).unwrap();

    resolver.close();
    server.wait_for(&Event::Goodbye);
    let bypass = query(1).with_cache_use(CacheUse::Bypass);
    assert!(matches!(clone.query(bypass).unwrap_err().kind(), ErrorKind::Closed));
    assert!(matches!(clone.drive(LONG).unwrap_err().kind(), ErrorKind::Closed));
    clone.close();
}

#[test]
fn dropping_the_last_clone_sends_close_notify() {
    let server = Server::prompt();
    let resolver = server.resolver();
    resolver.query(query(1)).unwrap();
    drop(resolver.clone());
    resolver.query(query(2)).unwrap();
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 1);

    drop(resolver);
    server.wait_for(&Event::Goodbye);
}

#[test]
fn unused_resolver_closes() {
    let resolver = Server::prompt().resolver();
    resolver.close();
    assert!(matches!(resolver.query(query(1)).unwrap_err().kind(), ErrorKind::Closed));
}
