//! A resolver in a process that forks: a known fault. The test asserts what happens today.
//!
//! Only a process with one thread may fork and go on, and the usual test harness has several. This program is a
//! harness for one test, and runs itself again as the process that forks. The test is ignored by default and ends
//! within seconds: `cargo test -p privydns-blocking --test fork -- --ignored`.

fn main() {
    #[cfg(unix)]
    unix::main();
}

#[cfg(unix)]
mod unix {
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::sync::mpsc::channel;
    use std::time::Duration;
    use std::{env, process, thread};

    use fork::{Fork, fork, waitpid};
    use privydns_blocking::{RecordType, Resolver, Roots, Upstream};
    use privydns_tests::Server;

    const TEST: &str = "fault_r2_parent_and_child_share_a_tls_connection_after_fork";

    /// The upstream of the process that forks, and the root certificate for the upstream.
    const UPSTREAM: &str = "PRIVYDNS_FORK_UPSTREAM";
    const ROOT: &str = "PRIVYDNS_FORK_ROOT";

    const BEFORE: &str = "before.many.example.test";
    const CHILD: &str = "child.many.example.test";
    const PARENT: &str = "parent.many.example.test";

    /// A bound for the process that forks. Its three lookups have 5 s each.
    const LIMIT: Duration = Duration::from_secs(30);

    pub(crate) fn main() {
        if let (Ok(upstream), Ok(root)) = (env::var(UPSTREAM), env::var(ROOT)) {
            return forks(&upstream, &root);
        }
        let arguments = env::args().skip(1).collect::<Vec<_>>();
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        if has("--list") {
            println!("{TEST}: test");
        } else if !has("--ignored") && !has("--include-ignored") {
            println!("test {TEST} ... ignored, two processes: fault R2");
        } else if is_selected(&arguments) {
            println!("test {TEST} ...");
            shares_a_connection();
            println!("test {TEST} ... ok");
        }
    }

    /// Whether the filters among the arguments, if any, select the test.
    fn is_selected(arguments: &[String]) -> bool {
        const WITH_VALUE: [&str; 5] = ["--color", "--format", "--skip", "--test-threads", "-Z"];
        let mut filters = Vec::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if WITH_VALUE.contains(&argument.as_str()) {
                arguments.next();
            } else if !argument.starts_with('-') {
                filters.push(argument);
            }
        }
        filters.is_empty() || filters.iter().any(|filter| TEST.contains(filter.as_str()))
    }

    /// Forks in a process with one thread. The parent goes on when the child has ended.
    fn forks(upstream: &str, root: &str) {
        let roots = Roots::from_pem(root.as_bytes()).expect("a root");
        let upstream = upstream.parse::<Upstream>().expect("an upstream").roots(roots);
        let resolver = Resolver::builder().upstream(upstream).build().expect("a resolver");
        let lookup = |name| drop(resolver.lookup(name, RecordType::A).expect("an answer"));
        lookup(BEFORE);
        match fork().expect("a child") {
            Fork::Child => {
                lookup(CHILD);
                process::exit(0);
            }
            Fork::Parent(child) => {
                assert_eq!(waitpid(child).expect("the child ends"), 0, "the child's lookup succeeds");
                lookup(PARENT);
            }
        }
    }

    /// After `fork()` parent and child go on with the same TLS keys and the same sequence numbers. A nonce of TLS is
    /// made of the sequence number (RFC 8446 section 5.3), so that two records are encrypted with one nonce.
    ///
    /// Right: a driver remembers its process ID. In the child the driver is dropped without sending anything on its sockets,
    /// and the next lookup starts another driver with a new connection. The parent's connection stays in use.
    fn shares_a_connection() {
        let server = Server::dot().start();
        let mut process = Command::new(env::current_exe().expect("the path of this program"))
            .env(UPSTREAM, server.upstream())
            .env(ROOT, server.authority().root_pem())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        // The output ends with the last of the two processes.
        let mut output = process.stdout.take().expect("the output");
        let (done, is_done) = channel();
        thread::spawn(move || done.send(output.read_to_end(&mut Vec::new())));
        let has_ended = is_done.recv_timeout(LIMIT).is_ok();
        let _ = process.kill();
        let status = process.wait().expect("the status of the process");
        assert!(has_ended && status.success(), "{status}");

        let seen = server.seen();
        let connection = |name| seen.queries_for(name).map(|query| query.connection).collect::<Vec<_>>();
        assert_eq!(connection(BEFORE), [0]);
        assert_eq!(connection(CHILD), [0], "the child used the parent's connection");
        assert_eq!(connection(PARENT), [1], "the parent had to open another");
        let shared = &seen.connections[0];
        assert_eq!(shared.records.len(), 2, "the first query, and the child's");
        // The parent's query has the same length, and the sequence number of the child's: the server cannot decrypt it.
        let child = shared.records[1].read;
        assert_eq!(shared.reads[child + 1..], shared.reads[child..=child], "the parent's query");
    }
}
