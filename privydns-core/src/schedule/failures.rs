//! Resolution failures remembered, so that a broken name is not asked for over and over (RFC 9520).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::budget::ByteBudget;
use crate::cache::CacheKey;
use crate::error::Rcode;

/// How long the first failure is remembered; the least that RFC 9520 Section 3.2 allows.
const FIRST: Duration = Duration::from_secs(1);
/// Doubled with every repetition, it is remembered no longer than this, the most that the RFC allows.
const LONGEST: Duration = Duration::from_secs(300);
/// Failures remembered at once. When more come, the one whose time ends first is forgotten.
const MAX_FAILURES: usize = 4096;
/// Bytes of extended errors that are remembered with one failure, each with its overhead. An error that does not fit is
/// left out.
const MAX_EXTENDED_ERROR_BYTES: usize = 1024;

/// What upstreams failed to resolve, each failure under a key of question and upstream together: what one
/// upstream cannot resolve, another may (RFC 2308 Section 7.1).
#[derive(Debug, Default)]
pub(crate) struct Failures {
    by_key: BTreeMap<CacheKey, Failure>,
    /// The same, by when they are forgotten.
    by_end: BTreeSet<(Instant, CacheKey)>,
    /// How often the application had answers forgotten when these were remembered.
    clears: u64,
}

#[derive(Debug)]
struct Failure {
    rcode: Rcode,
    pause: Duration,
    /// Until when the upstream is not asked again.
    until: Instant,
    /// When it is forgotten: a repetition until then doubles the pause.
    end: Instant,
}

impl Failures {
    pub(crate) fn remember(&mut self, now: Instant, key: CacheKey, mut rcode: Rcode) {
        let mut budget = ByteBudget::new(MAX_EXTENDED_ERROR_BYTES);
        rcode.extended.retain(|error| budget.take(error.size()));
        rcode.extended.shrink_to_fit();
        let before = self.forget(key).filter(|failure| failure.end > now);
        let pause = before.map_or(FIRST, |failure| (failure.pause * 2).min(LONGEST));
        let until = now + pause;
        // Remembered for twice its pause, or every failure would be the first.
        let end = until + pause;
        self.sweep(now);
        self.by_end.insert((end, key));
        self.by_key.insert(key, Failure { rcode, pause, until, end });
    }

    /// The failure that asking now would only repeat.
    pub(crate) fn recall(&self, now: Instant, key: CacheKey) -> Option<&Rcode> {
        self.by_key.get(&key).filter(|failure| now < failure.until).map(|failure| &failure.rcode)
    }

    /// The application had answers forgotten so many times: what was remembered before is forgotten with them.
    pub(crate) fn forget_before(&mut self, clears: u64) {
        if std::mem::replace(&mut self.clears, clears) != clears {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.by_key.clear();
        self.by_end.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    fn forget(&mut self, key: CacheKey) -> Option<Failure> {
        let failure = self.by_key.remove(&key)?;
        self.by_end.remove(&(failure.end, key));
        Some(failure)
    }

    /// The upstream resolved it.
    pub(crate) fn resolved(&mut self, key: CacheKey) {
        self.forget(key);
    }

    fn sweep(&mut self, now: Instant) {
        while let Some((end, key)) = self.by_end.first()
            && (*end <= now || self.by_key.len() >= MAX_FAILURES)
        {
            self.forget(*key);
        }
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::ResponseCode;

    use super::*;
    use crate::message::ExtendedError;
    use crate::testkit::epoch;

    fn rcode() -> Rcode {
        Rcode { code: ResponseCode::ServFail, extended: Vec::new() }
    }

    /// Conformance 39.
    #[test]
    fn failures_are_remembered_from_one_second_to_five_minutes() {
        let (mut failures, key) = (Failures::default(), CacheKey::for_test(1));
        let mut now = epoch();
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            failures.remember(now, key, rcode());
            assert!(failures.recall(now + Duration::from_millis(pause * 1000 - 1), key).is_some(), "{pause}");
            now += Duration::from_secs(pause);
            assert!(failures.recall(now, key).is_none(), "{pause}");
        }
        failures.resolved(key);
        failures.remember(now, key, rcode());
        assert!(failures.recall(now + Duration::from_secs(1), key).is_none());
    }

    #[test]
    fn extended_errors_that_do_not_fit_are_not_remembered() {
        let (mut failures, now, key) = (Failures::default(), epoch(), CacheKey::for_test(1));
        let error = |length| ExtendedError { code: 22, text: "x".repeat(length) };
        let extended = vec![error(800), error(60_000), error(100), error(100)];
        failures.remember(now, key, Rcode { code: ResponseCode::ServFail, extended });
        let kept = &failures.recall(now, key).expect("remembered").extended;
        assert_eq!(kept.iter().map(|error| error.text.len()).collect::<Vec<_>>(), [800, 100]);
    }

    #[test]
    fn no_more_than_the_limit_are_remembered() {
        let (mut failures, now) = (Failures::default(), epoch());
        for number in 0..2 * MAX_FAILURES as u64 {
            failures.remember(now + Duration::from_micros(number), CacheKey::for_test(number), rcode());
        }
        assert_eq!((failures.by_key.len(), failures.by_end.len()), (MAX_FAILURES, MAX_FAILURES));
        assert!(failures.recall(now, CacheKey::for_test(2 * MAX_FAILURES as u64 - 1)).is_some());
    }

    /// An extended error without text counts with its overhead.
    #[test]
    fn empty_extended_errors_are_remembered_up_to_the_limit() {
        let (mut failures, now, key) = (Failures::default(), epoch(), CacheKey::for_test(1));
        let extended = vec![ExtendedError { code: 22, text: String::new() }; 10_000];
        failures.remember(now, key, Rcode { code: ResponseCode::ServFail, extended });
        let kept = &failures.recall(now, key).expect("remembered").extended;
        assert_eq!(kept.capacity(), MAX_EXTENDED_ERROR_BYTES / size_of::<ExtendedError>());
    }
}
