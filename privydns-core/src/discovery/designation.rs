//! What one SVCB record says about a resolver (RFC 9461).

use std::net::IpAddr;

use hickory_proto::rr::Name;
use hickory_proto::rr::rdata::svcb::{SVCB, SvcParamKey, SvcParamValue};

use crate::message::{Answer, QueryName};
use crate::upstream::{Template, Upstream};

/// The number of the parameter `dohpath` (RFC 9461 Section 9.1).
const DOHPATH: SvcParamKey = SvcParamKey::Unknown(7);
/// Addresses of one resolver that are taken into account.
pub(super) const MAX_ADDRESSES: usize = 16;

/// An SVCB record.
pub(super) struct Binding {
    pub(super) owner: Name,
    pub(super) data: SVCB,
}

/// An encrypted resolver that can be spoken to.
#[derive(Clone, Debug)]
pub(super) struct Designation {
    pub(super) target: QueryName,
    addresses: Vec<IpAddr>,
    port: Option<u16>,
    protocols: Vec<Spoken>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Spoken {
    Tls,
    Https(Template),
}

impl Designation {
    /// Reads a record, with the addresses that came along in the answer. The error is why it is passed over.
    pub(super) fn read(binding: &Binding, answer: &Answer) -> Result<Self, &'static str> {
        let parameters = Parameters(&binding.data);
        parameters.check_mandatory()?;
        let target = target(binding)?;
        let protocols = parameters.protocols()?;
        if protocols.is_empty() {
            return Err("no protocol that is spoken here");
        }
        let mut designation = Self { target, addresses: Vec::new(), port: parameters.port(), protocols };
        designation.extend_addresses(additional_addresses(answer, &designation.target));
        // Address records are better than hints (RFC 9460 Section 7.3).
        if !designation.has_addresses() {
            designation.extend_addresses(parameters.hints());
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

    /// The upstreams that it comes to, in the place of the one asked.
    pub(super) fn upstreams(&self, asked: &Upstream) -> Vec<Upstream> {
        let upstream = |spoken: &Spoken| {
            let template = match spoken {
                Spoken::Tls => None,
                Spoken::Https(template) => Some(template.clone()),
            };
            asked.designated(template, self.port, &self.addresses)
        };
        self.protocols.iter().filter_map(upstream).collect()
    }
}

/// The name that has the addresses. Below `resolver.arpa` there are none to be asked for (RFC 9462 Section 4).
fn target(binding: &Binding) -> Result<QueryName, &'static str> {
    let target = &binding.data.target_name;
    let target = if target.is_root() { &binding.owner } else { target };
    let target = QueryName::from_labels(target.iter()).map_err(|_| "a target that is no name")?;
    let labels: Vec<_> = target.labels().collect();
    if labels.ends_with(&[b"resolver", b"arpa"]) { Err("a target below resolver.arpa") } else { Ok(target) }
}

fn additional_addresses(answer: &Answer, name: &QueryName) -> Vec<IpAddr> {
    let name = name.to_name();
    let own = answer.additionals().filter(|record| record.name() == name);
    own.filter_map(|record| record.address()).collect()
}

/// The parameters of a record, each there at most once.
struct Parameters<'a>(&'a SVCB);

impl Parameters<'_> {
    fn find(&self, wanted: SvcParamKey) -> Option<&SvcParamValue> {
        self.0.svc_params.iter().find(|(key, _)| *key == wanted).map(|(_, value)| value)
    }

    /// All that is mandatory has to be there and to be understood (RFC 9460 Section 8).
    fn check_mandatory(&self) -> Result<(), &'static str> {
        use SvcParamKey::{Alpn, Ipv4Hint, Ipv6Hint, NoDefaultAlpn, Port};
        let Some(SvcParamValue::Mandatory(keys)) = self.find(SvcParamKey::Mandatory) else { return Ok(()) };
        let understood = [Alpn, NoDefaultAlpn, Port, Ipv4Hint, Ipv6Hint, DOHPATH];
        if keys.0.iter().all(|key| understood.contains(key) && self.find(*key).is_some()) {
            Ok(())
        } else {
            Err("a mandatory parameter that is unknown, or not there")
        }
    }

    /// What is spoken, in the order of the record. There is no default (RFC 9461 Section 4.1): a record that does
    /// not say is incompatible. Over HTTP the versions are negotiated in any case (RFC 9460 Section 7.1.2).
    fn protocols(&self) -> Result<Vec<Spoken>, &'static str> {
        let Some(SvcParamValue::Alpn(alpn)) = self.find(SvcParamKey::Alpn) else {
            return Err("no application protocols");
        };
        let mut protocols = Vec::new();
        for protocol in &alpn.0 {
            let spoken = match protocol.as_str() {
                "dot" => Some(Spoken::Tls),
                "h2" | "http/1.1" => self.template().map(Spoken::Https),
                _ => None,
            };
            protocols.extend(spoken.filter(|spoken| !protocols.contains(spoken)));
        }
        Ok(protocols)
    }

    /// The path of DNS over HTTPS, without which there is none (RFC 9461 Section 5).
    fn template(&self) -> Option<Template> {
        let Some(SvcParamValue::Unknown(path)) = self.find(DOHPATH) else { return None };
        Template::of_dohpath(std::str::from_utf8(&path.0).ok()?)
    }

    /// The port, where it is not that of the protocol (RFC 9461 Section 4.2).
    fn port(&self) -> Option<u16> {
        match self.find(SvcParamKey::Port) {
            Some(SvcParamValue::Port(port)) => Some(*port),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<IpAddr> {
        let mut hints = Vec::new();
        if let Some(SvcParamValue::Ipv6Hint(addresses)) = self.find(SvcParamKey::Ipv6Hint) {
            hints.extend(addresses.0.iter().map(|address| IpAddr::from(address.0)));
        }
        if let Some(SvcParamValue::Ipv4Hint(addresses)) = self.find(SvcParamKey::Ipv4Hint) {
            hints.extend(addresses.0.iter().map(|address| IpAddr::from(address.0)));
        }
        hints
    }
}
