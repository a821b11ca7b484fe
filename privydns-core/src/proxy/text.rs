//! Parsing and printing of [`Proxy`].

use std::fmt;
use std::str::FromStr;

use super::{Kind, Proxy};
use crate::error::{ConfigError, Error};
use crate::syntax::{SyntaxError, SyntaxProblem};

/// Parses a proxy. Errors end up in logs, so they repeat the scheme and no other part of the text, which may be a secret.
fn parse(text: &str) -> Result<Proxy, SyntaxProblem<'_>> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(("", "begin with `socks5h://` or `http://`"));
    };
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "socks5h" | "socks5" => Kind::Socks5,
        "http" => Kind::HttpConnect,
        "https" => return Err((scheme, "TLS to a proxy is not supported; use `http`")),
        "socks" | "socks4" | "socks4a" => {
            return Err((scheme, "only version 5 of SOCKS is supported; use `socks5h`"));
        }
        _ => return Err((scheme, "unknown scheme; use `socks5h` or `http`")),
    };
    let (credentials, location) = match rest.rsplit_once('@') {
        Some((credentials, location)) => (Some(credentials), location),
        None => (None, rest),
    };
    let location = location.strip_suffix('/').unwrap_or(location);
    let Ok(address) = location.parse() else {
        return Err((&location[..0], "an IP address, a colon and a port are required"));
    };
    let mut proxy = Proxy { kind, address, credentials: None };
    if let Some(credentials) = credentials {
        let place = &credentials[..0];
        let Some((user, password)) = credentials.split_once(':') else {
            return Err((place, "a colon and a password are required after the user"));
        };
        let (Some(user), Some(password)) = (percent_decoded(user), percent_decoded(password)) else {
            return Err((place, "user or password is not percent-encoded UTF-8"));
        };
        proxy.set_credentials(&user, &password).map_err(|problem| (place, problem))?;
    }
    Ok(proxy)
}

/// Decodes percent-encoded text (RFC 3986 Section 2.1).
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl FromStr for Proxy {
    type Err = Error;

    /// # Errors
    /// [`ConfigError::Proxy`] with the position and the reason, but without the credentials.
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(parse(text).map_err(|fault| ConfigError::Proxy(SyntaxError::new(text, fault)))?)
    }
}

/// The text without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Socks5 => "socks5h",
            Kind::HttpConnect => "http",
        };
        write!(f, "{scheme}://{}", self.address)
    }
}
