//! Many lookups of one caller, yielded as the answers arrive.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use privydns_core::handle::Lookup;
use privydns_core::{Answer, Error, ErrorKind, Query};

use crate::resolver::Inner;

/// The maximum number of lookups in flight: the number of queries that one connection carries.
const MAX_IN_FLIGHT: usize = 1000;

/// An iterator over queries with their answers, in the order of arrival. Returned by
/// [`Resolver::lookup_many`](crate::Resolver::lookup_many).
#[must_use = "no query is sent before the first call of `next`"]
pub struct Lookups<'r, I: Iterator<Item = Query>> {
    resolver: &'r Inner,
    queries: I,
    max_in_flight: usize,
    begun: BTreeMap<u64, Begun<'r>>,
    last_number: u64,
    /// The earliest deadline of the lookups in flight.
    next_limit: Instant,
    news: Arc<News>,
}

struct Begun<'r> {
    query: Query,
    lookup: Lookup<'r>,
    limit: Instant,
    waker: Waker,
}

/// The numbers of the lookups that may have ended.
#[derive(Default)]
struct News(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    numbers: VecDeque<u64>,
    reader: Option<Waker>,
}

/// The waker of one lookup: adds its number to the shared list.
struct Messenger {
    number: u64,
    news: Arc<News>,
}

impl<'r, I: Iterator<Item = Query>> Lookups<'r, I> {
    pub(crate) fn new(resolver: &'r Inner, queries: I) -> Self {
        Self {
            resolver,
            queries,
            max_in_flight: resolver.handle.shared().config().max_lookups().min(MAX_IN_FLIGHT),
            begun: BTreeMap::new(),
            last_number: 0,
            next_limit: Instant::now(),
            news: Arc::default(),
        }
    }

    /// Sets the maximum number of lookups in flight, at least one; use this for upstreams that limit concurrent
    /// queries. The value is capped at 1000 and at
    /// [`ResolverBuilder::max_lookups`](crate::ResolverBuilder::max_lookups).
    ///
    /// ```no_run
    /// # use privydns_blocking::{Query, Resolver};
    /// # fn run(resolver: &Resolver, queries: Vec<Query>) {
    /// for (query, answer) in resolver.lookup_many(queries).at_most(20) {
    ///     println!("{}: {}", query.name(), answer.is_ok());
    /// }
    /// # }
    /// ```
    pub fn at_most(mut self, lookups: usize) -> Self {
        self.max_in_flight = lookups.clamp(1, self.max_in_flight);
        self
    }

    /// Begins lookups up to the limit, and has their queries sent.
    fn begin_more(&mut self) {
        let before = self.last_number;
        while self.begun.len() < self.max_in_flight
            && let Some(query) = self.queries.next()
        {
            self.last_number += 1;
            let number = self.last_number;
            let now = Instant::now();
            let limit = self.resolver.limit(now, &query);
            let lookup = self.resolver.handle.begin(now, query.clone());
            let messenger = Arc::new(Messenger { number, news: self.news.clone() });
            // The lookup may have ended at once.
            messenger.wake_by_ref();
            self.next_limit = if self.begun.is_empty() { limit } else { limit.min(self.next_limit) };
            self.begun.insert(number, Begun { query, lookup, limit, waker: messenger.into() });
        }
        if self.last_number > before {
            self.resolver.poll_once();
        }
    }

    /// The next ended lookup.
    fn ended(&mut self) -> Option<(Query, Result<Answer, Error>)> {
        while let Some(number) = self.news.lock().numbers.pop_front() {
            let Some(begun) = self.begun.get_mut(&number) else { continue };
            let mut context = Context::from_waker(&begun.waker);
            if let Poll::Ready(result) = Pin::new(&mut begun.lookup).poll(&mut context) {
                return self.begun.remove(&number).map(|begun| (begun.query, result));
            }
        }
        None
    }
}

impl<I: Iterator<Item = Query>> Iterator for Lookups<'_, I> {
    type Item = (Query, Result<Answer, Error>);

    fn next(&mut self) -> Option<Self::Item> {
        // New lookups begin when half of the limit is free, so that their queries leave together.
        if self.begun.len() <= self.max_in_flight / 2 {
            self.begin_more();
        }
        while !self.begun.is_empty() {
            if let Some(ended) = self.ended() {
                return Some(ended);
            }
            let news = poll_fn(|context| self.news.poll(context));
            if self.resolver.leader.wait(news, Some(self.next_limit)).is_none() {
                let limits = self.begun.iter().map(|(number, begun)| (begun.limit, *number));
                let (limit, number) = limits.min()?;
                if limit <= Instant::now() {
                    let late = self.begun.remove(&number)?;
                    return Some((late.query, Err(ErrorKind::Deadline.into())));
                }
                self.next_limit = limit;
            }
        }
        None
    }
}

impl<I: Iterator<Item = Query>> fmt::Debug for Lookups<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").field("begun", &self.begun.len()).finish_non_exhaustive()
    }
}

impl News {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut noted = self.lock();
        if !noted.numbers.is_empty() {
            return Poll::Ready(());
        }
        noted.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Wake for Messenger {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let reader = {
            let mut noted = self.news.lock();
            noted.numbers.push_back(self.number);
            noted.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}
