//! One answer kept: fresh, near its end, past its time.

use std::sync::Arc;
use std::time::Duration;

use super::key::CacheKey;
use super::moment::Moment;
use super::settings::CacheSettings;
use super::store::Value;
use crate::message::{Answer, Lifetime, Message, Origin, Query, Spoken};

/// Octets of an allocation's reference counts.
const ARC_HEADER: usize = 16;

/// A message with the time for which it holds. There is one in memory for each answer kept, so that it has what
/// is needed and no more.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    message: Message,
    upstream: Arc<str>,
    spoken: Spoken,
    /// Seconds for which the answer may be used, counted from `stored`.
    lifetime: u32,
    /// When the TTLs were what the message says.
    stored: Moment,
    proof: u64,
}

impl Entry {
    /// What to keep of a message, if anything.
    pub(super) fn new(
        settings: &CacheSettings,
        now: Moment,
        message: &Message,
        age: u32,
        origin: &Origin,
    ) -> Option<Self> {
        let lifetime = match message.lifetime() {
            Lifetime::Positive(ttl) => settings.positive(ttl),
            Lifetime::Negative(ttl) => settings.negative(ttl),
            Lifetime::None => 0,
        };
        (lifetime > age).then(|| Self {
            message: message.without_opt(),
            upstream: origin.upstream.clone(),
            spoken: origin.spoken,
            lifetime,
            stored: now.minus(Duration::from_secs(age.into())),
            proof: 0,
        })
    }

    /// The entry, to be found under a key.
    pub(super) fn proved_by(self, key: CacheKey) -> Self {
        Self { proof: key.proof(), ..self }
    }

    pub(super) fn is_proved_by(&self, key: CacheKey) -> bool {
        self.proof == key.proof()
    }

    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        self.age(now) < self.lifetime()
    }

    /// Whether the entry is in the last tenth of its time.
    pub(super) fn is_near_end(&self, now: Moment) -> bool {
        self.age(now) >= self.lifetime() * 9 / 10
    }

    /// For how long the entry is over; zero for one that is not.
    pub(super) fn time_over(&self, now: Moment) -> Duration {
        self.age(now).saturating_sub(self.lifetime())
    }

    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.stored < other.stored
    }

    /// The answer as it was given.
    pub(super) fn answer(&self, now: Moment) -> Answer {
        self.answer_with(now, self.message.clone())
    }

    /// The answer to a query for a name that the message denies. Another question than the message's gets a message
    /// of its own; but not where proofs are asked for, as those would be missing (RFC 8020 Section 2).
    pub(super) fn denial(&self, now: Moment, query: &Query) -> Option<Answer> {
        let message = if self.message.is_answer_to(query) {
            self.message.clone()
        } else if query.is_dnssec_ok() {
            return None;
        } else {
            self.message.denial_of(query)?
        };
        Some(self.answer_with(now, message))
    }

    fn answer_with(&self, now: Moment, message: Message) -> Answer {
        let origin = Origin {
            upstream: self.upstream.clone(),
            spoken: self.spoken,
            attempts: 0,
            elapsed: Duration::ZERO,
            is_cached: true,
            is_stale: !self.is_fresh(now),
        };
        let age = u32::try_from(self.age(now).as_secs()).unwrap_or(u32::MAX);
        Answer::new(message, age, origin)
    }

    fn age(&self, now: Moment) -> Duration {
        now.since(self.stored)
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.into())
    }
}

impl Value for Entry {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + ARC_HEADER + self.message.size()) as u64
    }

    fn end(&self) -> Moment {
        self.stored.plus(self.lifetime())
    }
}
