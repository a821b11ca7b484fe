//! What makes two lookups the same: the keys of the cache and of single flight.

use std::fmt;
use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::message::{ClientSubnet, Query};

/// Stands for all that decides what a lookup's answer can be: name, type, DO, CD, client subnet and [`UpstreamSet`].
///
/// It is a `SipHash` of 128 bits with a secret of the cache. Nobody without the secret can find two lookups
/// with one key, and among the 2^32 entries that no cache ever has, the chance that any two have the same is
/// 2^-65; so a key is taken for what it stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CacheKey(u128);

/// Which upstreams may answer: one number for one set of upstreams.
///
/// It is part of the key, so that what a public resolver denies is never taken for an answer of the internal one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UpstreamSet(pub(crate) u64);

/// Where a query belongs in a resolver: which upstreams may answer it, and what stands for it in the cache and among the
/// lookups in flight. [`CacheResult::Miss`](crate::CacheResult::Miss) brings it, and [`Input::Miss`](crate::Input::Miss) takes it
/// along, so that a name is hashed once.
///
/// It is of use to the engines of the [`Shared`](crate::Shared) that it came from. To others it does no harm: they
/// answer, and may look for the answer in vain the next time.
#[derive(Clone, Copy, Debug)]
pub struct QueryKey {
    pub(crate) upstream_set: UpstreamSet,
    pub(crate) key: CacheKey,
}

impl UpstreamSet {
    pub(crate) fn one(upstream: usize) -> Self {
        Self(1 << upstream)
    }

    /// Its upstreams, in the order of the configuration.
    pub(crate) fn upstreams(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let index = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(index)
        })
    }
}

impl CacheKey {
    /// A number below `slots` for a table of so many, which the key may share with others.
    pub(crate) fn slot(self, slots: usize) -> usize {
        (self.0 % slots as u128) as usize
    }
}

#[cfg(test)]
impl CacheKey {
    pub(crate) fn for_test(number: u64) -> Self {
        Self(u128::from(number))
    }
}

/// Makes keys from lookups.
pub(super) struct Keyer {
    secret: SipHasher13,
}

/// What a key is for.
#[derive(Clone, Copy)]
enum Kind {
    /// An answer for a name and a type.
    Answer { type_number: u16 },
    /// A name that does not exist, whatever type is asked for (RFC 2308 Section 5).
    Denial,
}

impl Keyer {
    pub(super) fn new(secret: &[u8; 16]) -> Self {
        Self { secret: SipHasher13::new_with_key(secret) }
    }

    /// The key for the answer to the query.
    pub(super) fn answer(&self, query: &Query, upstream_set: UpstreamSet) -> CacheKey {
        let kind = Kind::Answer { type_number: query.type_number() };
        key(self.scope(kind, query, upstream_set), query.name().as_wire())
    }

    /// Makes the keys under which names are denied to queries that are like this one but for the name: from names
    /// in lower-case wire form.
    pub(super) fn denials(
        &self,
        query: &Query,
        upstream_set: UpstreamSet,
    ) -> impl Fn(&[u8]) -> CacheKey + use<> {
        let scope = self.scope(Kind::Denial, query, upstream_set);
        move |name| key(scope, name)
    }

    /// A hasher that has taken in all but the name. Its input has one reading: the first eight octets say what
    /// follows them, and the name comes last.
    fn scope(&self, kind: Kind, query: &Query, upstream_set: UpstreamSet) -> SipHasher13 {
        let (kind, [type_high, type_low]) = match kind {
            Kind::Answer { type_number } => (1, type_number.to_be_bytes()),
            Kind::Denial => (2, [0, 0]),
        };
        let (subnet, length, address) = match query.client_subnet() {
            ClientSubnet::Off => (0, 0, None),
            ClientSubnet::Withheld => (1, 0, None),
            ClientSubnet::Prefix { address: IpAddr::V4(address), length } => {
                (4, length, Some(address.to_ipv6_mapped()))
            }
            ClientSubnet::Prefix { address: IpAddr::V6(address), length } => (6, length, Some(address)),
        };
        let (dnssec_ok, checking_disabled) =
            (query.is_dnssec_ok().into(), query.is_checking_disabled().into());
        let mut hasher = self.secret;
        let head = [kind, type_high, type_low, dnssec_ok, checking_disabled, subnet, length, 0];
        hasher.write_u64(u64::from_be_bytes(head));
        hasher.write_u64(upstream_set.0);
        if let Some(address) = address {
            hasher.write(&address.octets());
        }
        hasher
    }
}

fn key(mut scope: SipHasher13, name: &[u8]) -> CacheKey {
    scope.write(name);
    CacheKey(scope.finish128().into())
}

#[expect(clippy::cast_possible_truncation, reason = "these are the parts of the key")]
impl CacheKey {
    /// The half by which the store finds an entry.
    pub(super) fn hash(self) -> u64 {
        self.0 as u64
    }

    /// The half by which an entry is known to be the right one.
    pub(super) fn proof(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// One of `slots` slots.
    pub(super) fn index(self, slots: usize) -> usize {
        self.hash() as usize % slots
    }

    /// Tells apart those that share a slot.
    pub(super) fn tag(self) -> u32 {
        (self.0 >> 96) as u32
    }
}

/// Keys are not printed: who has many of them with their names could work on the secret.
impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

/// Nor is the secret.
impl fmt::Debug for Keyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyer")
    }
}
