//! The environment of a check: a backend, and a line to a server.

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

/// The timeout of lookups that should succeed.
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
    /// The indices of the server and the line, which determine the order of the table.
    pub(crate) fn position(&self) -> (usize, usize) {
        let kind = servers::SERVERS.iter().position(|kind| std::ptr::eq(kind, self.instance.kind));
        let line = Line::all(self.instance).iter().position(|line| *line == self.line);
        (kind.unwrap_or_default(), line.unwrap_or_default())
    }

    pub(crate) fn upstream(&self) -> Upstream {
        self.line.upstream(self.lab, self.instance)
    }

    /// A resolver whose attempts can take as long as the lookup. On a busy machine, a server can be silent for
    /// a while, and further attempts and connections would distort the counts.
    pub(crate) fn resolver_with_long_attempts(&self, upstream: Upstream) -> Box<dyn TestResolver> {
        let config = Config::builder().upstream(upstream).timeout(TIMEOUT).attempt_timeout(TIMEOUT);
        self.backend.1.resolver(config.build().unwrap()).unwrap()
    }

    /// A resolver with this server as its only upstream.
    pub(crate) fn resolver(&self) -> Box<dyn TestResolver> {
        self.resolver_for(self.upstream())
    }

    pub(crate) fn resolver_for(&self, upstream: Upstream) -> Box<dyn TestResolver> {
        let config = Config::builder().upstream(upstream).timeout(TIMEOUT).build().unwrap();
        self.backend.1.resolver(config).unwrap()
    }
}

/// Looks up many names at once and checks every answer.
pub(crate) fn ask_many(resolver: &dyn TestResolver, numbers: Range<u32>) {
    let query = |number| Query::new(&zone::numbered(number), RecordType::A).unwrap();
    let results = resolver.query_all(numbers.clone().map(query).collect());
    for (number, result) in numbers.zip(results) {
        let answer = result.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.addresses().collect::<Vec<_>>(), [zone::numbered_address(number)]);
    }
}

/// The statistics of a resolver's only upstream.
pub(crate) fn stats(resolver: &dyn TestResolver) -> UpstreamStats {
    resolver.stats().upstreams.remove(0)
}

/// The cause of an error whose kind is `Upstream`.
pub(crate) fn cause(result: Result<Answer, Error>) -> Cause {
    match result {
        Err(error) => match error.kind() {
            ErrorKind::Upstream(cause) => cause.clone(),
            other => panic!("not an error of an upstream: {other}"),
        },
        Ok(answer) => panic!("expected an error, got an answer: {answer:?}"),
    }
}

thread_local! {
    /// The message and location of this thread's last panic.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Stores panic messages for [`caught`] instead of printing them.
pub(crate) fn record_panics() {
    panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let message = payload.downcast_ref::<String>().map(String::as_str);
        let message = message.or(payload.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        let location = info.location().map(|location| format!(" ({}:{})", location.file(), location.line()));
        LAST_PANIC.set(format!("{message}{}", location.unwrap_or_default()));
    }));
}

/// Runs a function and returns the message of its panic as an error.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|_| LAST_PANIC.take())
}
