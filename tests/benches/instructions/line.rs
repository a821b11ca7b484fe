//! The lines of the table: the operation of each, and the batches of the server.

use std::io;

use privydns_tests::SERVER_NAME;
use tokio::runtime::Builder;

use crate::callgrind::Callgrind;
use crate::client::{CACHED, IN_FLIGHT, Operation, Server};
use crate::server::Remote;

/// Operations of the shorter run. The longer one has as many more.
const OPERATIONS: usize = 1_000;

/// Pairs of runs. The figure is their median: keys of TLS and of hashes are random, and with the keys the addresses of
/// buffers vary, whose alignment changes the instructions of a copy.
const ROUNDS: usize = 5;

/// Operations of the smoke test. The last batch is not full.
const SMOKE: usize = 2 * IN_FLIGHT + 10;

/// Requests that the client sends over HTTP/2 before the first answer arrives: `MAX_BURST` of the core.
const BURST: usize = 48;

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    operation: Operation,
    /// An operation whose instructions are subtracted, because it lacks only the measured part.
    without: Option<Operation>,
}

impl Line {
    pub(crate) const ALL: &[Self] = &[
        Self::new(Operation::DotWarm),
        Self::new(Operation::DotWarmFloor),
        Self::new(Operation::Dot100),
        Self::new(Operation::Dot100Floor),
        Self::new(Operation::Doh100),
        Self::new(Operation::Hit),
        Self {
            name: "cache-insert",
            operation: Operation::EngineCached,
            without: Some(Operation::EngineUncached),
        },
        Self::new(Operation::Parse),
    ];

    const fn new(operation: Operation) -> Self {
        Self { name: operation.name(), operation, without: None }
    }

    /// Instructions per operation.
    pub(crate) fn measure(&self, callgrind: &Callgrind, remote: &Remote) -> io::Result<u32> {
        let whole = measure(self.operation, callgrind, remote)?;
        let rest = self.without.map_or(Ok(0), |without| measure(without, callgrind, remote))?;
        Ok(whole.saturating_sub(rest))
    }
}

/// Runs every operation a few times, in this process.
pub(crate) fn smoke(remote: &Remote) -> io::Result<()> {
    for operation in Operation::ALL {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let run = |server: &Server| {
            operation.run(SMOKE, server, &runtime);
            Ok(())
        };
        with_server(operation, SMOKE, remote, run)?;
    }
    Ok(())
}

/// Instructions of one operation.
fn measure(operation: Operation, callgrind: &Callgrind, remote: &Remote) -> io::Result<u32> {
    let count = |operations| {
        with_server(operation, operations, remote, |server| callgrind.count(operation, operations, server))
    };
    let difference = |_| Ok(count(2 * OPERATIONS)?.saturating_sub(count(OPERATIONS)?));
    let mut differences = (0..ROUNDS).map(difference).collect::<io::Result<Vec<_>>>()?;
    differences.sort_unstable();
    let median = differences[ROUNDS / 2];
    u32::try_from(median.div_ceil(OPERATIONS as u64)).map_err(io::Error::other)
}

/// Sets the server's batches for an operation, and fails if another number of queries or connections arrived than the
/// operation needs.
fn with_server<T>(
    operation: Operation,
    operations: usize,
    remote: &Remote,
    run: impl FnOnce(&Server) -> io::Result<T>,
) -> io::Result<T> {
    let (address, batch, queries) = match operation {
        Operation::DotWarm | Operation::DotWarmFloor => (remote.dot, 1, operations),
        Operation::Dot100 | Operation::Dot100Floor => (remote.dot, IN_FLIGHT, operations),
        Operation::Doh100 => (remote.http2, BURST, operations),
        Operation::Hit => (remote.dot, 1, CACHED),
        Operation::EngineCached | Operation::EngineUncached | Operation::Parse => (remote.dot, 1, 0),
    };
    remote.answer_in_batches(batch, queries);
    let before = remote.count();
    let result = run(&Server { address, name: SERVER_NAME.to_owned(), root: remote.root.clone() })?;
    let counts = remote.count() - before;
    if counts.queries != queries as u64 || counts.connections != u64::from(queries > 0) {
        let message = format!("{}: {counts:?}, expected: {queries} queries", operation.name());
        return Err(io::Error::other(message));
    }
    Ok(result)
}
