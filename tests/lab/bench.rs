//! Where a check runs: a backend, and a line to a server.

use std::cell::RefCell;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use privydns_core::{Answer, Cause, Config, Error, ErrorKind, Query, RecordType, Upstream, UpstreamStats};

use crate::backend::{Backend, TestResolver};
use crate::instance::{Instance, Lab};
use crate::line::Line;
use crate::servers;
use crate::zone;

/// As long as a lookup may take that is meant to come to its end.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// A backend, and a line to a server.
#[derive(Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) instance: &'a Instance,
    pub(crate) line: Line,
    pub(crate) backend: (&'static str, &'static dyn Backend),
}

impl Bench<'_> {
    /// Where server and line stand among all.
    pub(crate) fn place(&self) -> (usize, usize) {
        let kind = servers::SERVERS.iter().position(|kind| std::ptr::eq(kind, self.instance.kind));
        let line = Line::all(self.instance).iter().position(|line| *line == self.line);
        (kind.unwrap_or_default(), line.unwrap_or_default())
    }

    pub(crate) fn upstream(&self) -> Upstream {
        self.line.upstream(self.lab, self.instance)
    }

    /// A resolver that gives an attempt all of a lookup's time. On a busy machine a server seems to be silent now and
    /// then, and how many attempts and connections that costs would be what is counted.
    pub(crate) fn patient_resolver_for(&self, upstream: Upstream) -> Box<dyn TestResolver> {
        let config = Config::builder().upstream(upstream).timeout(TIMEOUT).attempt_timeout(TIMEOUT);
        self.backend.1.resolver(config.build().unwrap()).unwrap()
    }

    /// A resolver that asks this server alone.
    pub(crate) fn resolver(&self) -> Box<dyn TestResolver> {
        self.resolver_for(self.upstream())
    }

    pub(crate) fn resolver_for(&self, upstream: Upstream) -> Box<dyn TestResolver> {
        let config = Config::builder().upstream(upstream).timeout(TIMEOUT).build().unwrap();
        self.backend.1.resolver(config).unwrap()
    }
}

/// Has a resolver ask for many names at once, and checks every answer.
pub(crate) fn ask_many(resolver: &dyn TestResolver, numbers: Range<u32>) {
    let query = |number| Query::new(&zone::numbered(number), RecordType::A).unwrap();
    let results = resolver.query_all(numbers.clone().map(query).collect());
    for (number, result) in numbers.zip(results) {
        let answer = result.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.addresses().collect::<Vec<_>>(), [zone::numbered_address(number)]);
    }
}

/// The counters of a resolver's only upstream.
pub(crate) fn stats(resolver: &dyn TestResolver) -> UpstreamStats {
    resolver.stats().upstreams.remove(0)
}

/// The cause that an error of the upstream comes down to.
pub(crate) fn cause(result: Result<Answer, Error>) -> Cause {
    match result {
        Err(error) => match error.kind() {
            ErrorKind::Upstream(cause) => cause.clone(),
            other => panic!("no upstream's fault: {other}"),
        },
        Ok(answer) => panic!("an answer: {answer:?}"),
    }
}

thread_local! {
    /// What the last panic of this thread said, and where.
    static LAST_WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the words of panics for [`caught`] instead of printing them.
pub(crate) fn keep_last_words() {
    panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let words = payload.downcast_ref::<String>().map(String::as_str);
        let words = words.or(payload.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        LAST_WORDS.set(format!("{words}{}", place.unwrap_or_default()));
    }));
}

/// Runs what may panic, and gives what it said.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|_| LAST_WORDS.take())
}
