//! Known faults of this crate. Each test asserts what happens today, and its comment says what is right.
//!
//! The tests need real time or threads that race, so that they are ignored by default. Each ends by itself within
//! seconds: `cargo test -p privydns-tokio --features reqwest --test faults -- --ignored`.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::task::Poll;
use std::time::{Duration, Instant};

use privydns_tests::zone::many_address;
use privydns_tests::{QueryFault, Script, Server, When};
use privydns_tokio::{Error, ErrorKind, RecordType, Resolver, Roots, RuntimeError, Upstream};
use tokio::runtime::{Builder, Runtime};

const NAME: &str = "a.many.example.test";
const OTHER: &str = "b.many.example.test";

/// The timeout of the lookups. Each is answered within milliseconds where the fault is corrected.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A call with a timeout of [`TIMEOUT`] that takes this long counts as a call that does not end.
const HANGS: Duration = Duration::from_secs(3);

/// A bound for what ends in any case, so that no test hangs.
const LIMIT: Duration = Duration::from_secs(30);

fn builder(server: &Server) -> privydns_tokio::ResolverBuilder<Resolver> {
    let roots = Roots::from_pem(server.authority().root_pem().as_bytes()).expect("a root");
    let upstream = server.upstream().parse::<Upstream>().expect("an upstream").roots(roots);
    Resolver::builder().upstream(upstream).timeout(TIMEOUT)
}

fn resolver(server: &Server) -> Resolver {
    builder(server).build().expect("a resolver")
}

/// A server that never answers a query for AAAA.
fn without_aaaa() -> Script {
    Script::new().on_query(When::any().of_type(RecordType::AAAA), QueryFault::Silent)
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs `run` on a thread that is not joined. The receiver gets the result.
fn in_background<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (done, is_done) = channel();
    std::thread::spawn(move || done.send(run()));
    is_done
}

/// Looks a name up on another thread, with another runtime.
fn lookup_elsewhere(resolver: &Resolver, name: &'static str) -> Receiver<Result<(), Error>> {
    let resolver = resolver.clone();
    in_background(move || current_thread().block_on(resolver.lookup(name, RecordType::A)).map(drop))
}

fn assert_hangs<T>(is_done: &Receiver<T>) {
    assert_eq!(is_done.recv_timeout(HANGS).err(), Some(RecvTimeoutError::Timeout));
}

/// A program keeps a current-thread runtime in a struct and calls `block_on` now and then. The driver is a task of
/// that runtime, and another thread with another runtime uses the resolver meanwhile.
///
/// Right: the lookup ends by its deadline. A driver that was woken and not polled for 250 ms is replaced by a driver
/// on the caller's runtime, so that the lookup is answered.
#[test]
#[ignore = "real time: fault R1"]
fn fault_r1_a_lookup_outlives_its_timeout_on_an_idle_runtime() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    let idle = current_thread();
    idle.block_on(resolver.lookup(NAME, RecordType::A)).expect("an answer");

    let ended = lookup_elsewhere(&resolver, OTHER);
    assert_hangs(&ended);
    // The caller is freed by the end of the runtime alone.
    drop(idle);
    let error = ended.recv_timeout(LIMIT).expect("the lookup ends").expect_err("the deadline has passed");
    assert!(error.is_timeout(), "{error}");
}

/// Right: `close()` returns, whatever the runtime of the driver does.
#[test]
#[ignore = "real time: fault R1"]
fn fault_r1_close_does_not_return_while_the_drivers_runtime_is_idle() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    let idle = current_thread();
    idle.block_on(resolver.lookup(NAME, RecordType::A)).expect("an answer");

    let closing = resolver.clone();
    let closed = in_background(move || current_thread().block_on(closing.close()));
    assert_hangs(&closed);
    drop(idle);
    closed.recv_timeout(LIMIT).expect("close() returns when the runtime has ended");
}

/// A task blocks the only worker of the runtime that carries the driver.
///
/// Right: lookups on other runtimes end by their deadline, and are answered by a driver on the caller's runtime.
#[test]
#[ignore = "real time: fault R1"]
fn fault_r1_a_lookup_outlives_its_timeout_on_a_blocked_runtime() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    let blocked = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    blocked.block_on(resolver.lookup(NAME, RecordType::A)).expect("an answer");
    let (begun, has_begun) = channel();
    let (unblock, is_unblocked) = channel::<()>();
    blocked.spawn(async move {
        begun.send(()).expect("the test waits");
        let _ = is_unblocked.recv_timeout(LIMIT);
    });
    has_begun.recv_timeout(LIMIT).expect("the worker is blocked");

    let ended = lookup_elsewhere(&resolver, OTHER);
    assert_hangs(&ended);
    drop(unblock);
    let _ = ended.recv_timeout(LIMIT).expect("the lookup ends when the worker goes on");
}

/// Both families are asked at once, and the query for AAAA is never answered.
///
/// Right: `lookup_ip` waits 50 ms for AAAA after the answer for A (RFC 8305 section 3), as `addresses` does.
#[tokio::test]
#[ignore = "real time: fault R4"]
async fn fault_r4_lookup_ip_waits_for_a_silent_aaaa_until_its_timeout() {
    let server = Server::dot().script(without_aaaa()).start();
    let resolver = resolver(&server);
    let begun = Instant::now();
    let addresses = resolver.lookup_ip(NAME).await.expect("the addresses of the other family");
    assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
    assert_eq!(addresses.iter().collect::<Vec<_>>(), [many_address(NAME)]);

    let begun = Instant::now();
    let first = resolver.addresses(OTHER).expect("a name").next().await;
    assert_eq!(first.expect("an address").expect("an answer"), many_address(OTHER));
    assert!(begun.elapsed() < TIMEOUT, "{:?}", begun.elapsed());
}

#[cfg(feature = "reqwest")]
mod with_reqwest {
    use privydns_tests::Website;

    use super::*;

    /// A website, a server that never answers for AAAA, and a client that looks names up there.
    fn client(
        website: &Website,
        adjust: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> (Server, reqwest::Client) {
        let server = Server::dot().zone(website.zone()).script(without_aaaa()).start();
        let root = reqwest::Certificate::from_pem(server.authority().root_pem().as_bytes());
        let client = reqwest::Client::builder()
            .dns_resolver(builder(&server).timeout(HANGS).build().expect("a resolver"))
            .tls_certs_only([root.expect("a root")])
            .no_proxy();
        (server, adjust(client).build().expect("a client"))
    }

    /// Right: the request takes 50 ms more than with an answer for AAAA.
    #[tokio::test]
    #[ignore = "real time: fault R4"]
    async fn fault_r4_a_request_waits_for_a_silent_aaaa_until_the_lookups_timeout() {
        let website = Website::start("a page");
        let (_server, client) = client(&website, |client| client);
        let begun = Instant::now();
        let page = client.get(website.url()).send().await.expect("a response").text().await;
        assert_eq!(page.expect("a body"), "a page");
        assert!(begun.elapsed() >= HANGS, "{:?}", begun.elapsed());
    }

    /// Right: the request succeeds over the IPv4 address, which is known after milliseconds.
    #[tokio::test]
    #[ignore = "real time: fault R4"]
    async fn fault_r4_a_request_with_a_connect_timeout_fails_for_a_silent_aaaa() {
        let website = Website::start("a page");
        let (_server, client) = client(&website, |client| client.connect_timeout(TIMEOUT));
        let error = client.get(website.url()).send().await.expect_err("the connect timeout passes first");
        assert!(error.is_connect() && error.is_timeout(), "{error:?}");
    }
}

/// Right: the lookup ends with an error that says that the runtime has no timer, and how to enable it.
#[test]
#[ignore = "a panic: fault R6"]
fn fault_r6_a_runtime_without_a_timer_panics_in_the_caller() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
    let lookup = AssertUnwindSafe(|| runtime.block_on(resolver.lookup(NAME, RecordType::A)));
    let panic = catch_unwind(lookup).expect_err("a panic of tokio's");
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    assert!(text.is_some_and(|text| text.contains("timers are disabled")), "{text:?}");
}

/// The driver panics. The lookup starts a second driver, which panics too, and then reports that no runtime runs.
///
/// Right: the lookup ends with an error that says that the runtime has no I/O, and how to enable it.
#[test]
#[ignore = "a panic: fault R6"]
fn fault_r6_a_runtime_without_io_is_reported_as_no_runtime() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let error =
        runtime.block_on(resolver.lookup(NAME, RecordType::A)).expect_err("no connection is possible");
    assert!(matches!(error.kind(), ErrorKind::Runtime(RuntimeError::NoRuntime)), "{error}");
}

/// The runtime of the driver ends while a lookup is under way, and the lookup begins again on another.
///
/// Right: `elapsed()` is the time since the caller began the lookup.
#[test]
#[ignore = "real time: fault R6"]
fn fault_r6_a_restarted_lookup_reports_the_time_since_its_restart() {
    const PAUSE: Duration = Duration::from_millis(500);
    let server = Server::dot().script(Script::new().on_query(OTHER, QueryFault::Hold)).start();
    let resolver = builder(&server).timeout(LIMIT).attempt_timeout(LIMIT).build().expect("a resolver");
    let drivers = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    drivers.block_on(resolver.lookup(NAME, RecordType::A)).expect("an answer");

    let ended = in_background(move || {
        let begun = Instant::now();
        let answer = current_thread().block_on(resolver.lookup(OTHER, RecordType::A));
        (begun.elapsed(), answer)
    });
    server.wait_until(|seen| seen.queries_for(OTHER).count() == 1);
    std::thread::sleep(PAUSE);
    drop(drivers);
    server.wait_until(|seen| seen.queries_for(OTHER).count() == 2);
    server.release();
    let (took, answer) = ended.recv_timeout(LIMIT).expect("the lookup ends");
    let reported = answer.expect("an answer").elapsed();
    assert!(reported + PAUSE <= took, "{reported:?} of {took:?}");
}

/// A task looks up a name that is in the cache, in a loop of 400 ms with a timeout of 20 ms.
///
/// Right: an answer from the cache uses up tokio's cooperative budget (`tokio::task::coop`) as any future does. The
/// other task has its turns, and the timeout ends the loop.
#[tokio::test]
#[ignore = "real time: fault R7"]
async fn fault_r7_cache_hits_starve_other_tasks_and_timers() {
    const SHORT: Duration = Duration::from_millis(20);
    let server = Server::dot().start();
    let resolver = resolver(&server);
    resolver.lookup(NAME, RecordType::A).await.expect("an answer");
    let turns = Arc::new(AtomicUsize::new(0));
    let counter = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counter.fetch_add(1, Relaxed);
            tokio::task::yield_now().await;
        }
    });
    tokio::task::yield_now().await;
    let before = turns.load(Relaxed);
    assert!(before > 0, "the other task runs");

    let begun = Instant::now();
    let hits = async {
        while begun.elapsed() < 20 * SHORT {
            resolver.lookup(NAME, RecordType::A).await.expect("an answer from the cache");
        }
    };
    let is_late = tokio::time::timeout(SHORT, hits).await.is_err();
    assert_eq!((turns.load(Relaxed) - before, is_late), (0, false));
    other.abort();
}

/// The only connection is taken by a lookup that waits, and a second lookup waits for the connection.
///
/// Right: when the first caller leaves, the query of the second is sent at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "real time: fault E1"]
async fn fault_e1_a_queued_query_is_not_sent_when_the_caller_ahead_leaves() {
    let server = Server::http1().script(Script::new().on_query(NAME, QueryFault::Hold)).start();
    let resolver = builder(&server).max_http1_connections(1).build().expect("a resolver");
    resolver.lookup("warm.many.example.test", RecordType::A).await.expect("an answer");
    let ahead = {
        let resolver = resolver.clone();
        tokio::spawn(async move { resolver.lookup(NAME, RecordType::A).await.map(drop) })
    };
    server.wait_until(|seen| seen.queries_for(NAME).count() == 1);

    let mut behind = pin!(resolver.lookup(OTHER, RecordType::A));
    let begun = poll_fn(|context| Poll::Ready(behind.as_mut().poll(context).is_pending())).await;
    assert!(begun, "the lookup waits");
    ahead.abort();
    let error = behind.await.expect_err("the query is not sent");
    assert!(error.is_timeout(), "{error}");
    assert_eq!(server.seen().queries_for(OTHER).count(), 0);
}
