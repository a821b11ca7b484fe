//! A cached answer: fresh, near its end, or stale.

use std::sync::Arc;
use std::time::Duration;

use super::key::CacheKey;
use super::settings::CacheSettings;
use super::store::Value;
use super::timestamp::Timestamp;
use crate::message::{Answer, Lifetime, Message, Origin, Query, Transport};

/// Bytes of the reference counts in an `Arc` allocation.
const ARC_HEADER: usize = 16;

/// A cached message and its lifetime. There is one entry in memory per cached answer, so the fields are kept
/// few and small.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    message: Message,
    upstream: Arc<str>,
    transport: Transport,
    /// Seconds for which the answer may be used, counted from `stored`.
    lifetime: u32,
    /// When the TTLs had the values that the message contains.
    stored: Timestamp,
    proof: u64,
}

impl Entry {
    /// The entry to cache for a message that is `age` seconds old, or `None` if the message must not be
    /// cached.
    pub(super) fn new(
        settings: &CacheSettings,
        now: Timestamp,
        message: &Message,
        age: u32,
        origin: &Origin,
    ) -> Option<Self> {
        let lifetime = lifetime(settings, message);
        (lifetime > age).then(|| Self {
            message: message.without_opt(),
            upstream: origin.upstream.clone(),
            transport: origin.transport,
            lifetime,
            stored: now.minus(Duration::from_secs(age.into())),
            proof: 0,
        })
    }

    /// The entry with the key's proof, by which [`is_proved_by`](Self::is_proved_by) recognizes the key.
    pub(super) fn proved_by(self, key: CacheKey) -> Self {
        Self { proof: key.proof(), ..self }
    }

    pub(super) fn is_proved_by(&self, key: CacheKey) -> bool {
        self.proof == key.proof()
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.age(now) < self.lifetime()
    }

    /// Whether the entry is in the last tenth of its lifetime.
    pub(super) fn is_near_end(&self, now: Timestamp) -> bool {
        self.age(now) >= self.lifetime() * 9 / 10
    }

    /// When the entry is of no more use: the end of its lifetime plus the stale period.
    pub(super) fn over(&self, grace: Duration) -> Timestamp {
        self.end().plus(grace)
    }

    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.stored < other.stored
    }

    /// The answer with its age. Seconds that the settings cut off the TTL count as age, so that the TTL shown
    /// is at most the time for which the entry is still kept.
    pub(super) fn into_answer(self, now: Timestamp) -> Answer {
        let age = u32::try_from(self.age(now).as_secs()).unwrap_or(u32::MAX);
        let cut = ttl(&self.message).saturating_sub(self.lifetime);
        let origin = Origin {
            is_cached: true,
            is_stale: !self.is_fresh(now),
            shuffle_seed: now.nanoseconds(),
            ..Origin::new(self.upstream, self.transport, 0, Duration::ZERO)
        };
        Answer::new(self.message, age.saturating_add(cut), origin)
    }

    /// The answer to a query for a name that the message denies. If the query's question differs from the
    /// message's, a new message is made for the query. With DO there is no such answer, because the proofs
    /// would be missing (RFC 8020 Section 2).
    pub(super) fn into_denial(mut self, now: Timestamp, query: &Query) -> Option<Answer> {
        if !self.message.is_answer_to(query) {
            if query.is_dnssec_ok() {
                return None;
            }
            self.message = self.message.denial_of(query)?;
        }
        Some(self.into_answer(now))
    }

    fn age(&self, now: Timestamp) -> Duration {
        now.since(self.stored)
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.into())
    }
}

/// The time in seconds for which the settings allow a message to be cached; 0 if it must not be cached.
fn lifetime(settings: &CacheSettings, message: &Message) -> u32 {
    match message.lifetime() {
        Lifetime::Positive(ttl) => settings.positive(ttl),
        Lifetime::Negative(ttl) => settings.negative(ttl),
        Lifetime::None => 0,
    }
}

/// Seconds by which the settings shorten a message's TTL.
pub(super) fn cut(settings: &CacheSettings, message: &Message) -> u32 {
    ttl(message).saturating_sub(lifetime(settings, message))
}

/// The time in seconds for which the message itself allows caching; 0 if it must not be cached.
fn ttl(message: &Message) -> u32 {
    match message.lifetime() {
        Lifetime::Positive(ttl) | Lifetime::Negative(ttl) => ttl,
        Lifetime::None => 0,
    }
}

impl Value for Entry {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + ARC_HEADER + self.message.size()) as u64
    }

    fn end(&self) -> Timestamp {
        self.stored.plus(self.lifetime())
    }
}
