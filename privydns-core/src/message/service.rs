//! SVCB and HTTPS records, which describe the endpoints of a service (RFC 9460).

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::Name;

use super::record::Record;
use super::wire::u16_at;
use crate::error::MessageError;

/// The combined content of a name's SVCB or HTTPS records, as returned by
/// [`Answer::https`](super::Answer::https) and [`Answer::svcb`](super::Answer::svcb).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceBinding {
    /// The service is provided under another name (`AliasMode`). Look up the same type there, and if there
    /// are no records, the addresses of that name. The caller has to limit the number of aliases that it
    /// follows.
    Alias(Name),
    /// The endpoints of the service (`ServiceMode`), the most preferred first. If all are unusable, connect as
    /// if the name had no such records.
    Services(Vec<Service>),
}

/// One endpoint of a service: an SVCB or HTTPS record in `ServiceMode`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// The priority; lower values are preferred.
    pub priority: u16,
    /// The name whose addresses to connect to. If the record contains the root, this is the owner of the
    /// record.
    pub target: Name,
    /// The ALPN identifiers of the endpoint's protocols (RFC 7301), the default protocols last.
    pub alpn: Vec<Vec<u8>>,
    /// The port, if it differs from the default port of the service.
    pub port: Option<u16>,
    /// IPv4 addresses to use until the target's addresses are known.
    pub ipv4_hints: Vec<Ipv4Addr>,
    /// IPv6 addresses to use until the target's addresses are known.
    pub ipv6_hints: Vec<Ipv6Addr>,
    /// An `ECHConfigList` for Encrypted Client Hello.
    pub ech: Option<Vec<u8>>,
    /// The path template of DNS over HTTPS (RFC 9461).
    pub doh_path: Option<String>,
    /// The numbers of mandatory parameters. A client that does not support one of them must not use the
    /// endpoint. All of them are parameters with a field above.
    pub mandatory: Vec<u16>,
    /// Other parameters, by number.
    pub others: Vec<(u16, Vec<u8>)>,
}

/// The content of one record.
pub(super) enum Mode {
    Alias(Name),
    Service(Service),
    /// Not usable: has a mandatory parameter that is unknown or missing, or excludes the default protocols
    /// and names no others.
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

/// Reads a record. If any record is malformed, the whole set of records must be ignored (Section 2.2).
pub(super) fn read_binding(record: &Record<'_>, default_protocols: &[&[u8]]) -> Result<Mode, MessageError> {
    let malformed = MessageError::Data(record.record_type());
    let priority = u16_at(record.data_bytes(), 0).map_err(|_| malformed)?;
    let (target, mut parameters) = record.name_in_data(2).map_err(|_| malformed)?;
    if priority == 0 {
        // Parameters are ignored in `AliasMode` (Section 2.4.2).
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

    /// Stores a parameter. Returns `None` if the value is malformed.
    fn read(&mut self, key: u16, value: &[u8]) -> Option<()> {
        match key {
            MANDATORY => {
                self.mandatory = items(value, |bytes: [u8; 2]| u16::from_be_bytes(bytes))?;
                // In ascending order, without duplicates, and without `mandatory` itself (Section 8).
                let is_in_order = self.mandatory.is_sorted_by(|one, next| one < next);
                return (is_in_order && !self.mandatory.contains(&MANDATORY)).then_some(());
            }
            ALPN => self.alpn = protocols(value)?,
            NO_DEFAULT_ALPN => return value.is_empty().then_some(()),
            PORT => self.port = Some(u16::from_be_bytes(value.try_into().ok()?)),
            IPV4HINT => self.ipv4_hints = items(value, |bytes: [u8; 4]| bytes.into())?,
            ECH => self.ech = Some(value.to_vec()),
            IPV6HINT => self.ipv6_hints = items(value, |bytes: [u8; 16]| bytes.into())?,
            DOHPATH => self.doh_path = Some(std::str::from_utf8(value).ok()?.to_owned()),
            _ => self.others.push((key, value.to_vec())),
        }
        Some(())
    }

    /// Whether a parameter is known and present.
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

/// Parses one or more items of a fixed size.
fn items<const SIZE: usize, T>(value: &[u8], item: impl Fn([u8; SIZE]) -> T) -> Option<Vec<T>> {
    if value.is_empty() || !value.len().is_multiple_of(SIZE) {
        return None;
    }
    Some(value.chunks_exact(SIZE).filter_map(|bytes| bytes.try_into().ok()).map(item).collect())
}

/// Parses one or more protocol names, each after a length byte and not empty (Section 7.1.1).
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
