//! Tests of this crate's own parts: runtimes that end while a resolver lives, and tokio's clock. The suites of
//! `privydns-tests` test the resolver on every runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use privydns_tests::zone::many_address;
use privydns_tests::{QueryFault, Script, Server};
use privydns_tokio::{Answer, ErrorKind, RecordType, Resolver, Roots, RuntimeError, Upstream};
use tokio::runtime::{Builder, Runtime};

fn resolver(server: &Server) -> Resolver {
    let roots = Roots::from_pem(server.authority().root_pem().as_bytes()).expect("a root");
    let upstream = server.upstream().parse::<Upstream>().expect("an upstream").roots(roots);
    Resolver::builder().upstream(upstream).build().expect("a resolver")
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn assert_is_for(answer: &Answer, name: &str) {
    assert_eq!(answer.addresses().collect::<Vec<_>>(), [many_address(name)]);
}

/// The situation of a static resolver and several `#[tokio::test]` functions.
#[test]
fn resolver_outlives_its_runtimes() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    for name in ["a.many.example.test", "b.many.example.test", "c.many.example.test"] {
        let answer = current_thread().block_on(resolver.lookup(name, RecordType::A)).expect("an answer");
        assert_is_for(&answer, name);
    }
    assert_eq!(server.seen().connections.len(), 3, "a connection ends with its runtime");
}

#[test]
fn lookup_continues_when_the_drivers_runtime_ends() {
    let held = "held.many.example.test";
    let server = Server::dot().script(Script::new().on_query(held, QueryFault::Hold)).start();
    let resolver = resolver(&server);
    let drivers = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    drivers.block_on(resolver.lookup("a.many.example.test", RecordType::A)).expect("an answer");

    let waiting = std::thread::spawn(move || current_thread().block_on(resolver.lookup(held, RecordType::A)));
    server.wait_until(|seen| seen.queries_for(held).count() == 1);
    drop(drivers);
    let seen = server.wait_until(|seen| seen.queries_for(held).count() == 2);
    assert_eq!(seen.connections.len(), 2);
    server.release();
    assert_is_for(&waiting.join().expect("no panic").expect("an answer"), held);
}

#[test]
fn lookup_without_a_runtime_is_an_error() {
    let server = Server::dot().start();
    let resolver = resolver(&server);
    let mut lookup = pin!(resolver.lookup("a.many.example.test", RecordType::A));
    match lookup.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Err(error)) => {
            assert!(matches!(error.kind(), ErrorKind::Runtime(RuntimeError::NoRuntime)), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

/// With paused time five seconds pass at once, and the engine sees the same time as the caller.
#[tokio::test(start_paused = true)]
async fn deadlines_follow_tokios_clock() {
    let server = Server::dot().script(Script::new().on_query(.., QueryFault::Silent)).start();
    let resolver = resolver(&server);
    let begun = tokio::time::Instant::now();
    let error =
        resolver.lookup("a.many.example.test", RecordType::A).await.expect_err("the server is silent");
    assert!(error.is_timeout(), "{error}");
    let (elapsed, timeout) = (begun.elapsed(), Duration::from_secs(5));
    assert!(timeout <= elapsed && elapsed < timeout + Duration::from_millis(5), "{elapsed:?}");
}
