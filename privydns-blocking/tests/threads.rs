//! Many threads over one resolver. The only test of its binary, because the test counts the process's threads.

mod server;

use std::collections::BTreeSet;
use std::time::Instant;

use server::{LONG, Server, number, query};

const THREADS: u32 = 64;
const LOOKUPS: u32 = 10_000;

#[test]
fn threads_share_one_connection_and_get_their_own_answers() {
    let server = Server::prompt();
    let resolver = server.resolver();
    // The server starts its threads after this point.
    resolver.query(query(LOOKUPS)).unwrap();
    let before = threads();

    let mut answered = BTreeSet::new();
    std::thread::scope(|scope| {
        let ask = |thread| {
            let resolver = resolver.clone();
            move || {
                let numbers = (thread..LOOKUPS).step_by(THREADS as usize);
                numbers
                    .map(|asked| (asked, number(&resolver.query(query(asked)).unwrap())))
                    .collect::<Vec<_>>()
            }
        };
        let running = (0..THREADS).map(|thread| scope.spawn(ask(thread))).collect::<Vec<_>>();
        for (asked, number) in running.into_iter().flat_map(|thread| thread.join().unwrap()) {
            assert_eq!(asked, number);
            assert!(answered.insert(asked));
        }
    });

    assert_eq!(answered.len(), LOOKUPS as usize);
    // A joined thread may be visible for a moment longer.
    let patience = Instant::now() + LONG;
    while threads() != before {
        assert!(Instant::now() < patience, "{:?} threads, and {before:?} before", threads());
    }
    let stats = resolver.stats();
    assert_eq!(stats.upstreams[0].connections_opened, 1);
    assert_eq!(stats.upstreams[0].queries, u64::from(LOOKUPS) + 1);
    assert_eq!(stats.upstreams[0].failures, 0);
}

/// The number of threads of this process, where the system reports it.
fn threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}
