//! The designation of a resolver in one SVCB record (RFC 9461).

use std::net::IpAddr;

use crate::message::{Answer, QueryName, Service};
use crate::upstream::{Template, Upstream};

/// The number of the parameter for Encrypted Client Hello, which is not supported.
const ECH: u16 = 5;
/// The maximum number of addresses per resolver.
pub(super) const MAX_ADDRESSES: usize = 16;

/// A designated resolver with at least one supported protocol.
#[derive(Clone, Debug)]
pub(super) struct Designation {
    pub(super) target: QueryName,
    addresses: Vec<IpAddr>,
    port: Option<u16>,
    protocols: Vec<DesignatedProtocol>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DesignatedProtocol {
    Tls,
    Https(Template),
}

impl Designation {
    /// Reads a record and the addresses in the additional section of the answer. The error is the reason for skipping the
    /// record.
    pub(super) fn read(service: &Service, answer: &Answer) -> Result<Self, &'static str> {
        if service.mandatory.contains(&ECH) {
            return Err("Encrypted Client Hello is mandatory");
        }
        let target = target(service)?;
        let protocols = protocols(service);
        if protocols.is_empty() {
            return Err("no supported protocol");
        }
        let mut designation = Self { target, addresses: Vec::new(), port: service.port, protocols };
        designation.extend_addresses(additional_addresses(answer, &designation.target));
        // Address records take precedence over hints (RFC 9460 Section 7.3).
        if !designation.has_addresses() {
            designation.extend_addresses(service.ipv6_hints.iter().copied().map(IpAddr::from));
            designation.extend_addresses(service.ipv4_hints.iter().copied().map(IpAddr::from));
        }
        Ok(designation)
    }

    pub(super) fn has_addresses(&self) -> bool {
        !self.addresses.is_empty()
    }

    pub(super) fn extend_addresses(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        let room = MAX_ADDRESSES.saturating_sub(self.addresses.len());
        self.addresses.extend(addresses.into_iter().take(room));
    }

    /// The upstreams for this designation by `asked`, one for each protocol.
    pub(super) fn upstreams(&self, asked: &Upstream) -> Vec<Upstream> {
        let upstream = |transport: &DesignatedProtocol| {
            let template = match transport {
                DesignatedProtocol::Tls => None,
                DesignatedProtocol::Https(template) => Some(template.clone()),
            };
            asked.designated(template, self.port, &self.addresses)
        };
        self.protocols.iter().filter_map(upstream).collect()
    }
}

/// The name whose addresses are used. Names below `resolver.arpa` have no addresses (RFC 9462 Section 4).
fn target(service: &Service) -> Result<QueryName, &'static str> {
    let target = QueryName::from_labels(service.target.iter()).map_err(|_| "invalid target name")?;
    let labels: Vec<_> = target.labels().collect();
    if labels.ends_with(&[b"resolver", b"arpa"]) { Err("a target below resolver.arpa") } else { Ok(target) }
}

fn additional_addresses(answer: &Answer, name: &QueryName) -> Vec<IpAddr> {
    let name = name.to_name();
    let own = answer.additionals().filter(|record| record.name() == name);
    own.filter_map(|record| record.address()).collect()
}

/// The supported protocols in the order of the record. There is no default protocol (RFC 9461 Section 4.1), so a record
/// without ALPN is incompatible. The version of HTTP is negotiated in any case (RFC 9460 Section 7.1.2).
fn protocols(service: &Service) -> Vec<DesignatedProtocol> {
    let mut protocols = Vec::new();
    for protocol in &service.alpn {
        let transport = match &protocol[..] {
            b"dot" => Some(DesignatedProtocol::Tls),
            // DNS over HTTPS requires a path (RFC 9461 Section 5).
            b"h2" | b"http/1.1" => {
                service.doh_path.as_deref().and_then(Template::of_dohpath).map(DesignatedProtocol::Https)
            }
            _ => None,
        };
        protocols.extend(transport.filter(|transport| !protocols.contains(transport)));
    }
    protocols
}
