//! Errors that precede every query: an invalid configuration, or a missing resource of the program's environment.

use super::IoError;
use crate::syntax::SyntaxError;

/// Why a configuration was rejected. No query was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration has no upstream.
    #[error("no upstream")]
    NoUpstream,
    /// The configuration has more upstreams than [`MAX_UPSTREAMS`](crate::MAX_UPSTREAMS).
    #[error("more than {0} upstreams")]
    TooManyUpstreams(usize),
    /// These upstreams are known by name only, and no upstream that may resolve their names is reachable first.
    #[error(
        "none of the upstreams that may be asked can resolve the names of {0}: give them addresses (`#ip=`)"
    )]
    Bootstrap(String),
    /// The text of an upstream is invalid.
    #[error("upstream: {0}")]
    Syntax(#[from] SyntaxError),
    /// The text of a proxy is invalid.
    #[error("proxy: {0}")]
    Proxy(#[source] SyntaxError),
    /// The settings of an upstream are invalid.
    #[error("upstream: {0}")]
    Upstream(String),
    /// A certificate, key or pin cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// A file named by the configuration could not be read.
    #[error("{path}: {problem}")]
    File {
        /// The path, as written in the configuration.
        path: String,
        /// The reason, in the operating system's words.
        problem: String,
    },
    /// A setting has an invalid value.
    #[error("{setting}: {problem}")]
    Setting {
        /// The builder's method that set the value.
        setting: &'static str,
        /// Why the value is invalid.
        problem: &'static str,
    },
}

/// A resource that the resolver needs from its environment and that is missing. No query was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A lookup was started on a thread without a Tokio runtime.
    #[error("no Tokio runtime on this thread")]
    NoRuntime,
    /// The runtime shut down while the lookup was in flight, and so did the runtime that the lookup was moved to.
    #[error("the runtime shut down before the lookup ended")]
    ShutDown,
    /// The operating system could not create the queue that reports socket events.
    #[error("cannot create the event queue (epoll/kqueue): {0}")]
    NoEventQueue(#[source] IoError),
    /// The operating system's source of randomness failed.
    #[error("no randomness from the operating system")]
    NoRandomness,
}
