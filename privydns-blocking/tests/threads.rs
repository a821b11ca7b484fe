//! Many threads over one resolver. The only test of its program, since it counts the program's threads.

mod server;

use std::collections::BTreeSet;
use std::time::Instant;

use server::{LONG, Server, number, query};

const THREADS: u32 = 64;
const LOOKUPS: u32 = 10_000;

#[test]
fn threads_share_one_connection_and_every_lookup_gets_its_own_answer() {
    let server = Server::prompt();
    let resolver = server.resolver();
    // The server has its threads after this.
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
    // A thread that was joined may be seen a moment longer.
    let patience = Instant::now() + LONG;
    while threads() != before {
        assert!(Instant::now() < patience, "{:?} threads, and {before:?} before", threads());
    }
    let stats = resolver.stats();
    assert_eq!(stats.upstreams[0].connections_opened, 1);
    assert_eq!(stats.upstreams[0].queries, u64::from(LOOKUPS) + 1);
    assert_eq!(stats.upstreams[0].failures, 0);
}

/// The threads of this process, where the system tells.
fn threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}
