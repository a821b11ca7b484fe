//! SVCB and HTTPS records: where a service is, and how it is spoken to (RFC 9460).

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::Name;

use super::error::MessageError;
use super::record::Record;
use super::wire::u16_at;

/// What the SVCB or HTTPS records of a name say together: what [`Answer::https`](super::Answer::https) and
/// [`Answer::svcb`](super::Answer::svcb) give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceBinding {
    /// The name stands for another one (`AliasMode`): look up the same type there, or failing that its addresses.
    /// How many aliases to follow is for the caller to limit.
    Alias(Name),
    /// The endpoints that serve (`ServiceMode`), the preferred first. Without any that can be used, connect as if
    /// there were no such records.
    Services(Vec<Service>),
}

/// One endpoint of a service: an SVCB or HTTPS record in `ServiceMode`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// The less, the more it is preferred.
    pub priority: u16,
    /// The name whose addresses to connect to. Where the record has the root, it is the record's own.
    pub target: Name,
    /// The application protocols that are spoken there, as in ALPN (RFC 7301), the defaults last.
    pub alpn: Vec<Vec<u8>>,
    /// The port, if it is not that of the service asked for.
    pub port: Option<u16>,
    /// Addresses to use until those of the target are known.
    pub ipv4_hints: Vec<Ipv4Addr>,
    /// Addresses to use until those of the target are known.
    pub ipv6_hints: Vec<Ipv6Addr>,
    /// An `ECHConfigList` for Encrypted Client Hello.
    pub ech: Option<Vec<u8>>,
    /// The path template of DNS over HTTPS (RFC 9461).
    pub doh_path: Option<String>,
    /// The parameters without which the endpoint must not be used. All are of those above; who does not use one of
    /// them passes over an endpoint that has it here.
    pub mandatory: Vec<u16>,
    /// Further parameters, by number.
    pub others: Vec<(u16, Vec<u8>)>,
}

/// What one record says.
pub(super) enum Mode {
    Alias(Name),
    Service(Service),
    /// It cannot be used by those who know no other parameters than these, or contradicts itself.
    Incompatible,
}

// The parameters (RFC 9460 Section 14.3.2, RFC 9461 Section 9.1).
const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;

/// Reads a record. An error means that it is malformed, for which all its kind is to be left aside (Section 2.2).
pub(super) fn read_binding(record: &Record<'_>, default_protocols: &[&[u8]]) -> Result<Mode, MessageError> {
    let malformed = MessageError::Data(record.record_type());
    let priority = u16_at(record.data_bytes(), 0).map_err(|_| malformed)?;
    let (target, mut parameters) = record.name_in_data(2).map_err(|_| malformed)?;
    if priority == 0 {
        // Parameters mean nothing here (Section 2.4.2).
        return Ok(Mode::Alias(target));
    }
    let target = if target.is_root() { record.name() } else { target };
    let mut service = Service::new(priority, target);
    let (mut last, mut has_default) = (None, true);
    while !parameters.is_empty() {
        let (key, value) = next_parameter(&mut parameters).ok_or(malformed)?;
        if last.is_some_and(|last| last >= key) {
            return Err(malformed);
        }
        last = Some(key);
        has_default &= key != NO_DEFAULT_ALPN;
        service.read(key, value).ok_or(malformed)?;
    }
    let is_compatible = service.mandatory.iter().all(|key| service.has(*key, has_default));
    if !is_compatible || !has_default && service.alpn.is_empty() {
        return Ok(Mode::Incompatible);
    }
    if has_default {
        let defaults = default_protocols.iter().map(|protocol| protocol.to_vec());
        let new = defaults.filter(|protocol| !service.alpn.contains(protocol)).collect::<Vec<_>>();
        service.alpn.extend(new);
    }
    Ok(Mode::Service(service))
}

fn next_parameter<'a>(parameters: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let (key, rest) = parameters.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    *parameters = rest;
    Some((u16::from_be_bytes(*key), value))
}

impl Service {
    fn new(priority: u16, target: Name) -> Self {
        Self {
            priority,
            target,
            alpn: Vec::new(),
            port: None,
            ipv4_hints: Vec::new(),
            ipv6_hints: Vec::new(),
            ech: None,
            doh_path: None,
            mandatory: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Takes in a parameter, unless its value is malformed.
    fn read(&mut self, key: u16, value: &[u8]) -> Option<()> {
        match key {
            MANDATORY => {
                self.mandatory = items(value, |octets: [u8; 2]| u16::from_be_bytes(octets))?;
                // In order, none twice, and not itself (Section 8).
                let is_in_order = self.mandatory.is_sorted_by(|one, next| one < next);
                return (is_in_order && !self.mandatory.contains(&MANDATORY)).then_some(());
            }
            ALPN => self.alpn = protocols(value)?,
            NO_DEFAULT_ALPN => return value.is_empty().then_some(()),
            PORT => self.port = Some(u16::from_be_bytes(value.try_into().ok()?)),
            IPV4HINT => self.ipv4_hints = items(value, |octets: [u8; 4]| octets.into())?,
            ECH => self.ech = Some(value.to_vec()),
            IPV6HINT => self.ipv6_hints = items(value, |octets: [u8; 16]| octets.into())?,
            DOHPATH => self.doh_path = Some(std::str::from_utf8(value).ok()?.to_owned()),
            _ => self.others.push((key, value.to_vec())),
        }
        Some(())
    }

    /// Whether a parameter is known here, and there.
    fn has(&self, key: u16, has_default: bool) -> bool {
        match key {
            ALPN => !self.alpn.is_empty(),
            NO_DEFAULT_ALPN => !has_default,
            PORT => self.port.is_some(),
            IPV4HINT => !self.ipv4_hints.is_empty(),
            ECH => self.ech.is_some(),
            IPV6HINT => !self.ipv6_hints.is_empty(),
            DOHPATH => self.doh_path.is_some(),
            _ => false,
        }
    }
}

/// Items of a fixed size, at least one.
fn items<const SIZE: usize, T>(value: &[u8], item: impl Fn([u8; SIZE]) -> T) -> Option<Vec<T>> {
    if value.is_empty() || !value.len().is_multiple_of(SIZE) {
        return None;
    }
    Some(value.chunks_exact(SIZE).filter_map(|octets| octets.try_into().ok()).map(item).collect())
}

/// Protocols behind an octet of length each, at least one, and none empty (Section 7.1.1).
fn protocols(mut value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut protocols = Vec::new();
    while let Some((&length, rest)) = value.split_first() {
        let (protocol, rest) = rest.split_at_checked(length.into())?;
        if protocol.is_empty() {
            return None;
        }
        protocols.push(protocol.to_vec());
        value = rest;
    }
    (!protocols.is_empty()).then_some(protocols)
}
