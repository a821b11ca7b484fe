//! Parsing and printing of [`Upstream`]s.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hickory_proto::rr::Name;
use rustls::pki_types::{DnsName, ServerName};

use super::stamp::Stamp;
use super::{Identity, PLAINTEXT_PORT, Template, Upstream, kdig, presets, stamp};
use crate::syntax::{SyntaxError, SyntaxProblem};
use crate::tls::Pin;

/// The maximum length of a text in bytes, which exceeds the request lines and lists of addresses that servers accept.
const MAX_TEXT: usize = 65_536;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Tls,
    Https,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(DnsName<'static>),
    Address(IpAddr),
}

/// Parses any form in the table of the module `upstream`.
pub(super) fn upstream(text: &str) -> Result<Upstream, SyntaxError> {
    checked_length(text).and_then(any_form).map_err(|fault| SyntaxError::new(text, fault))
}

/// Parses a URL with an optional scheme, which must be `wanted`.
pub(super) fn with_scheme(text: &str, wanted: Scheme) -> Result<Upstream, SyntaxError> {
    let parsed = checked_length(text).and_then(|text| match text.split_once("://") {
        Some((name, rest)) if scheme(name)? == wanted => url(wanted, rest),
        Some((name, _)) => Err((name, "a different scheme than that of the called function")),
        None => url(wanted, text),
    });
    parsed.map_err(|fault| SyntaxError::new(text, fault))
}

pub(super) fn checked_length(text: &str) -> Result<&str, SyntaxProblem<'_>> {
    if text.len() > MAX_TEXT { Err((text, "longer than 65536 bytes")) } else { Ok(text) }
}

fn any_form(text: &str) -> Result<Upstream, SyntaxProblem<'_>> {
    if kdig::is_command_line(text) {
        return kdig::command_line(text);
    }
    // dig and similar programs write `@` before the server.
    let text = text.strip_prefix('@').unwrap_or(text);
    if let Some(preset) = presets::find(text) {
        return Ok(preset.upstream());
    }
    match text.split_once("://") {
        Some((name, rest)) if stamp::is_scheme(name) => Ok(Stamp::read(rest)?.into_upstream()),
        Some((name, rest)) => url(scheme(name)?, rest),
        None => bare(text),
    }
}

// The errors for protocols that are not supported, in all forms of the text.
pub(super) const PLAINTEXT: &str = "this is DNS in clear text; only encrypted protocols are supported";
pub(super) const QUIC: &str = "DNS over QUIC is not supported yet";
const HTTP3: &str = "HTTP/3 is not supported yet";

const NO_HOST: &str = "neither a host name nor an IP address";

/// Parses a name or an address, with or without brackets. Names are converted to lower case and to A-labels (IDNA).
pub(super) fn host(text: &str) -> Result<Host, &'static str> {
    if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match inside.parse::<Ipv6Addr>() {
            Ok(address) => Ok(Host::Address(address.into())),
            Err(_) => Err("not an IPv6 address"),
        };
    }
    if let Ok(address) = text.parse() {
        return Ok(Host::Address(address));
    }
    if text.is_empty() {
        return Err("a host name or an IP address is missing");
    }
    let name = Name::from_utf8(text).map_err(|_| NO_HOST)?.to_lowercase().to_ascii();
    let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
    DnsName::try_from(name).map(Host::Name).map_err(|_| NO_HOST)
}

pub(super) fn checked_port(port: u16) -> Result<u16, &'static str> {
    match port {
        0 => Err("port 0 does not exist"),
        PLAINTEXT_PORT => Err("port 53 is for DNS in clear text and must not be used (RFC 7858 Section 3.1)"),
        port => Ok(port),
    }
}

fn scheme(name: &str) -> Result<Scheme, SyntaxProblem<'_>> {
    match name.to_ascii_lowercase().as_str() {
        "tls" => Ok(Scheme::Tls),
        "https" => Ok(Scheme::Https),
        "udp" | "tcp" | "plain" | "dns" | "system" => Err((name, PLAINTEXT)),
        "http" => Err((name, "http is not encrypted; use `https`")),
        "dot" => Err((name, "use `tls`")),
        "doh" | "h2" => Err((name, "use `https`")),
        "mtls" => Err((name, "use `tls` with a client certificate, which is set in code")),
        "quic" | "doq" => Err((name, QUIC)),
        "h3" => Err((name, HTTP3)),
        "sdns" => Err((name, "a stamp contains its protocol; parse the stamp with `Upstream::from_str`")),
        _ => Err((name, "unknown scheme; use `tls` or `https`")),
    }
}

/// Parses `HOST[:PORT][PATH][#FRAGMENT]`.
fn url(scheme: Scheme, text: &str) -> Result<Upstream, SyntaxProblem<'_>> {
    let (location, fragment) = split_fragment(text);
    let (authority, path) = match location.find(['/', '?', '{']) {
        Some(at) => location.split_at(at),
        None => (location, ""),
    };
    if let Some(at) = authority.find('@') {
        return Err((&authority[at..], "the port is written after a colon; user names are not supported"));
    }
    let mut upstream = server(scheme, split_port(authority, ':')?)?;
    match &mut upstream.http {
        Some(http) if !path.is_empty() => http.template = Template::parse(path)?,
        None if !path.is_empty() => return Err((path, "DNS over TLS has no path")),
        _ => {}
    }
    apply_fragment(upstream, fragment)
}

/// Parses `IP[@PORT]#FRAGMENT` (Unbound) or `IP[:PORT]#FRAGMENT` (systemd-resolved).
fn bare(text: &str) -> Result<Upstream, SyntaxProblem<'_>> {
    let (location, fragment) = split_fragment(text);
    let upstream = server(Scheme::Tls, bare_host_and_port(location)?)?;
    if upstream.addresses.is_empty() {
        return Err((location, "no preset has this name; begin a server with `tls://` or `https://`"));
    }
    let upstream = apply_fragment(upstream, fragment)?;
    if matches!(upstream.identity, Identity::Unnamed(_)) && upstream.tls.pins.is_empty() {
        return Err((location, "an address alone does not name a protocol; begin with `tls://`"));
    }
    Ok(upstream)
}

/// Splits a location without a scheme into host and port. IPv6 addresses need brackets only before a colon and a port.
pub(super) fn bare_host_and_port(location: &str) -> Result<(&str, Option<&str>), SyntaxProblem<'_>> {
    match location.parse::<Ipv6Addr>() {
        Ok(_) => Ok((location, None)),
        Err(_) => split_port(location, if location.contains('@') { '@' } else { ':' }),
    }
}

fn split_fragment(text: &str) -> (&str, Option<&str>) {
    match text.split_once('#') {
        Some((location, fragment)) => (location, Some(fragment)),
        None => (text, None),
    }
}

/// Splits host and port at `separator`.
pub(super) fn split_port(text: &str, separator: char) -> Result<(&str, Option<&str>), SyntaxProblem<'_>> {
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    let Some(at) = text[after_brackets..].rfind(separator) else {
        return Ok((text, None));
    };
    let (host, port) = text.split_at(after_brackets + at);
    if separator == ':' && after_brackets == 0 && host.contains(':') {
        return Err((text, "write the IPv6 address in brackets, to separate it from a port"));
    }
    Ok((host, Some(&port[1..])))
}

pub(super) fn server<'a>(
    scheme: Scheme,
    (host_text, port_text): (&'a str, Option<&'a str>),
) -> Result<Upstream, SyntaxProblem<'a>> {
    let mut upstream = Upstream::new(scheme, host(host_text).map_err(|problem| (host_text, problem))?);
    if let Some(text) = port_text {
        upstream.port = port(text)?;
    }
    Ok(upstream)
}

pub(super) fn port(text: &str) -> Result<u16, SyntaxProblem<'_>> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok()).ok_or((text, "not a port number"))?;
    checked_port(number).map_err(|problem| (text, problem))
}

pub(super) fn pin(text: &str) -> Result<Pin, SyntaxProblem<'_>> {
    text.parse().map_err(|_| (text, "not the base64 of a SHA-256, 44 characters"))
}

fn apply_fragment(mut upstream: Upstream, fragment: Option<&str>) -> Result<Upstream, SyntaxProblem<'_>> {
    let mut named = false;
    for part in fragment.into_iter().flat_map(|fragment| fragment.split('&')) {
        let (key, value) = part.split_once('=').unwrap_or(("name", part));
        match key {
            "name" if named => return Err((part, "more than one name")),
            "name" => {
                named = true;
                let host = host(value).map_err(|problem| (value, problem))?;
                upstream.set_identity(host).map_err(|problem| (value, problem))?;
            }
            "ip" => {
                for text in value.split(',') {
                    match host(text) {
                        Ok(Host::Address(address)) => upstream.add_address(address),
                        _ => return Err((text, "not an IP address")),
                    }
                }
            }
            "pin" => {
                for text in value.split(',') {
                    upstream.tls.add_pin(pin(text)?);
                }
            }
            "tbs" => {
                for text in value.split(',') {
                    let problem = "not the hexadecimal digits of a SHA-256, 64 of them";
                    upstream.tls.add_hash(text.parse().map_err(|_| (text, problem))?);
                }
            }
            _ => return Err((key, "unknown key; use `ip`, `name`, `pin` or `tbs`")),
        }
    }
    Ok(upstream.relabelled())
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.http.is_some() { "https" } else { "tls" };
        // If the upstream has no name, the host is the first address.
        let (host, name, rest) = match (&self.identity, &self.addresses[..]) {
            (Identity::Address(name), [first, rest @ ..]) => (&ServerName::from(*first), Some(name), rest),
            (Identity::Unnamed(address), [_, rest @ ..]) => (address, None, rest),
            (Identity::Name(host) | Identity::Address(host) | Identity::Unnamed(host), addresses) => {
                (host, None, addresses)
            }
        };
        write!(f, "{scheme}://{}", self.authority_as(host))?;
        if let Some(http) = &self.http {
            write!(f, "{}", http.template)?;
        }
        let mut separator = '#';
        let mut part = |f: &mut fmt::Formatter<'_>, key: &str, values: &mut dyn Iterator<Item = String>| {
            let values = values.collect::<Vec<_>>().join(",");
            if values.is_empty() {
                return Ok(());
            }
            write!(f, "{separator}{key}={values}")?;
            separator = '&';
            Ok(())
        };
        part(f, "name", &mut name.iter().map(|name| name.to_str().into_owned()))?;
        part(f, "ip", &mut rest.iter().map(ToString::to_string))?;
        part(f, "pin", &mut self.tls.pins.iter().map(ToString::to_string))?;
        part(f, "tbs", &mut self.tls.hashes.iter().map(ToString::to_string))
    }
}

/// Host and port for a URL, without the default port.
pub(super) fn authority(host: &ServerName<'_>, port: u16, default_port: u16) -> String {
    let host = match host {
        ServerName::IpAddress(address) => match IpAddr::from(*address) {
            IpAddr::V6(address) => format!("[{address}]"),
            IpAddr::V4(address) => address.to_string(),
        },
        name => name.to_str().into_owned(),
    };
    if port == default_port { host } else { format!("{host}:{port}") }
}
