//! Keys of the cache and of single flight: which lookups count as equal.

use std::fmt;
use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::message::{ClientSubnet, Query};

/// A hash of everything that determines a lookup's answer: name, type, DO, CD, client subnet and
/// [`UpstreamSet`].
/// The hash is a 128-bit `SipHash` with a secret of the cache. Without the secret, two lookups with the same
/// key cannot be found. Among 2^32 entries, more than any cache holds, the chance that any two have the same
/// key is 2^-65. Equal keys therefore count as equal lookups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CacheKey(u128);

/// The upstreams that may answer a lookup, as a bit set.
///
/// The set is part of the key, so that a denial by a public resolver is never used as an answer of an
/// internal one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UpstreamSet(pub(crate) u64);

/// Identifies a query within a resolver: the upstreams that may answer, and the key in the cache and among the
/// lookups in flight. [`CacheResult::Miss`](crate::engine::CacheResult::Miss) returns it and
/// [`Input::Miss`](crate::engine::Input::Miss) accepts it, so that a name is hashed only once.
///
/// The key is meant for engines of the [`Shared`](crate::engine::Shared) that made it. Passing it to another engine
/// is harmless: the lookup is answered, but the answer may be cached under a key at which later lookups do
/// not find it.
#[derive(Clone, Copy, Debug)]
pub struct QueryKey {
    pub(crate) upstream_set: UpstreamSet,
    pub(crate) key: CacheKey,
}

impl UpstreamSet {
    pub(crate) fn one(upstream: usize) -> Self {
        Self(1 << upstream)
    }

    /// The indices of the upstreams, in the order of the configuration.
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
    /// An index below `slots` for a table of that size. Several keys may have the same index.
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

/// Computes keys from lookups.
pub(super) struct Keyer {
    secret: SipHasher13,
}

/// The kinds of entries that have keys.
#[derive(Clone, Copy)]
enum Kind {
    /// An answer for a name and a type.
    Answer { type_number: u16 },
    /// A denial of a name, which covers all types (RFC 2308 Section 5).
    Denial,
}

impl Keyer {
    pub(super) fn new(secret: &[u8; 16]) -> Self {
        Self { secret: SipHasher13::new_with_key(secret) }
    }

    /// The key of the answer to the query.
    pub(super) fn answer(&self, query: &Query, upstream_set: UpstreamSet) -> CacheKey {
        let kind = Kind::Answer { type_number: query.type_number() };
        key(self.scope(kind, query, upstream_set), query.name().as_wire())
    }

    /// A function from names, in lower-case wire form, to the keys of their denials. Apart from the name, the
    /// keys are for queries like this one.
    pub(super) fn denials(
        &self,
        query: &Query,
        upstream_set: UpstreamSet,
    ) -> impl Fn(&[u8]) -> CacheKey + use<> {
        let scope = self.scope(Kind::Denial, query, upstream_set);
        move |name| key(scope, name)
    }

    /// A hasher that has processed everything but the name. The input is unambiguous: the first eight bytes
    /// determine which fields follow, and the name comes last.
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
    /// The half that the store uses to find an entry.
    pub(super) fn hash(self) -> u64 {
        self.0 as u64
    }

    /// The half that verifies that an entry belongs to the key.
    pub(super) fn proof(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// An index below `slots`, from the half that the store uses.
    pub(super) fn index(self, slots: usize) -> usize {
        self.hash() as usize % slots
    }

    /// Distinguishes keys with the same index.
    pub(super) fn tag(self) -> u32 {
        (self.0 >> 96) as u32
    }
}

/// Does not print the key: many keys together with their names would allow attacks on the secret.
impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

/// Does not print the secret.
impl fmt::Debug for Keyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyer")
    }
}
