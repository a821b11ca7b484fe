//! Text to [`Upstream`] and back, in one canonical form.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hickory_proto::rr::Name;
use rustls::pki_types::{DnsName, ServerName};

use super::stamp::Stamp;
use super::{Identity, PLAINTEXT_PORT, Template, Upstream, kdig, presets, stamp};
use crate::syntax::{SyntaxError, SyntaxProblem};
use crate::tls::Pin;

/// The longest text that is read, in bytes: more than any request line or list of addresses that a server would take.
const MAX_TEXT: usize = 65_536;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Tls,
    Https,
}

/// What stands where a URL has its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(DnsName<'static>),
    Address(IpAddr),
}

/// Reads any of the forms that the module names.
pub(super) fn upstream(text: &str) -> Result<Upstream, SyntaxError> {
    checked_length(text).and_then(any_form).map_err(|fault| SyntaxError::new(text, fault))
}

/// Reads a URL whose scheme is known, and may be left out.
pub(super) fn with_scheme(text: &str, wanted: Scheme) -> Result<Upstream, SyntaxError> {
    let parsed = checked_length(text).and_then(|text| match text.split_once("://") {
        Some((name, rest)) if scheme(name)? == wanted => url(wanted, rest),
        Some((name, _)) => Err((name, "another scheme than that of the function called")),
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
    // dig and its kin have the server behind an `@`.
    let text = text.strip_prefix('@').unwrap_or(text);
    if let Some(preset) = presets::find(text) {
        return any_form(preset.text).map(|upstream| upstream.with_label(preset.name));
    }
    match text.split_once("://") {
        Some((name, rest)) if stamp::is_scheme(name) => Ok(Stamp::read(rest)?.into_upstream()),
        Some((name, rest)) => url(scheme(name)?, rest),
        None => bare(text),
    }
}

/// What is said of ways to ask that there are none of here, in whichever form they are written down.
pub(super) const PLAINTEXT: &str = "this is DNS in clear text, and nothing here is sent unencrypted";
pub(super) const QUIC: &str = "DNS over QUIC is not supported yet";
const HTTP3: &str = "HTTP/3 is not supported yet";

const NO_HOST: &str = "neither a host name nor an IP address";

/// A name, in lower case and IDNA's ASCII form, or an address, in brackets or not.
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
        PLAINTEXT_PORT => Err("port 53 is DNS in clear text, and is never spoken to (RFC 7858 Section 3.1)"),
        port => Ok(port),
    }
}

fn scheme(name: &str) -> Result<Scheme, SyntaxProblem<'_>> {
    match name.to_ascii_lowercase().as_str() {
        "tls" => Ok(Scheme::Tls),
        "https" => Ok(Scheme::Https),
        "udp" | "tcp" | "plain" | "dns" | "system" => Err((name, PLAINTEXT)),
        "http" => Err((name, "http is not encrypted; it is `https`")),
        "dot" => Err((name, "it is `tls`")),
        "doh" | "h2" => Err((name, "it is `https`")),
        "mtls" => Err((name, "it is `tls`, with a client certificate set in code")),
        "quic" | "doq" => Err((name, QUIC)),
        "h3" => Err((name, HTTP3)),
        "sdns" => Err((name, "a stamp says by itself what is spoken; parse it")),
        _ => Err((name, "unknown scheme; known are `tls` and `https`")),
    }
}

/// `HOST[:PORT][PATH][#FRAGMENT]`
fn url(scheme: Scheme, text: &str) -> Result<Upstream, SyntaxProblem<'_>> {
    let (location, fragment) = split_fragment(text);
    let (authority, path) = match location.find(['/', '?', '{']) {
        Some(at) => location.split_at(at),
        None => (location, ""),
    };
    if let Some(at) = authority.find('@') {
        return Err((&authority[at..], "a port follows a colon, and user names are not supported"));
    }
    let mut upstream = server(scheme, split_port(authority, ':')?)?;
    match &mut upstream.http {
        Some(http) if !path.is_empty() => http.template = Template::parse(path)?,
        None if !path.is_empty() => return Err((path, "DNS over TLS has no path")),
        _ => {}
    }
    apply_fragment(upstream, fragment)
}

/// `IP[@PORT]#FRAGMENT` as Unbound, `IP[:PORT]#FRAGMENT` as systemd-resolved has it.
fn bare(text: &str) -> Result<Upstream, SyntaxProblem<'_>> {
    let (location, fragment) = split_fragment(text);
    let upstream = server(Scheme::Tls, bare_host_and_port(location)?)?;
    if upstream.addresses.is_empty() {
        return Err((location, "no preset has this name; a server's begins with `tls://` or `https://`"));
    }
    let upstream = apply_fragment(upstream, fragment)?;
    if matches!(upstream.identity, Identity::Unnamed(_)) && upstream.tls.pins.is_empty() {
        return Err((location, "an address alone does not say how it is spoken to; begin with `tls://`"));
    }
    Ok(upstream)
}

/// Divides what has no scheme: an IPv6 address stands in brackets only where a colon and a port follow.
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

/// Divides host and port, with `separator` between them.
pub(super) fn split_port(text: &str, separator: char) -> Result<(&str, Option<&str>), SyntaxProblem<'_>> {
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    let Some(at) = text[after_brackets..].rfind(separator) else {
        return Ok((text, None));
    };
    let (host, port) = text.split_at(after_brackets + at);
    if separator == ':' && after_brackets == 0 && host.contains(':') {
        return Err((text, "an IPv6 address stands in brackets, so that a port can be told apart"));
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
            "name" if named => return Err((part, "a second name")),
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
            _ => return Err((key, "unknown key; known are `ip`, `name`, `pin` and `tbs`")),
        }
    }
    Ok(upstream.relabelled())
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.http.is_some() { "https" } else { "tls" };
        // Without a name the host is the first address.
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

/// Host and port as URLs have them.
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
