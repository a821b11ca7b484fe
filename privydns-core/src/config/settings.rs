//! The settings of a configuration with their defaults.

use std::time::Duration;

use crate::cache::CacheSettings;
use crate::error::ConfigError;
use crate::schedule::{Hedge, Strategy};

/// The maximum of all times, so that adding a time to an `Instant` does not overflow.
pub(crate) const LONGEST_TIME: Duration = Duration::from_secs(24 * 3600);

/// The settings that [`ResolverBuilder`](super::ResolverBuilder) documents.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) address_delay: Duration,
    pub(crate) strategy: Strategy,
    pub(crate) spread_key: Option<[u8; 16]>,
    pub(crate) hedge: Option<Hedge>,
    pub(crate) max_lookups: usize,
    pub(crate) max_waiting: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_http1_connections: usize,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) cache: CacheSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            attempts: 3,
            attempt_timeout: None,
            address_delay: Duration::from_millis(250),
            strategy: Strategy::Ordered,
            spread_key: None,
            hedge: None,
            max_lookups: 16_384,
            max_waiting: 16_384,
            max_connections: 2,
            max_http1_connections: 6,
            ping_interval: None,
            cache: CacheSettings::default(),
        }
    }
}

impl Settings {
    /// The same settings with times of at most [`LONGEST_TIME`].
    pub(super) fn bounded(self) -> Self {
        let bounded = |time: Duration| time.min(LONGEST_TIME);
        Self {
            timeout: bounded(self.timeout),
            attempt_timeout: self.attempt_timeout.map(bounded),
            address_delay: bounded(self.address_delay),
            ping_interval: self.ping_interval.map(bounded),
            hedge: self.hedge.map(|hedge| hedge.bounded(LONGEST_TIME)),
            ..self
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let at_least_one = "must be at least 1";
        let no_time = "must be greater than zero";
        let rules = [
            (self.timeout.is_zero(), "timeout", no_time),
            (self.attempts == 0, "attempts", at_least_one),
            (self.attempt_timeout.is_some_and(|time| time.is_zero()), "attempt_timeout", no_time),
            (self.max_lookups == 0, "max_lookups", at_least_one),
            (self.max_waiting == 0, "max_waiting", at_least_one),
            (self.max_connections == 0, "max_connections", at_least_one),
            (self.max_http1_connections == 0, "max_http1_connections", at_least_one),
            (self.ping_interval.is_some_and(|time| time.is_zero()), "ping_interval", no_time),
        ];
        match rules.into_iter().find(|(is_broken, ..)| *is_broken) {
            Some((_, setting, problem)) => Err(ConfigError::Setting { setting, problem }),
            None => Ok(()),
        }
    }
}
