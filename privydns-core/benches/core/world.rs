//! An engine with a simulated network of one server that answers at once.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use privydns_core::engine::{CacheResult, ConnectionId, Engine, Input, LookupId, Output, Shared};
use privydns_core::testkit::epoch;
use privydns_core::{CacheSettings, Config, Query, RecordType};

use super::peer;

/// The timeout of the lookups.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An engine and the bytes that it has written.
pub(crate) struct World {
    pub(crate) shared: Arc<Shared>,
    engine: Engine,
    last: u64,
    message: Vec<u8>,
    written: Vec<u8>,
    input: Vec<u8>,
    connection: Option<ConnectionId>,
}

/// Queries for names with these numbers.
pub(crate) fn queries(numbers: Range<usize>) -> impl Iterator<Item = Arc<Query>> {
    let query = |number| Query::new(&format!("n{number:09}.bench.example."), RecordType::A).expect("a name");
    numbers.map(query).map(Arc::new)
}

impl World {
    /// With a cache for this many answers.
    pub(crate) fn new(entries: usize) -> Self {
        let cache = CacheSettings::default().max_entries(entries as u64).max_bytes(entries as u64 * 1024);
        let upstream = "tls://192.0.2.1#dns.example".parse().expect("an upstream");
        let config = Config::builder().upstream(upstream).cache(cache).build().expect("a configuration");
        let shared = Arc::new(Shared::new(config, [7; 32]));
        let engine = Engine::new(shared.clone(), epoch(), [7; 32]);
        Self {
            shared,
            engine,
            last: 0,
            message: Vec::new(),
            written: Vec::new(),
            input: Vec::new(),
            connection: None,
        }
    }

    /// Looks up all names at once, as a handle does: the engine gets the queries that the cache cannot answer. Checks
    /// that every lookup is answered.
    pub(crate) fn look_up(&mut self, queries: impl IntoIterator<Item = Arc<Query>>) {
        let (now, mut open) = (epoch(), 0);
        for query in queries {
            self.last += 1;
            let id = LookupId(self.last);
            let Ok(CacheResult::Miss(query_key)) = self.shared.try_answer(now, &query) else {
                panic!("a name that is not known")
            };
            self.engine.handle_input(now, Input::Miss { id, query, query_key, deadline: now + TIMEOUT });
            open += 1;
        }
        while open > 0 {
            match self.engine.poll_output(now, &mut self.message) {
                Output::Connect { id, .. } => {
                    self.connection = Some(id);
                    self.engine
                        .handle_input(now, Input::Connected { id, alpn: Some(b"dot"), resumed: false });
                }
                Output::Transmit(_) => self.written.extend_from_slice(&self.message),
                Output::Done { result, .. } => {
                    result.expect("an answer");
                    open -= 1;
                }
                Output::Wait(_) => self.poll_once(),
                other => unreachable!("{other:?}"),
            }
        }
    }

    /// Reports all written bytes as sent, and answers them.
    fn poll_once(&mut self) {
        let id = self.connection.expect("it has connected");
        self.input.clear();
        peer::answer_dot(&self.written, &mut self.input);
        self.written.clear();
        self.engine.handle_input(epoch(), Input::Written(id));
        self.engine.handle_input(epoch(), Input::Received { id, bytes: &self.input });
    }
}
