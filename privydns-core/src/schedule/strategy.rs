//! Which upstream a lookup goes to first, and what that tells whom.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, RngExt};

use crate::message::QueryName;

/// Which of the upstreams that may answer are asked, and in which order: who is told what. Where an upstream does not
/// answer in time, or fails, the next is told the same name. [Unhealthy](crate::guide::policies#unhealthy-upstreams) ones are passed over
/// in each strategy.
///
/// ```
/// use privydns_core::{Config, Strategy};
///
/// let config = Config::builder()
///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
///     .strategy(Strategy::Fastest)
///     .build()?;
/// # Ok::<_, privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Strategy {
    /// The order given. One operator sees every name; the others see those that it did not answer in time.
    #[default]
    Ordered,
    /// The one with the smallest smoothed round-trip time, and one query in 32 to another, to know its time.
    /// One operator sees nearly every name, the others a random few.
    Fastest,
    /// This many at once, in the order given; the first answer wins, and the other queries are cancelled. One that
    /// fails or turns out silent is replaced. That many operators see every name, and all of them carry the load.
    Race(NonZeroUsize),
    /// By a keyed hash of the registrable name (`example.co.uk` of `www.example.co.uk`, by the public suffix list
    /// as it was when this was compiled). Each operator sees its share of the names, always the same ones, and
    /// none sees the whole. A name moves only when its own upstream is unhealthy, or leaves the list. The key is the
    /// resolver's own and new in each process, unless [`ResolverBuilder::spread_key`](crate::ResolverBuilder::spread_key) gives
    /// one.
    ///
    /// ```
    /// use privydns_core::{Config, Strategy};
    ///
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
    ///     .upstream("tls://94.140.14.140#unfiltered.adguard-dns.com".parse()?)
    ///     .strategy(Strategy::Spread)
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    #[cfg(feature = "spread")]
    Spread,
}

impl Strategy {
    /// [`Strategy::Race`] of `count` upstreams. A count of 0 means 1.
    ///
    /// ```
    /// use privydns_core::Strategy;
    ///
    /// assert!(matches!(Strategy::race(2), Strategy::Race(count) if count.get() == 2));
    /// ```
    pub const fn race(count: usize) -> Self {
        Self::Race(match NonZeroUsize::new(count) {
            Some(count) => count,
            None => NonZeroUsize::MIN,
        })
    }
}

/// One query in this many goes to another upstream than the fastest.
const PROBE_ONE_IN: u32 = 32;

/// Puts upstreams in order, each time for one query.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    strategy: Strategy,
    #[cfg_attr(not(feature = "spread"), expect(dead_code, reason = "only spreading hashes"))]
    key: [u8; 16],
    #[cfg_attr(not(feature = "spread"), expect(dead_code, reason = "only spreading hashes"))]
    /// The upstreams' labels: what is hashed of them, so that a name stays where it is when the list changes.
    labels: Vec<Arc<str>>,
}

impl Order {
    pub(crate) fn new(strategy: Strategy, key: [u8; 16], labels: Vec<Arc<str>>) -> Self {
        Self { strategy, key, labels }
    }

    /// How many of them to ask at once.
    pub(crate) fn at_once(&self) -> usize {
        match self.strategy {
            Strategy::Race(count) => count.get(),
            _ => 1,
        }
    }

    /// How many of them, in the order of the configuration, the next lookup may go to first.
    pub(crate) fn first_choices(&self) -> usize {
        match self.strategy {
            Strategy::Ordered => 1,
            Strategy::Race(count) => count.get(),
            _ => usize::MAX,
        }
    }

    /// Puts healthy `upstreams`, given in the order of the configuration, in the order to try them.
    pub(crate) fn arrange(
        &self,
        upstreams: &mut [usize],
        #[cfg_attr(
            not(feature = "spread"),
            expect(unused_variables, reason = "only spreading looks at the name")
        )]
        name: &QueryName,
        round_trip: impl Fn(usize) -> Option<Duration>,
        random: &mut impl Rng,
    ) {
        match self.strategy {
            Strategy::Ordered | Strategy::Race(_) => {}
            Strategy::Fastest => {
                // One whose time is not known is tried before those whose time is.
                upstreams.sort_by_key(|upstream| round_trip(*upstream));
                if upstreams.len() > 1 && random.random_ratio(1, PROBE_ONE_IN) {
                    let probed = random.random_range(1..upstreams.len());
                    upstreams[..=probed].rotate_right(1);
                }
            }
            #[cfg(feature = "spread")]
            Strategy::Spread => {
                let registrable = registrable(name.as_wire());
                // The highest hash wins, so that a name moves only when its own upstream comes or goes.
                upstreams.sort_by_cached_key(|upstream| std::cmp::Reverse(self.hash(registrable, *upstream)));
            }
        }
    }

    #[cfg(feature = "spread")]
    fn hash(&self, name: &[u8], upstream: usize) -> u64 {
        use std::hash::Hasher;
        let mut hasher = siphasher::sip::SipHasher13::new_with_key(&self.key);
        hasher.write(name);
        hasher.write_u8(u8::MAX);
        hasher.write(self.labels[upstream].as_bytes());
        hasher.finish()
    }
}

/// The registrable part of a name, in wire form: the public suffix and one label before it. The whole name,
/// where it is a public suffix itself.
#[cfg(feature = "spread")]
fn registrable(wire: &[u8]) -> &[u8] {
    use psl::Psl as _;
    let label = |start: &usize| &wire[start + 1..=start + usize::from(wire[*start])];
    let next = |start: &usize| Some(start + 1 + usize::from(wire[*start]));
    let starts =
        std::iter::successors(Some(0), next).take_while(|start| wire[*start] > 0).collect::<Vec<_>>();
    // The list counts the bytes of the suffix as it is written with dots.
    let suffix = psl::List.find(starts.iter().rev().map(label)).len;
    let mut bytes = 0;
    for start in starts.iter().rev() {
        if bytes >= suffix {
            return &wire[*start..];
        }
        bytes += label(start).len() + usize::from(bytes > 0);
    }
    wire
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn name(text: &str) -> QueryName {
        QueryName::parse(text).expect("a test's name")
    }

    fn arranged(
        strategy: Strategy,
        name: &QueryName,
        times: [Option<u64>; 3],
        random: &mut StdRng,
    ) -> Vec<usize> {
        let mut upstreams = vec![0, 1, 2];
        let time = |upstream: usize| times[upstream].map(Duration::from_millis);
        let labels = ["a", "b", "c"].map(Arc::from).to_vec();
        Order::new(strategy, [9; 16], labels).arrange(&mut upstreams, name, time, random);
        upstreams
    }

    #[test]
    fn the_fastest_is_first_the_unknown_before_it_and_few_queries_go_elsewhere() {
        let mut random = StdRng::from_seed([3; 32]);
        let example = name("example.com");
        let firsts = |times, random: &mut StdRng| {
            let mut firsts = [0; 3];
            (0..3200).for_each(|_| firsts[arranged(Strategy::Fastest, &example, times, random)[0]] += 1);
            firsts
        };
        let [slow, fast, slower] = firsts([Some(30), Some(10), Some(50)], &mut random);
        assert!(
            fast > 3000 && (20..100).contains(&slow) && (20..100).contains(&slower),
            "{slow} {fast} {slower}"
        );
        assert!(firsts([Some(30), Some(10), None], &mut random)[2] > 3000);
    }

    #[cfg(feature = "spread")]
    #[test]
    fn every_name_of_a_registrable_domain_goes_to_the_same_upstream_and_domains_are_spread() {
        let mut random = StdRng::from_seed([3; 32]);
        let mut order = |text: &str| arranged(Strategy::Spread, &name(text), [None; 3], &mut random);
        for (one, other) in [
            ("www.example.com", "mail.a.b.example.com"),
            ("example.co.uk", "www.example.co.uk"),
            ("WWW.example.org.", "example.org"),
        ] {
            assert_eq!(order(one), order(other), "{one} {other}");
        }
        let mut firsts = [0; 3];
        (0..3000).for_each(|number| firsts[order(&format!("domain{number}.co.uk"))[0]] += 1);
        assert!(firsts.iter().all(|count| (800..1200).contains(count)), "{firsts:?}");
    }

    #[cfg(feature = "spread")]
    #[test]
    fn the_registrable_name_is_the_public_suffix_and_one_label() {
        let part = |text: &str| registrable(name(text).as_wire()).to_vec();
        assert_eq!(part("a.b.example.co.uk"), name("example.co.uk").as_wire());
        assert_eq!(part("example.com"), name("example.com").as_wire());
        assert_eq!(part("com"), name("com").as_wire());
        assert_eq!(part("."), name(".").as_wire());
        assert_eq!(part("host.lan.unknowntld"), name("lan.unknowntld").as_wire());
    }
}
