//! What to ask, and how.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_proto::rr::RecordType;

use super::name::QueryName;
use crate::error::Error;
use crate::upstream::Protocol;

/// One question in class IN, with the options it is asked with.
///
/// What is not set is as private as can be: padded, without a client subnet, over whatever protocol the
/// upstreams speak.
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

/// What a lookup may do with the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheUse {
    /// Answers from the cache where it can, else asks, and keeps what comes.
    #[default]
    Normal,
    /// Asks an upstream in any case, and keeps what comes.
    Bypass,
    /// Answers from the cache, or not at all.
    Only,
}

/// What is told about the network of the one who asks (EDNS Client Subnet, RFC 7871).
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
    /// Nothing: no option is sent.
    #[default]
    Off,
    /// The wish that nothing be told: a source prefix of length 0, which a resolver must not replace by what it
    /// sees (RFC 7871 Section 7.1.2, RFC 8310 Section 11.1).
    Withheld,
    /// The first bits of an address. Bits after the prefix are cleared, and a prefix longer than the address is
    /// the whole address.
    Prefix {
        /// An address in the network.
        address: IpAddr,
        /// How many of its bits are told.
        length: u8,
    },
}

impl Query {
    /// Asks for the records of one type at a name, which [`QueryName::parse`] reads.
    ///
    /// The error's kind is [`ErrorKind::Name`](crate::ErrorKind::Name).
    pub fn new(name: &str, record_type: RecordType) -> Result<Self, Error> {
        Ok(Self::for_name(QueryName::parse(name)?, record_type))
    }

    /// Asks for the records of one type at a name.
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

    /// Asks for the name of an address: PTR records in `in-addr.arpa` or `ip6.arpa`.
    ///
    /// ```
    /// # use privydns_core::Query;
    /// let query = Query::reverse("192.0.2.7".parse().unwrap());
    /// assert_eq!(query.name().to_string(), "7.2.0.192.in-addr.arpa.");
    /// ```
    pub fn reverse(address: IpAddr) -> Self {
        Self::for_name(QueryName::reverse(address), RecordType::PTR)
    }

    /// Asks for DNSSEC records beside the answer (DO, RFC 3225). Off by default.
    pub fn dnssec_ok(mut self, on: bool) -> Self {
        self.dnssec_ok = on;
        self
    }

    /// Asks for the answer even if it does not validate (CD, RFC 4035 Section 3.2.2). Off by default.
    pub fn checking_disabled(mut self, on: bool) -> Self {
        self.checking_disabled = on;
        self
    }

    /// What is told about the network of the one who asks. Nothing by default.
    pub fn with_client_subnet(mut self, subnet: ClientSubnet) -> Self {
        self.subnet = subnet.cut();
        self
    }

    /// Pads the query to a multiple of 128 octets, which hides the length of the name (RFC 8467 Section 4.1). On
    /// by default.
    pub fn padding(mut self, on: bool) -> Self {
        self.padded = on;
        self
    }

    /// Asks only upstreams that speak this protocol. Any by default.
    pub fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// The time that the whole lookup may take, in place of the resolver's own.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What the lookup may do with the cache.
    pub fn with_cache_use(mut self, cache_use: CacheUse) -> Self {
        self.cache_use = cache_use;
        self
    }

    /// The name asked for.
    pub fn name(&self) -> &QueryName {
        &self.name
    }

    /// The type of the records asked for.
    pub fn record_type(&self) -> RecordType {
        self.record_type.into()
    }

    /// The type's number.
    pub(crate) fn type_number(&self) -> u16 {
        self.record_type
    }

    /// Whether DNSSEC records are asked for (DO).
    pub fn is_dnssec_ok(&self) -> bool {
        self.dnssec_ok
    }

    /// Whether an answer is wanted that does not validate (CD).
    pub fn is_checking_disabled(&self) -> bool {
        self.checking_disabled
    }

    /// Whether the query says that it understands the answer's AD bit, by setting its own (RFC 6840 Section 5.7).
    /// Who disables checking does not ask what checking found.
    pub(crate) fn asks_for_authentication(&self) -> bool {
        !self.checking_disabled
    }

    /// What is told about the network of the one who asks.
    pub fn client_subnet(&self) -> ClientSubnet {
        self.subnet
    }

    /// Whether the query is padded.
    pub fn is_padded(&self) -> bool {
        self.padded
    }

    /// The only protocol that may carry the query, if one was chosen.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// The time that the whole lookup may take, if it was chosen for this query.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What the lookup may do with the cache.
    pub fn cache_use(&self) -> CacheUse {
        self.cache_use
    }
}

impl ClientSubnet {
    /// The same network in its one form: no bit set after the prefix.
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
