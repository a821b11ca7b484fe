//! One answer kept: fresh, near its end, past its time.

use std::sync::Arc;
use std::time::Duration;

use super::key::CacheKey;
use super::settings::CacheSettings;
use super::store::Value;
use super::timestamp::Timestamp;
use crate::message::{Answer, Lifetime, Message, Origin, Query, Transport};

/// Octets of an allocation's reference counts.
const ARC_HEADER: usize = 16;

/// A message with the time for which it holds. There is one in memory for each answer kept, so that it has what
/// is needed and no more.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    message: Message,
    upstream: Arc<str>,
    transport: Transport,
    /// Seconds for which the answer may be used, counted from `stored`.
    lifetime: u32,
    /// When the TTLs were what the message says.
    stored: Timestamp,
    proof: u64,
}

impl Entry {
    /// What to keep of a message, if anything.
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

    /// The entry, to be found under a key.
    pub(super) fn proved_by(self, key: CacheKey) -> Self {
        Self { proof: key.proof(), ..self }
    }

    pub(super) fn is_proved_by(&self, key: CacheKey) -> bool {
        self.proof == key.proof()
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.age(now) < self.lifetime()
    }

    /// Whether the entry is in the last tenth of its time.
    pub(super) fn is_near_end(&self, now: Timestamp) -> bool {
        self.age(now) >= self.lifetime() * 9 / 10
    }

    /// When the entry's time and the time of grace after it have passed.
    pub(super) fn over(&self, grace: Duration) -> Timestamp {
        self.end().plus(grace)
    }

    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.stored < other.stored
    }

    /// The answer as it was given, and as old as it is. What was cut off its TTL counts as age, so that no more is
    /// shown of it than is left.
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

    /// The answer to a query for a name that the message denies. Another question than the message's gets a message
    /// of its own; but not where proofs are asked for, as those would be missing (RFC 8020 Section 2).
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

/// For how long the settings let a message be kept, in seconds; 0 for not at all.
fn lifetime(settings: &CacheSettings, message: &Message) -> u32 {
    match message.lifetime() {
        Lifetime::Positive(ttl) => settings.positive(ttl),
        Lifetime::Negative(ttl) => settings.negative(ttl),
        Lifetime::None => 0,
    }
}

/// What the settings cut off a message's TTL, in seconds.
pub(super) fn cut(settings: &CacheSettings, message: &Message) -> u32 {
    ttl(message).saturating_sub(lifetime(settings, message))
}

/// For how long the message says that it may be kept, in seconds; 0 for not at all.
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
