//! Queries: the question and its options.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_proto::rr::RecordType;

use super::name::QueryName;
use crate::error::Error;
use crate::protocol::Protocol;

/// One question in class IN, with options.
///
/// The defaults favour privacy: queries are padded and have no client subnet. Any protocol of the upstreams
/// may be used.
///
/// ```
/// use std::time::Duration;
/// use privydns_core::{CacheUse, Query, RecordType};
///
/// let query = Query::new("example.com", RecordType::A)?
///     .dnssec_ok(true)
///     .with_cache_use(CacheUse::Bypass)
///     .with_timeout(Duration::from_secs(2));
/// assert_eq!(query.name().to_string(), "example.com.");
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    name: QueryName,
    record_type: u16,
    dnssec_ok: bool,
    checking_disabled: bool,
    padded: bool,
    cache_use: CacheUse,
    protocol: Option<Protocol>,
    subnet: ClientSubnet,
    timeout: Option<Duration>,
}

/// How a lookup uses the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheUse {
    /// Answers from the cache if possible; otherwise queries an upstream and caches the answer.
    #[default]
    Normal,
    /// Always queries an upstream, and caches the answer.
    Bypass,
    /// Answers only from the cache. Without a cached answer, the lookup fails.
    Only,
}

/// The client's network, as disclosed to upstreams (EDNS Client Subnet, RFC 7871).
///
/// ```
/// use privydns_core::{ClientSubnet, Query, RecordType};
///
/// let subnet = ClientSubnet::Prefix { address: "192.0.2.77".parse().unwrap(), length: 24 };
/// let query = Query::new("example.com", RecordType::A)?.with_client_subnet(subnet);
/// let told = ClientSubnet::Prefix { address: "192.0.2.0".parse().unwrap(), length: 24 };
/// assert_eq!(query.client_subnet(), told);
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientSubnet {
    /// The option is not sent.
    #[default]
    Off,
    /// The option is sent with source prefix length 0, which asks the resolver not to disclose the client's
    /// network. A resolver must not replace it by the network that it sees (RFC 7871 Section 7.1.2, RFC 8310
    /// Section 11.1).
    Withheld,
    /// The option is sent with an address prefix. Bits after the prefix are cleared. A length beyond the
    /// address's is reduced to the whole address.
    Prefix {
        /// An address in the network.
        address: IpAddr,
        /// The prefix length in bits.
        length: u8,
    },
}

impl Query {
    /// A query for the records of one type at a name, which is parsed by [`QueryName::parse`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`](crate::ErrorKind::Name) if the name is invalid.
    pub fn new(name: &str, record_type: RecordType) -> Result<Self, Error> {
        Ok(Self::for_name(QueryName::parse(name)?, record_type))
    }

    /// A query for the records of one type at a name.
    pub fn for_name(name: QueryName, record_type: RecordType) -> Self {
        Self {
            name,
            record_type: record_type.into(),
            dnssec_ok: false,
            checking_disabled: false,
            padded: true,
            cache_use: CacheUse::Normal,
            protocol: None,
            subnet: ClientSubnet::Off,
            timeout: None,
        }
    }

    /// A query for the name of an address: PTR records in `in-addr.arpa` or `ip6.arpa`.
    ///
    /// ```
    /// # use privydns_core::Query;
    /// let query = Query::reverse("192.0.2.7".parse().unwrap());
    /// assert_eq!(query.name().to_string(), "7.2.0.192.in-addr.arpa.");
    /// ```
    pub fn reverse(address: IpAddr) -> Self {
        Self::for_name(QueryName::reverse(address), RecordType::PTR)
    }

    /// Requests DNSSEC records with the answer (DO, RFC 3225). Off by default.
    pub fn dnssec_ok(mut self, on: bool) -> Self {
        self.dnssec_ok = on;
        self
    }

    /// Requests the answer even if it fails validation (CD, RFC 4035 Section 3.2.2). Off by default.
    pub fn checking_disabled(mut self, on: bool) -> Self {
        self.checking_disabled = on;
        self
    }

    /// Sets which part of the client's network is disclosed. [`ClientSubnet::Off`] by default.
    pub fn with_client_subnet(mut self, subnet: ClientSubnet) -> Self {
        self.subnet = subnet.cut();
        self
    }

    /// Pads the query to a multiple of 128 bytes, which hides the length of the name (RFC 8467 Section 4.1).
    /// On by default.
    pub fn padding(mut self, on: bool) -> Self {
        self.padded = on;
        self
    }

    /// Restricts the query to upstreams with this protocol. Any protocol by default.
    pub fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Sets the maximum duration of the whole lookup, in place of the resolver's timeout.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how the lookup uses the cache. [`CacheUse::Normal`] by default.
    pub fn with_cache_use(mut self, cache_use: CacheUse) -> Self {
        self.cache_use = cache_use;
        self
    }

    /// The queried name.
    pub fn name(&self) -> &QueryName {
        &self.name
    }

    /// The queried record type.
    pub fn record_type(&self) -> RecordType {
        self.record_type.into()
    }

    /// The number of the queried record type.
    pub(crate) fn type_number(&self) -> u16 {
        self.record_type
    }

    /// Whether DNSSEC records are requested (DO).
    pub fn is_dnssec_ok(&self) -> bool {
        self.dnssec_ok
    }

    /// Whether an answer is accepted that fails validation (CD).
    pub fn is_checking_disabled(&self) -> bool {
        self.checking_disabled
    }

    /// Whether the query sets AD, which requests a meaningful AD bit in the answer (RFC 6840 Section 5.7).
    /// With CD the result of validation is not requested.
    pub(crate) fn asks_for_authentication(&self) -> bool {
        !self.checking_disabled
    }

    /// The part of the client's network that is disclosed.
    pub fn client_subnet(&self) -> ClientSubnet {
        self.subnet
    }

    /// Whether the query is padded.
    pub fn is_padded(&self) -> bool {
        self.padded
    }

    /// The only protocol that may be used, or `None` for any.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// The maximum duration of the whole lookup, or `None` for the resolver's timeout.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How the lookup uses the cache.
    pub fn cache_use(&self) -> CacheUse {
        self.cache_use
    }
}

impl ClientSubnet {
    /// The network in canonical form: no bits are set after the prefix.
    fn cut(self) -> Self {
        let Self::Prefix { address, length } = self else { return self };
        match address {
            IpAddr::V4(v4) => {
                let length = length.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                Self::Prefix { address: Ipv4Addr::from_bits(v4.to_bits() & mask).into(), length }
            }
            IpAddr::V6(v6) => {
                let length = length.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                Self::Prefix { address: Ipv6Addr::from_bits(v6.to_bits() & mask).into(), length }
            }
        }
    }
}
