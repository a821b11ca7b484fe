//! Tests of this crate's own parts: executors, and resolvers whose callers leave. The suites of `privydns-tests` test
//! the resolver on every runtime.

use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::Poll;

use async_io::block_on;
use privydns_async_std::{Answer, Config, ErrorKind, RecordType, Resolver, Roots, Runtime};
use privydns_tests::observe::ClientEnd;
use privydns_tests::zone::many_address;
use privydns_tests::{End, QueryFault, Script, Server};

/// Makes a test of each function for every runtime.
macro_rules! on_every_runtime {
    ($($test:ident)*) => {
        #[cfg(feature = "async-std")]
        mod async_std {
            $(#[test] fn $test() { super::$test(privydns_async_std::Runtime::AsyncStd); })*
        }
        #[cfg(feature = "smol")]
        mod smol {
            $(#[test] fn $test() { super::$test(privydns_async_std::Runtime::Smol); })*
        }
    };
}

on_every_runtime! {
    lookups_share_a_connection_with_one_record_each
    dropped_lookup_frees_its_slot
    dropping_the_last_clone_sends_close_notify
    close_returns_after_close_notify
    close_ends_the_lookups_in_flight
    static_resolver_serves_every_thread
    answer_before_a_broken_record_is_delivered
}

fn config(server: &Server) -> privydns_async_std::ResolverBuilder {
    let roots = Roots::from_pem(server.authority().root_pem().as_bytes()).expect("a root");
    Config::builder().upstream(
        server.upstream().parse::<privydns_async_std::Upstream>().expect("an upstream").roots(roots),
    )
}

fn resolver(runtime: Runtime, server: &Server) -> Resolver {
    Resolver::on(runtime, config(server).build().expect("a configuration")).expect("a resolver")
}

fn name(number: usize) -> String {
    format!("n{number}.many.example.test.")
}

fn assert_is_for(answer: &Answer, name: &str) {
    assert_eq!(answer.addresses().collect::<Vec<_>>(), [many_address(name)]);
}

/// Polls all futures until all have ended.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if futures.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

/// Begins a lookup: the first poll passes the lookup to the driver.
async fn begin<F: Future>(future: Pin<&mut F>) {
    let mut future = Some(future);
    std::future::poll_fn(|context| {
        if let Some(future) = future.take() {
            assert!(future.poll(context).is_pending());
        }
        Poll::Ready(())
    })
    .await;
}

fn lookups_share_a_connection_with_one_record_each(runtime: Runtime) {
    let server = Server::dot().start();
    let resolver = resolver(runtime, &server);
    let answers = block_on(all((0..500).map(|number| {
        let resolver = &resolver;
        async move { resolver.lookup(&name(number), RecordType::A).await }
    })));
    for (number, answer) in answers.into_iter().enumerate() {
        assert_is_for(&answer.expect("an answer"), &name(number));
    }
    let seen = server.seen();
    assert_eq!((seen.connections.len(), seen.query_count), (1, 500));
    let records = seen.queries.iter().map(|query| query.record).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(records.len(), 500);
}

fn dropped_lookup_frees_its_slot(runtime: Runtime) {
    let script = Script::new().on_query("held.example.test.", QueryFault::Hold);
    let server = Server::dot().script(script).start();
    let config = config(&server).max_lookups(1).build().expect("a configuration");
    let resolver = Resolver::on(runtime, config).expect("a resolver");
    block_on(async {
        {
            let mut held = pin!(resolver.lookup("held.example.test.", RecordType::A));
            begin(held.as_mut()).await;
            let refused = resolver.lookup(&name(1), RecordType::A).await.expect_err("there is room for one");
            assert!(matches!(refused.kind(), ErrorKind::Overloaded(_)), "{refused}");
        }
        assert_is_for(&resolver.lookup(&name(1), RecordType::A).await.expect("there is room"), &name(1));
    });
}

fn dropping_the_last_clone_sends_close_notify(runtime: Runtime) {
    let server = Server::dot().start();
    let resolver = resolver(runtime, &server);
    let clone = resolver.clone();
    block_on(clone.lookup(&name(1), RecordType::A)).expect("an answer");
    drop(clone);
    block_on(resolver.lookup(&name(2), RecordType::A)).expect("an answer");
    assert_eq!(server.seen().connections.len(), 1);
    drop(resolver);
    let seen = server.wait_until(|seen| seen.open() == 0);
    assert_eq!(seen.connections[0].ended_by_client, Some(ClientEnd::CloseNotify));
}

fn close_returns_after_close_notify(runtime: Runtime) {
    let server = Server::dot().start();
    let resolver = resolver(runtime, &server);
    let clone = resolver.clone();
    block_on(resolver.lookup(&name(1), RecordType::A)).expect("an answer");
    block_on(resolver.close());
    let seen = server.wait_until(|seen| seen.open() == 0);
    assert_eq!(seen.connections[0].ended_by_client, Some(ClientEnd::CloseNotify));
    for name in [name(1), name(2)] {
        let refused = block_on(clone.lookup(&name, RecordType::A)).expect_err("it is closed");
        assert!(matches!(refused.kind(), ErrorKind::Closed), "{refused}");
    }
    block_on(clone.close());
}

fn close_ends_the_lookups_in_flight(runtime: Runtime) {
    let server = Server::dot().script(Script::new().on_query(1, QueryFault::Silent)).start();
    let resolver = resolver(runtime, &server);
    block_on(async {
        let mut lookup = pin!(resolver.lookup("silent.example.test.", RecordType::A));
        begin(lookup.as_mut()).await;
        resolver.close().await;
        let ended = lookup.await.expect_err("it is closed");
        assert!(matches!(ended.kind(), ErrorKind::Closed), "{ended}");
    });
}

/// Every caller has its own executor, and the driver runs on none of these executors.
fn static_resolver_serves_every_thread(runtime: Runtime) {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::dot().start());
    #[cfg(feature = "async-std")]
    static ON_ASYNC_STD: LazyLock<Resolver> = LazyLock::new(|| resolver(Runtime::AsyncStd, &SERVER));
    #[cfg(feature = "smol")]
    static ON_SMOL: LazyLock<Resolver> = LazyLock::new(|| resolver(Runtime::Smol, &SERVER));
    let resolver: &Resolver = match runtime {
        #[cfg(feature = "async-std")]
        Runtime::AsyncStd => &ON_ASYNC_STD,
        #[cfg(feature = "smol")]
        Runtime::Smol => &ON_SMOL,
        other => panic!("no resolver for {other:?}"),
    };
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in 0..50 {
                    let name = name(thread * 1000 + number);
                    let answer = block_on(resolver.lookup(&name, RecordType::A)).expect("an answer");
                    assert_is_for(&answer, &name);
                }
            });
        }
    });
}

/// No query is sent twice: the answer arrived before the record that ends the connection.
fn answer_before_a_broken_record_is_delivered(runtime: Runtime) {
    let server =
        Server::dot().script(Script::new().on_query(.., QueryFault::EndAfter(End::BadRecord))).start();
    let resolver = resolver(runtime, &server);
    for number in 0..20 {
        let answer = block_on(resolver.lookup(&name(number), RecordType::A)).expect("an answer");
        assert_is_for(&answer, &name(number));
    }
    assert_eq!(server.seen().query_count, 20);
}
