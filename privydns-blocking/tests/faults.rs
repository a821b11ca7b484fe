//! Known faults of this crate. Each test asserts what happens today, and its comment says what is right.
//!
//! The tests need real time or threads that race, so that they are ignored by default. Each ends by itself within
//! seconds: `cargo test -p privydns-blocking --test faults -- --ignored`. `fork.rs` has the fault R2.

mod server;

use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use privydns_blocking::{Answer, Resolver, Strategy};
use server::{LONG, SHORT, Server, Step, name, number, query};

/// A time in which the program does something else.
const PAUSE: Duration = Duration::from_secs(2);

/// Whether the answer came from this server.
fn is_from(server: &Server, answer: &Answer) -> bool {
    answer.upstream() == server.upstream().label()
}

/// A resolver that is warmed up, after a pause in which its driver had no turn.
fn warmed_up(first: &Server, second: &Server, pause: Duration) -> Resolver {
    let resolver = Resolver::builder().upstreams([first.upstream(), second.upstream()]).build().unwrap();
    resolver.warm_up().unwrap();
    sleep(pause);
    resolver
}

/// The engine takes a dial for slow after 1 s, although the driver did not run in that time.
///
/// Right: a dial is judged by the time for which the engine was driven, so that the lookup goes over the first
/// connection and no second is opened.
#[test]
#[ignore = "real time: fault E7"]
fn fault_e7_a_pause_after_warm_up_opens_a_second_connection() {
    let (first, second) = (Server::prompt(), Server::prompt());
    let resolver = warmed_up(&first, &second, PAUSE);
    assert!(is_from(&first, &resolver.query(query(1)).unwrap()));
    resolver.drive(SHORT).unwrap();
    assert_eq!(resolver.stats().upstreams[0].connections_opened, 2);
}

/// A dial fails after 10 s, although the driver did not run in that time.
///
/// Right: the first upstream is healthy and is asked. The second operator does not learn the name.
#[test]
#[ignore = "real time, 11 s: fault E7"]
fn fault_e7_a_pause_after_warm_up_sends_the_name_to_the_second_upstream() {
    let (first, second) = (Server::prompt(), Server::prompt());
    let resolver = warmed_up(&first, &second, Duration::from_secs(11));
    assert!(is_from(&second, &resolver.query(query(1)).unwrap()));
    let stats = resolver.stats();
    assert!(stats.upstreams[0].is_unhealthy);
    assert_eq!(stats.upstreams[0].connections_opened, 0);
}

/// A server that answers at once, but holds query 101 and all later ones back until the sender is dropped.
fn gated() -> (Server, Sender<()>) {
    let (gate, gated) = channel();
    let mut gated = Some(gated);
    let server = Server::start(move |query| {
        let wait = if query.number() > 100 { gated.take() } else { None };
        wait.map(Step::Wait).into_iter().chain([Step::Answer(query)]).collect()
    });
    (server, gate)
}

/// Leaves a batch after its first answer. The other answers lie unread for a pause.
fn leave_a_batch(resolver: &Resolver, gate: Sender<()>) {
    let mut batch = resolver.lookup_many((100..110).map(query));
    batch.next().unwrap().1.unwrap();
    drop(batch);
    drop(gate);
    sleep(PAUSE);
}

/// Right: an answer that lay unread while the engine was not driven is no sample.
#[test]
#[ignore = "real time: fault E7"]
fn fault_e7_unread_answers_become_round_trip_samples() {
    let (server, gate) = gated();
    let resolver = server.resolver();
    for number in 10..30 {
        resolver.query(query(number)).unwrap();
    }
    let rtt = || resolver.stats().upstreams[0].smoothed_rtt.unwrap();
    let before = rtt();
    leave_a_batch(&resolver, gate);
    resolver.query(query(3)).unwrap();
    assert!(before < PAUSE / 8 && rtt() > PAUSE / 4, "{before:?} before, {:?} after", rtt());
}

/// The nearer of two servers is taken for the slower one.
///
/// Right: the lookups go to the near server as before.
#[test]
#[ignore = "real time: fault E7"]
fn fault_e7_the_fastest_upstream_is_passed_over_after_a_batch_is_left() {
    const FAR: Duration = Duration::from_millis(30);
    let (near, gate) = gated();
    let far = Server::start(|query| {
        sleep(FAR);
        vec![Step::Answer(query)]
    });
    let upstreams = [near.upstream(), far.upstream()];
    let resolver = Resolver::builder().upstreams(upstreams).strategy(Strategy::Fastest).build().unwrap();
    let ask = |numbers: std::ops::Range<u32>| {
        numbers.filter(|number| is_from(&far, &resolver.query(query(*number)).unwrap())).count()
    };
    ask(10..50);
    assert!(ask(50..70) < 10, "the near server is the fastest");
    leave_a_batch(&resolver, gate);
    ask(200..210);
    assert!(ask(210..230) > 10);
}

/// Two threads begin at once. The first starts the driver and does not wait: `addresses` only begins the lookups.
/// The second finds no driver, waits, and is not woken when the driver is there.
///
/// Right: the caller that starts a driver wakes one waiting caller, so that no lookup fails.
#[test]
#[ignore = "a race: fault R3"]
fn fault_r3_a_caller_that_finds_no_driver_waits_for_its_whole_timeout() {
    const TIMEOUT: Duration = Duration::from_millis(400);
    let server = Server::prompt();
    let begun = Instant::now();
    let mut round = 0;
    loop {
        round += 1;
        assert!(begun.elapsed() < Duration::from_secs(20), "no lookup failed in {round} rounds");
        let resolver = Resolver::builder().upstream(server.upstream()).timeout(TIMEOUT).build().unwrap();
        // A channel without a buffer: both sides go on at once.
        let (ready, is_ready) = sync_channel(0);
        let (done, is_done) = channel();
        let other = resolver.clone();
        spawn(move || {
            is_ready.recv().unwrap();
            (0..(round % 64) * 40).for_each(|_| std::hint::spin_loop());
            let _ = done.send(other.query(query(1)));
        });
        ready.send(()).unwrap();
        let addresses = resolver.addresses(&name(7)).unwrap();
        let result = is_done.recv_timeout(LONG).unwrap();
        drop(addresses);
        // The error of a lookup that was driven names the upstream.
        if let Err(error) = result
            && error.is_timeout()
            && error.upstream().is_none()
        {
            break;
        }
    }
    println!("a lookup waited for its whole timeout in round {round}");
}

/// A source of queries has another as soon as the first is on its way.
///
/// Right: a batch takes queries from any thread while the caller waits (`push`), so that the second is answered at
/// once. The documentation of `lookup_many` says that no query begins while the caller waits.
#[test]
#[ignore = "real time: fault R5"]
fn fault_r5_a_silent_name_holds_up_the_names_that_come_after_it() {
    let (sender, queries) = channel();
    sender.send(query(1).with_timeout(SHORT)).unwrap();
    let server = Server::start(move |asked| match asked.number() {
        1 => {
            sender.send(query(2)).unwrap();
            Vec::new()
        }
        _ => vec![Step::Answer(asked)],
    });
    let resolver = server.resolver();
    let mut answers = resolver.lookup_many(queries.try_iter());
    let (_, silent) = answers.next().unwrap();
    assert!(silent.unwrap_err().is_timeout(), "the silent name ends first");
    let (_, later) = answers.next().unwrap();
    assert_eq!(number(&later.unwrap()), 2);
}

/// A process that has no file descriptor left.
#[cfg(unix)]
mod descriptors {
    use std::fs::File;
    use std::io::Read;
    use std::process::{Command, Stdio};

    use privydns_blocking::{ErrorKind, RecordType, RuntimeError};
    use rustix::process::{Resource, Rlimit, setrlimit};

    use super::*;

    const TEST: &str = "descriptors::fault_r6_exhausted_descriptors_are_not_retryable";
    const IS_HELPER: &str = "PRIVYDNS_WITHOUT_DESCRIPTORS";

    /// The test runs itself again in another process, because the limit would make other tests fail.
    ///
    /// Right: the kind of the error says that the environment failed and that the lookup may be tried again, with
    /// the error of the operating system as its source.
    #[test]
    #[ignore = "a process of its own: fault R6"]
    fn fault_r6_exhausted_descriptors_are_not_retryable() {
        if std::env::var_os(IS_HELPER).is_some() {
            return without_descriptors();
        }
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", TEST, "--ignored", "--nocapture"]).env(IS_HELPER, "1");
        let mut helper = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = helper.stdout.take().unwrap();
        let (done, is_done) = channel();
        spawn(move || {
            let mut text = String::new();
            let read = stdout.read_to_string(&mut text);
            done.send(read.map(|_| text))
        });
        let output = is_done.recv_timeout(LONG);
        let _ = helper.kill();
        assert!(helper.wait().unwrap().success());
        assert!(output.unwrap().unwrap().contains("1 passed"));
    }

    fn without_descriptors() {
        let upstream = "tls://127.0.0.1#dns.example.test".parse().unwrap();
        let resolver = Resolver::builder().upstream(upstream).timeout(SHORT).build().unwrap();
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();
        let held = std::iter::from_fn(|| File::open("/dev/null").ok()).collect::<Vec<_>>();
        let error = resolver.lookup("www.example.test", RecordType::A).unwrap_err();
        drop(held);
        assert!(matches!(error.kind(), ErrorKind::Runtime(RuntimeError::NoEventQueue(_))), "{error}");
        assert!(!error.is_retryable());
    }
}
