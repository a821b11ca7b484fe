//! Compares the cache with a model: plain maps without hashes, limits or shared bytes, which get the same
//! operations.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::wire::{self, Reply};
use crate::RecordType;
use crate::cache::{Cache, CacheSettings, Found, UpstreamSet};
use crate::message::{Answer, Outcome, Query};

const NAMES: [&str; 7] = ["x", "a.x", "b.x", "a.a.x", "b.a.x", "c.b.a.x", "y"];
const TYPES: [RecordType; 2] = [RecordType::A, RecordType::AAAA];
const TTLS: [u32; 5] = [0, 1, 10, 30, 100];
const GRACE: u64 = 50;
const PUBLIC: UpstreamSet = UpstreamSet(1);
const INTERNAL: UpstreamSet = UpstreamSet(2);

/// Chooses the operations.
pub(crate) trait Choices {
    /// A number below `bound`, which is at most 256; `None` at the end of the test.
    fn below(&mut self, bound: usize) -> Option<usize>;
}

/// Applies the same operations to a cache and a model and compares their results, until the choices end.
pub(crate) fn hold_against_model(epoch: Instant, choices: &mut impl Choices) {
    let mut bench = Bench::new(epoch, choices);
    while bench.step(choices).is_some() {}
}

struct Bench {
    cache: Cache,
    now: Instant,
    model: Model,
    step: usize,
}

impl Bench {
    fn new(epoch: Instant, choices: &mut impl Choices) -> Self {
        let mut is_chosen = || choices.below(2) == Some(1);
        let (is_stale_served, is_prefetching) = (is_chosen(), is_chosen());
        let settings = CacheSettings::default().prefetch(is_prefetching);
        let settings =
            if is_stale_served { settings.serve_stale(Duration::from_secs(GRACE)) } else { settings };
        let cache = Cache::new(&settings, *b"a secret of ours");
        assert_cooldowns_use_distinct_slots(&cache);
        let model = Model { is_stale_served, is_prefetching, ..Model::default() };
        Self { cache, now: epoch, model, step: 0 }
    }

    fn step(&mut self, choices: &mut impl Choices) -> Option<()> {
        let Self { cache, now, model, step } = self;
        let operation = choices.below(100)?;
        let lookup = Lookup::any(choices)?;
        let query = lookup.query();
        match operation {
            0..50 => {
                let expected = model.lookup(lookup);
                let found = Seen::of(
                    &cache.lookup(*now, &query, cache.query_key(&query, lookup.upstream_set())),
                    lookup,
                );
                assert_eq!(found, expected, "step {step}, {lookup:?}");
            }
            50..75 => {
                let response = Response::any(choices)?;
                let message = response.to(&query).message(&query);
                let query_key = cache.query_key(&query, lookup.upstream_set());
                cache.insert(*now, &query, query_key, &message, 0, &wire::origin());
                model.insert(lookup, response);
            }
            75..95 => {
                let time = 1 + 250 * choices.below(32)? + choices.below(250)?;
                *now += Duration::from_millis(time as u64);
                model.now += time as u64;
            }
            95..98 => {
                cache.failed(*now, cache.key(&query, lookup.upstream_set()));
                model.failures.insert(lookup, model.now + 30_000);
            }
            98 => {
                cache.remove(&query, lookup.upstream_set());
                model.remove(lookup);
            }
            _ => {
                cache.clear();
                model.answers.clear();
                model.denials.clear();
            }
        }
        *step += 1;
        Some(())
    }
}

/// Two keys that share a cooldown slot are allowed, but the model does not have such collisions.
fn assert_cooldowns_use_distinct_slots(cache: &Cache) {
    let all = || {
        (0..NAMES.len()).flat_map(|name| {
            (0..2).flat_map(move |kind| (0..3).map(move |scope| Lookup { name, kind, scope }))
        })
    };
    let slots: BTreeSet<_> =
        all().map(|lookup| cache.key(&lookup.query(), lookup.upstream_set()).index(4096)).collect();
    assert_eq!(slots.len(), all().count());
}

/// A name, a type, and a scope: plain, with DO, or for other upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lookup {
    name: usize,
    kind: usize,
    scope: usize,
}

impl Lookup {
    fn any(choices: &mut impl Choices) -> Option<Self> {
        let name = choices.below(NAMES.len())?;
        Some(Self { name, kind: choices.below(TYPES.len())?, scope: choices.below(3)? })
    }

    fn query(self) -> Query {
        query(NAMES[self.name], TYPES[self.kind]).dnssec_ok(self.scope == 1)
    }

    fn upstream_set(self) -> UpstreamSet {
        if self.scope == 2 { INTERNAL } else { PUBLIC }
    }
}

/// A response of an upstream: an optional CNAME record, and the outcome at its end.
#[derive(Clone, Copy, Debug)]
struct Response {
    alias: Option<(u32, usize)>,
    outcome: Outcome,
    ttl: u32,
}

impl Response {
    fn any(choices: &mut impl Choices) -> Option<Self> {
        const OUTCOMES: [Outcome; 5] =
            [Outcome::Records, Outcome::Records, Outcome::NoData, Outcome::NxDomain, Outcome::Failure];
        let mut ttl = || Some(TTLS[choices.below(TTLS.len())?]);
        let (ttl, alias_ttl) = (ttl()?, ttl()?);
        let alias =
            if choices.below(10)? < 3 { Some((alias_ttl, choices.below(NAMES.len())?)) } else { None };
        Some(Self { alias, outcome: OUTCOMES[choices.below(OUTCOMES.len())?], ttl })
    }

    /// The CNAME record's TTL and target, if the target differs from the name.
    fn alias(self, name: usize) -> Option<(u32, usize)> {
        self.alias.filter(|(_, target)| *target != name)
    }

    fn to(self, query: &Query) -> Reply {
        let mut reply = Reply::to(query);
        let name = NAMES
            .iter()
            .position(|name| self::query(name, TYPES[0]).name() == query.name())
            .expect("one of the model's names");
        if let Some((ttl, target)) = self.alias(name) {
            reply = reply.cname(ttl, NAMES[target]);
        }
        match self.outcome {
            Outcome::Records => reply.record(query.type_number(), self.ttl, &[7; 4]),
            Outcome::NoData => reply.soa(".", self.ttl, 1000),
            Outcome::NxDomain => reply.nxdomain().soa(".", 1000, self.ttl),
            Outcome::Failure => reply.rcode(2),
        }
    }
}

/// The observable part of [`Found`].
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Fresh(Outcome, u64),
    Refresh(Outcome, u64),
    Stale(Outcome, bool),
    Miss,
}

impl Seen {
    fn of(found: &Found, lookup: Lookup) -> Self {
        let observe = |answer: &Answer, is_stale| {
            assert_eq!(answer.is_stale(), is_stale);
            assert!(answer.message().is_answer_to(&lookup.query()));
            (answer.outcome(), answer.ttl().expect("cached answers have a TTL").into())
        };
        match found {
            Found::Fresh(answer) => {
                let (outcome, ttl) = observe(answer, false);
                Self::Fresh(outcome, ttl)
            }
            Found::Refresh(answer) => {
                let (outcome, ttl) = observe(answer, false);
                Self::Refresh(outcome, ttl)
            }
            Found::Stale { answer, is_worth_asking } => {
                let (outcome, ttl) = observe(answer, true);
                assert_eq!(ttl, 30);
                Self::Stale(outcome, *is_worth_asking)
            }
            Found::Miss => Self::Miss,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Fact {
    /// The lookup that this answered.
    asked: Lookup,
    outcome: Outcome,
    stored: u64,
    ttl: u64,
}

/// Times are in milliseconds.
#[derive(Default)]
struct Model {
    now: u64,
    is_stale_served: bool,
    is_prefetching: bool,
    answers: BTreeMap<Lookup, Fact>,
    /// By scope and name.
    denials: BTreeMap<(usize, usize), Fact>,
    failures: BTreeMap<Lookup, u64>,
    refreshes: BTreeMap<Lookup, u64>,
}

impl Model {
    fn insert(&mut self, lookup: Lookup, response: Response) {
        if response.outcome == Outcome::Failure {
            return;
        }
        self.failures.remove(&lookup);
        self.refreshes.remove(&lookup);
        let alias = response.alias(lookup.name);
        let ttl = alias.map_or(response.ttl, |(ttl, _)| response.ttl.min(ttl));
        let target = alias.map_or(lookup.name, |(_, target)| target);
        let fact = (ttl > 0).then_some(Fact {
            asked: lookup,
            outcome: response.outcome,
            stored: self.now,
            ttl: ttl.into(),
        });

        self.answers.remove(&lookup);
        let is_denied = response.outcome == Outcome::NxDomain;
        if !is_denied || alias.is_some() {
            self.exists(lookup.scope, lookup.name);
            self.answers.extend(fact.map(|fact| (lookup, fact)));
        }
        if is_denied {
            self.denials.remove(&(lookup.scope, target));
            self.denials.extend(fact.map(|fact| ((lookup.scope, target), fact)));
        } else {
            self.exists(lookup.scope, target);
        }
    }

    fn exists(&mut self, scope: usize, name: usize) {
        self.denials.retain(|&(other, denied), _| other != scope || !is_within(name, denied));
    }

    /// Removes with and without DO, but only for the same upstreams.
    fn remove(&mut self, lookup: Lookup) {
        let is_same_group = |scope: usize| (scope == 2) == (lookup.scope == 2);
        self.answers.retain(|other, _| {
            (other.name, other.kind) != (lookup.name, lookup.kind) || !is_same_group(other.scope)
        });
        self.denials.retain(|&(scope, denied), _| !is_same_group(scope) || !is_within(lookup.name, denied));
    }

    fn lookup(&mut self, lookup: Lookup) -> Seen {
        let own = self.answers.get(&lookup).copied();
        if let Some(own) = own
            && let Some(left) = self.left(own)
        {
            let is_near_end = (self.now - own.stored) * 10 >= own.ttl * 9000;
            let is_claimed = self.refreshes.get(&lookup).is_some_and(|until| self.now < *until);
            if self.is_prefetching && is_near_end && !is_claimed {
                self.refreshes.insert(lookup, self.now + 30_000);
                return Seen::Refresh(own.outcome, left);
            }
            return Seen::Fresh(own.outcome, left);
        }
        // The nearest name has the longest text.
        let denials: Vec<Fact> = {
            let mut above: Vec<_> =
                (0..NAMES.len()).filter(|denied| is_within(lookup.name, *denied)).collect();
            above.sort_by_key(|denied| std::cmp::Reverse(NAMES[*denied].len()));
            above
                .into_iter()
                .filter_map(|denied| self.denials.get(&(lookup.scope, denied)).copied())
                .collect()
        };
        // With DO, a denial answers only its own question.
        let is_usable = |fact: &Fact| lookup.scope != 1 || fact.asked == lookup;
        if let Some((fact, left)) = denials.iter().find_map(|fact| Some((fact, self.left(*fact)?))) {
            return if is_usable(fact) { Seen::Fresh(Outcome::NxDomain, left) } else { Seen::Miss };
        }
        if !self.is_stale_served {
            return Seen::Miss;
        }
        // Among entries of the same age, records come first, then the nearest denial.
        let is_kept = |fact: &Fact| self.now < fact.stored + (fact.ttl + GRACE) * 1000;
        let denial = denials.into_iter().rev().filter(is_kept).max_by_key(|fact| fact.stored);
        let newest = match (own.filter(is_kept), denial) {
            (Some(own), Some(denial)) if own.stored >= denial.stored => Some(own),
            (own, denial) => denial.filter(is_usable).or(own.filter(|_| denial.is_none())),
        };
        let Some(newest) = newest else { return Seen::Miss };
        let has_failed = self.failures.get(&lookup).is_some_and(|until| self.now < *until);
        Seen::Stale(newest.outcome, !has_failed)
    }

    /// The seconds left, rounded up; `None` if the lifetime has passed.
    fn left(&self, fact: Fact) -> Option<u64> {
        let age = self.now - fact.stored;
        (age < fact.ttl * 1000).then(|| fact.ttl - age / 1000)
    }
}

/// Whether a name equals another name or is below it.
fn is_within(name: usize, other: usize) -> bool {
    let (name, other) = (NAMES[name], NAMES[other]);
    name.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn query(name: &str, record_type: RecordType) -> Query {
    Query::new(name, record_type).expect("a name")
}
