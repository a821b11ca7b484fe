//! Proxies in front of upstreams: a way through them is opened first, and TLS begins inside of it.
//!
//! What a proxy sees is where the upstream is, by address or by name, and ciphertext. Queries, and the names in
//! them, go only through TLS.

use std::fmt;
use std::net::SocketAddr;

use crate::error::{ConfigError, Error};

mod http_connect;
mod socks5;
mod text;
mod tunnel;

pub(crate) use tunnel::Destination;
pub use tunnel::Tunnel;

/// A proxy that connections to an [`Upstream`](crate::Upstream) go through.
///
/// ```
/// use privydns_core::{Proxy, Upstream};
///
/// // Through Tor, which resolves the name: no address is needed, nor is another upstream to ask for one.
/// let tor = Proxy::socks5(([127, 0, 0, 1], 9050));
/// let upstream = Upstream::tls("dns.quad9.net")?.proxy(tor);
/// assert!(!upstream.needs_bootstrap());
///
/// // The same, written down; Tor keeps streams with different credentials apart.
/// let tor: Proxy = "socks5h://dns:one@127.0.0.1:9050".parse()?;
/// assert_eq!(tor, Proxy::socks5(([127, 0, 0, 1], 9050)).credentials("dns", "one")?);
/// # Ok::<(), privydns_core::Error>(())
/// ```
///
/// The text has the forms `socks5h://[USER:PASSWORD@]IP:PORT`, where `socks5` says the same, since nothing here
/// resolves a name for a proxy, and `http://[USER:PASSWORD@]IP:PORT`. User and password are percent-encoded where
/// needed. [`Display`](fmt::Display) leaves them out.
///
/// The way to the proxy is not encrypted, and the credentials with it: it belongs on this machine, or in a network
/// that may see them. What goes through it is TLS to the upstream all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    address: SocketAddr,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Socks5,
    HttpConnect,
}

/// A user and a password, of which no `Debug` prints either: to Tor, the pair tells circuits apart.
#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: Box<str>,
    password: Box<str>,
}

impl Proxy {
    /// A SOCKS5 proxy (RFC 1928). An upstream that is known by name alone is asked for by that name.
    pub fn socks5(address: impl Into<SocketAddr>) -> Self {
        Self { kind: Kind::Socks5, address: address.into(), credentials: None }
    }

    /// An HTTP proxy that is asked to CONNECT (RFC 9110 Section 9.3.6). An upstream that is known by name alone is
    /// asked for by that name.
    pub fn http_connect(address: impl Into<SocketAddr>) -> Self {
        Self { kind: Kind::HttpConnect, address: address.into(), credentials: None }
    }

    /// Sets the user and the password: those of RFC 1929 for SOCKS5, where a proxy that does without them is then
    /// an error, and those of the Basic scheme (RFC 7617) for HTTP.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for what the protocol cannot carry: over SOCKS5, nothing, or more than 255 octets;
    /// over HTTP, a colon in the user, or control characters.
    pub fn credentials(mut self, user: &str, password: &str) -> Result<Self, Error> {
        let problem = |problem| ConfigError::Setting { setting: "credentials", problem };
        self.set_credentials(user, password).map_err(problem)?;
        Ok(self)
    }

    /// Where the proxy is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn set_credentials(&mut self, user: &str, password: &str) -> Result<(), &'static str> {
        match self.kind {
            Kind::Socks5 if [user, password].iter().any(|text| !(1..=255).contains(&text.len())) => {
                return Err("SOCKS5 has users and passwords of 1 to 255 octets (RFC 1929 Section 2)");
            }
            Kind::HttpConnect if user.contains(':') => {
                return Err("a user of the Basic scheme has no colon (RFC 7617 Section 2)");
            }
            Kind::HttpConnect if user.chars().chain(password.chars()).any(char::is_control) => {
                return Err("the Basic scheme has no control characters (RFC 7617 Section 2)");
            }
            Kind::Socks5 | Kind::HttpConnect => {}
        }
        self.credentials = Some(Credentials { user: user.into(), password: password.into() });
        Ok(())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("address", &self.address)
            .field("has_credentials", &self.credentials.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests;
