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
fn a_lookup_is_answered_and_the_next_from_the_cache() {
    let server = Server::prompt();
    let resolver = server.resolver();

    let answer = resolver.lookup(&name(7), RecordType::A).unwrap();
    assert_eq!((number(&answer), answer.is_cached()), (7, false));

    let answer = resolver.lookup(&name(7), RecordType::A).unwrap();
    assert_eq!((number(&answer), answer.is_cached()), (7, true));
}

#[test]
fn both_address_families_are_asked_at_once() {
    // Nothing is answered before both have come.
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
fn a_batch_goes_out_whole_and_its_answers_are_yielded_as_they_come() {
    // Nothing is answered before all have come, and then the last is the first.
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
fn an_answer_that_is_held_back_delays_no_other_of_its_batch() {
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
fn a_batch_of_any_size_keeps_to_the_limit_of_lookups() {
    let server = Server::prompt();
    let resolver = server.builder().max_lookups(8).build().unwrap();

    let answers = resolver.lookup_many((0..500).map(query));
    assert_eq!(answers.filter(|(_, answer)| answer.is_ok()).count(), 500);
}

#[test]
fn a_batch_has_no_more_on_its_way_than_it_is_told_to() {
    // Whoever is alone waits for another.
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
fn queries_that_come_later_join_those_on_their_way() {
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
fn a_batch_that_is_dropped_is_cancelled() {
    let server = Server::start(|query| match query.number() {
        0 => vec![Step::Answer(query)],
        _ => Vec::new(),
    });
    let resolver = server.resolver();

    let mut answers = resolver.lookup_many((0..10).map(query));
    assert_eq!(number(&answers.next().unwrap().1.unwrap()), 0);
    drop(answers);
    // Nothing waits any more: the connection is closed once it is idle.
    resolver.close();
    server.wait_for(&Event::Goodbye);
}

#[test]
fn a_kept_connection_that_died_is_noticed_before_the_next_query_is_sent() {
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
    assert_eq!(events[..3], ["connection over", "attempt", "connecting"]);
}

#[test]
fn a_deadline_holds_against_a_server_that_keeps_silent_in_the_handshake() {
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
fn a_deadline_holds_against_a_server_that_does_not_answer() {
    let server = Server::start(|_| Vec::new());
    let resolver = server.builder().timeout(SHORT).build().unwrap();

    let started = Instant::now();
    let error = resolver.query(query(1)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!(error.stage(), Some(Stage::Query));
    assert_eq!(error.upstream(), Some(&**server.upstream().label()));
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn a_refused_connection_is_the_cause_that_is_told() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resolver =
        Resolver::builder().upstream(format!("tls://{refusing}#server.test").parse().unwrap()).build();

    let error = resolver.unwrap().query(query(1)).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Connect));
    assert_eq!(error.address(), Some(refusing));
}

#[test]
fn a_server_that_hangs_up_in_the_handshake_is_told_as_such() {
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
fn a_certificate_that_does_not_verify_is_told_to_both_sides() {
    let server = Server::prompt();
    let upstream = server.upstream().roots(privydns_blocking::Roots::WebPki);
    let error = Resolver::builder().upstream(upstream).build().unwrap().query(query(1)).unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    server.wait_for(&Event::Lost);
}

#[test]
fn drive_closes_what_is_idle_and_says_goodbye() {
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
fn what_is_idle_is_closed_by_the_next_lookup_before_it_is_used() {
    let server = Server::start(|query| vec![Step::AnswerAndKeep(query, 0)]);
    let resolver = server.resolver();
    resolver.query(query(1)).unwrap();
    resolver.query(query(2)).unwrap();
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 2);
    server.wait_for(&Event::Goodbye);
}

#[test]
fn drive_without_time_does_not_wait() {
    let server = Server::prompt();
    let resolver = server.resolver();
    resolver.drive(Duration::ZERO).unwrap();
    resolver.query(query(1)).unwrap();
    let started = Instant::now();
    resolver.drive(Duration::ZERO).unwrap();
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn close_says_goodbye_and_ends_every_clone() {
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
fn the_last_handle_says_goodbye() {
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
fn a_resolver_that_was_never_used_closes() {
    let resolver = Server::prompt().resolver();
    resolver.close();
    assert!(matches!(resolver.query(query(1)).unwrap_err().kind(), ErrorKind::Closed));
}
