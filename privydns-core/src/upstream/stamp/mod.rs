//! DNS stamps, the format of upstreams in lists of public resolvers (draft-denis-dns-stamps).

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use hickory_proto::rr::Name;
use rustls::pki_types::ServerName;

use super::parse::{self, Host, PLAINTEXT, QUIC, Scheme};
use super::{Identity, Template, Upstream};
use crate::error::{ConfigError, Error};
use crate::syntax::{SyntaxError, SyntaxProblem};
use crate::tls::TbsHash;

/// A DNS stamp: an upstream with at most one address, and properties that its operator claims. The text is `sdns://`
/// and base64; [`Display`](fmt::Display) prints this text.
///
/// [`Upstream`] parses stamps, too. This type gives access to the operator's claims and creates stamps, starting with
/// [`Upstream::to_stamp`].
///
/// ```
/// use privydns_core::Upstream;
/// use privydns_core::Stamp;
///
/// let text = "sdns://AgcAAAAAAAAABzEuMC4wLjEAEmRucy5jbG91ZGZsYXJlLmNvbQovZG5zLXF1ZXJ5";
/// let stamp: Stamp = text.parse()?;
/// assert!(stamp.properties.no_logs);
/// assert_eq!(stamp.upstream().to_string(), "https://dns.cloudflare.com/dns-query#ip=1.0.0.1");
/// assert_eq!(stamp.to_string(), text);
///
/// let mut stamp = Upstream::tls("192.0.2.1#dns.example")?.to_stamp()?;
/// stamp.properties.dnssec = true;
/// assert_eq!(stamp.to_string(), "sdns://AwEAAAAAAAAACTE5Mi4wLjIuMQALZG5zLmV4YW1wbGU");
/// # Ok::<(), privydns_core::Error>(())
/// ```
///
/// The hashes of certificates in a stamp are enforced ([`Upstream::tbs_hash`]). The addresses of bootstrap resolvers
/// are checked and ignored, because they are for DNS in clear text. The error for stamps of other protocols names the
/// protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The properties that the operator claims.
    pub properties: StampProperties,
    upstream: Upstream,
}

/// The properties that an operator claims in a [`Stamp`]. They are not verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StampProperties {
    /// The resolver validates DNSSEC.
    pub dnssec: bool,
    /// The resolver keeps no logs.
    pub no_logs: bool,
    /// The resolver does not filter.
    pub no_filter: bool,
}

const DOH: u8 = 2;
const DOT: u8 = 3;

/// The bit in the length of a set's element that announces another element.
const MORE: u8 = 0x80;

impl Stamp {
    /// The upstream.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(super) fn into_upstream(self) -> Upstream {
        self.upstream
    }

    /// Parses the base64 after `sdns://`.
    pub(super) fn read(base64: &str) -> Result<Self, SyntaxProblem<'_>> {
        let bytes = BASE64URL_NOPAD.decode(base64.as_bytes()).map_err(|error| {
            let rest = base64.get(error.position..).unwrap_or(base64);
            (rest, "not base64 in the alphabet of URLs, without padding (RFC 4648 Section 5)")
        })?;
        Reader { base64, bytes: &bytes, at: 0 }.stamp()
    }
}

impl Upstream {
    /// Converts the upstream to a [`Stamp`]. A stamp contains only the first address, and no settings that are not part
    /// of the upstream's text.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for an upstream with pins, because a stamp cannot contain pins and its users would
    /// authenticate the server less strictly. The same error for a name or a path that is too long for a stamp.
    pub fn to_stamp(&self) -> Result<Stamp, Error> {
        let broken = |problem| Err(ConfigError::Setting { setting: "to_stamp", problem }.into());
        if !self.tls.pins.is_empty() {
            return broken("a stamp cannot contain pins, only hashes of certificates");
        }
        if !has_room(&host(self)) || self.template().is_some_and(|path| !has_room(path.path_and_query())) {
            return broken("names and paths in a stamp have at most 255 bytes");
        }
        // The stamp is parsed again, so that its value equals the value for other readers.
        encode(self, StampProperties::default()).parse()
    }
}

impl StampProperties {
    fn from_bits(bits: u64) -> Self {
        Self { dnssec: bits & 1 != 0, no_logs: bits & 2 != 0, no_filter: bits & 4 != 0 }
    }

    fn bits(self) -> u64 {
        u64::from(self.dnssec) | u64::from(self.no_logs) << 1 | u64::from(self.no_filter) << 2
    }
}

/// A reader of the bytes of a stamp. An error in a field refers to the characters of base64 that contain the field.
struct Reader<'a, 'b> {
    base64: &'a str,
    bytes: &'b [u8],
    at: usize,
}

type Field = Range<usize>;

impl<'a> Reader<'a, '_> {
    fn stamp(&mut self) -> Result<Stamp, SyntaxProblem<'a>> {
        let protocol = self.take(1)?;
        let scheme = match self.bytes[protocol.start] {
            DOT => Scheme::Tls,
            DOH => Scheme::Https,
            other => return Err((self.text_of(&protocol), refusal(other))),
        };
        let bits = self.take(8)?;
        let bits = self.bytes[bits].iter().rfold(0, |bits, byte| bits << 8 | u64::from(*byte));
        let address = self.field()?;
        let hashes = self.set()?;
        let host = self.field()?;
        let mut upstream = self.server(scheme, &address, &host)?;
        if !has_room(&self::host(&upstream)) {
            return Err((self.text_of(&host), "the name with the port has more than 255 bytes"));
        }
        if let Some(http) = &mut upstream.http {
            let path = self.field()?;
            http.template = self.read(&path, Template::parse)?;
        }
        for hash in hashes {
            let bytes = self.bytes[hash.clone()].try_into();
            upstream
                .tls
                .add_hash(TbsHash::new(bytes.map_err(|_| (self.text_of(&hash), "not a SHA-256, 32 bytes"))?));
        }
        if self.at < self.bytes.len() {
            // Bootstrap resolvers are for DNS in clear text, so they are not used.
            for resolver in self.set()? {
                self.read(&resolver, |text| address_and_port(text).map(|_| ()))?;
            }
        }
        if self.at < self.bytes.len() {
            return Err((self.text_of(&(self.at..self.bytes.len())), "bytes after the end of the stamp"));
        }
        Ok(Stamp { properties: StampProperties::from_bits(bits), upstream: upstream.relabelled() })
    }

    /// Creates the upstream from the field for its name, which may be an address, and the field for its address.
    fn server(&self, scheme: Scheme, address: &Field, host: &Field) -> Result<Upstream, SyntaxProblem<'a>> {
        let (mut upstream, has_port) = self.read(host, |text| {
            let (host, port) = parse::split_port(text, ':')?;
            Ok((parse::server(scheme, (host, port))?, port.is_some()))
        })?;
        if address.is_empty() {
            return Ok(upstream);
        }
        let (address, port) = self.read(address, |text| {
            let (address, port) = address_and_port(text)?;
            Ok((address, port.map(parse::port).transpose()?))
        })?;
        match port {
            Some(port) if has_port && port != upstream.port => {
                return Err((self.text_of(host), "a different port than that of the address"));
            }
            Some(port) => upstream.port = port,
            None => {}
        }
        match (&upstream.identity, address) {
            (_, None) => {}
            (Identity::Name(_), Some(address)) => upstream.add_address(address),
            (Identity::Address(host) | Identity::Unnamed(host), Some(address)) => {
                if upstream.addresses != [address] {
                    upstream.identity = Identity::Address(host.clone());
                    upstream.addresses = vec![address];
                }
            }
        }
        Ok(upstream)
    }

    /// Parses the text of a field with `read`.
    fn read<T>(
        &self,
        field: &Field,
        read: impl FnOnce(&str) -> Result<T, SyntaxProblem<'_>>,
    ) -> Result<T, SyntaxProblem<'a>> {
        let text = str::from_utf8(&self.bytes[field.clone()]);
        let text = text.map_err(|_| (self.text_of(field), "not UTF-8"))?;
        read(text).map_err(|(_, problem)| (self.text_of(field), problem))
    }

    /// Reads a field after its length.
    fn field(&mut self) -> Result<Field, SyntaxProblem<'a>> {
        let length = self.length()?;
        self.take(length.into())
    }

    /// Reads a set: fields whose lengths tell whether another field follows. A single empty field is an empty set.
    fn set(&mut self) -> Result<Vec<Field>, SyntaxProblem<'a>> {
        let mut fields = Vec::new();
        loop {
            let length = self.length()?;
            fields.push(self.take(usize::from(length & !MORE))?);
            if length & MORE == 0 {
                break;
            }
        }
        if fields.len() == 1 && fields[0].is_empty() {
            fields.clear();
        }
        Ok(fields)
    }

    fn length(&mut self) -> Result<u8, SyntaxProblem<'a>> {
        self.take(1).map(|length| self.bytes[length.start])
    }

    fn take(&mut self, length: usize) -> Result<Field, SyntaxProblem<'a>> {
        let field = self.at..self.at + length;
        if field.end > self.bytes.len() {
            return Err((&self.base64[self.base64.len()..], "the stamp is cut off"));
        }
        self.at = field.end;
        Ok(field)
    }

    /// The characters that encode a field: four characters for three bytes.
    fn text_of(&self, field: &Field) -> &'a str {
        &self.base64[field.start * 4 / 3..(field.end * 4).div_ceil(3)]
    }
}

/// Parses `IP[:PORT]` or `:PORT`.
fn address_and_port(text: &str) -> Result<(Option<IpAddr>, Option<&str>), SyntaxProblem<'_>> {
    let (host, port) = parse::split_port(text, ':')?;
    match (host, parse::host(host)) {
        ("", _) if port.is_some() => Ok((None, port)),
        (_, Ok(Host::Address(address))) => Ok((Some(address), port)),
        _ => Err((host, "not an IP address")),
    }
}

/// The error for a stamp of an unsupported protocol.
fn refusal(protocol: u8) -> &'static str {
    match protocol {
        0x00 => PLAINTEXT,
        0x01 => "a stamp of DNSCrypt; only stamps of DNS over TLS (3) and DNS over HTTPS (2) are supported",
        0x04 => QUIC,
        0x05 | 0x85 => "a stamp of Oblivious DNS over HTTPS, which is not supported",
        0x81 => "a stamp of a DNSCrypt relay, which does not answer queries itself",
        _ => "a stamp of an unknown protocol",
    }
}

fn encode(upstream: &Upstream, properties: StampProperties) -> String {
    let mut bytes = vec![if upstream.http.is_some() { DOH } else { DOT }];
    bytes.extend(properties.bits().to_le_bytes());
    let address = upstream.addresses.first().map(|address| upstream.authority_as(&(*address).into()));
    write(&mut bytes, &address.unwrap_or_default());
    let (last, hashes) = upstream.tls.hashes.split_last().unzip();
    for hash in hashes.into_iter().flatten() {
        bytes.push(MORE | 32);
        bytes.extend(hash.as_bytes());
    }
    match last {
        None => bytes.push(0),
        Some(hash) => {
            bytes.push(32);
            bytes.extend(hash.as_bytes());
        }
    }
    write(&mut bytes, &host(upstream));
    if let Some(http) = &upstream.http {
        write(&mut bytes, http.template.path_and_query());
    }
    format!("sdns://{}", BASE64URL_NOPAD.encode(&bytes))
}

fn write(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).expect("checked when the stamp was made"));
    bytes.extend(text.as_bytes());
}

/// Name and port. The name is in Unicode if the text fits into a field and is parsed as the same name.
fn host(upstream: &Upstream) -> String {
    let text = upstream.authority_as(upstream.server_name());
    let ServerName::DnsName(name) = upstream.server_name() else { return text };
    let Ok(readable) = Name::from_ascii(name.as_ref()).map(|name| name.to_utf8()) else { return text };
    let is_same = matches!(parse::host(&readable), Ok(Host::Name(same)) if same == *name);
    let readable = text.replacen(name.as_ref(), &readable, 1);
    if is_same && has_room(&readable) { readable } else { text }
}

/// Whether a text fits into a field, whose length is one byte.
fn has_room(text: &str) -> bool {
    u8::try_from(text.len()).is_ok()
}

impl FromStr for Stamp {
    type Err = Error;

    /// # Errors
    /// [`ConfigError::Syntax`] with the position and the reason.
    fn from_str(text: &str) -> Result<Self, Error> {
        let stamp = parse::checked_length(text).and_then(|text| match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => Self::read(rest),
            _ => Err((text, "a stamp begins with `sdns://`")),
        });
        Ok(stamp.map_err(|fault| ConfigError::from(SyntaxError::new(text, fault)))?)
    }
}

/// Whether the scheme is that of stamps.
pub(super) fn is_scheme(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("sdns")
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.upstream, self.properties))
    }
}

#[cfg(test)]
mod tests;
