//! Proxies: tunnels to upstreams through SOCKS5 and HTTP CONNECT, inside which TLS begins.
//!
//! A proxy sees the address or name of the upstream, and ciphertext. Queries are only sent inside TLS.

use std::fmt;
use std::net::SocketAddr;

use crate::error::{ConfigError, Error};

mod http_connect;
mod socks5;
mod text;
mod tunnel;

pub(crate) use tunnel::Destination;
pub use tunnel::Tunnel;

/// A proxy for the connections to an [`Upstream`](crate::Upstream).
///
/// ```
/// use privydns_core::{Proxy, Upstream};
///
/// // Through Tor, which resolves the name, so the upstream needs no address.
/// let tor = Proxy::socks5(([127, 0, 0, 1], 9050));
/// let upstream = Upstream::tls("dns.quad9.net")?.proxy(tor);
/// assert!(!upstream.needs_bootstrap());
///
/// // The same as text. Tor isolates streams with different credentials from each other.
/// let tor: Proxy = "socks5h://dns:one@127.0.0.1:9050".parse()?;
/// assert_eq!(tor, Proxy::socks5(([127, 0, 0, 1], 9050)).credentials("dns", "one")?);
/// # Ok::<(), privydns_core::Error>(())
/// ```
///
/// The text has the forms `socks5h://[USER:PASSWORD@]IP:PORT` and `http://[USER:PASSWORD@]IP:PORT`. `socks5` is equal to
/// `socks5h`: in both cases the proxy resolves the name. Special characters in user and password are percent-encoded.
/// [`Display`](fmt::Display) omits user and password.
///
/// The connection to the proxy is not encrypted, and neither are the credentials. The proxy should be on the same
/// machine, or in a network that may see the credentials. The tunnel through the proxy is encrypted with TLS.
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

/// A user and a password. `Debug` prints neither, because with Tor both identify a circuit.
#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: Box<str>,
    password: Box<str>,
}

impl Proxy {
    /// A SOCKS5 proxy (RFC 1928). If an upstream has no address, the proxy resolves its name.
    pub fn socks5(address: impl Into<SocketAddr>) -> Self {
        Self { kind: Kind::Socks5, address: address.into(), credentials: None }
    }

    /// An HTTP proxy that supports CONNECT (RFC 9110 Section 9.3.6). If an upstream has no address, the proxy resolves
    /// its name.
    pub fn http_connect(address: impl Into<SocketAddr>) -> Self {
        Self { kind: Kind::HttpConnect, address: address.into(), credentials: None }
    }

    /// Sets user and password: for SOCKS5 as in RFC 1929, for HTTP as in the Basic scheme (RFC 7617). A SOCKS5 proxy that
    /// does not request them is then an error.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for values that the protocol cannot carry: with SOCKS5, an empty text or more than 255
    /// bytes; with HTTP, a colon in the user or control characters.
    pub fn credentials(mut self, user: &str, password: &str) -> Result<Self, Error> {
        let problem = |problem| ConfigError::Setting { setting: "credentials", problem };
        self.set_credentials(user, password).map_err(problem)?;
        Ok(self)
    }

    /// The address of the proxy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn set_credentials(&mut self, user: &str, password: &str) -> Result<(), &'static str> {
        match self.kind {
            Kind::Socks5 if [user, password].iter().any(|text| !(1..=255).contains(&text.len())) => {
                return Err("SOCKS5 users and passwords have 1 to 255 bytes (RFC 1929 Section 2)");
            }
            Kind::HttpConnect if user.contains(':') => {
                return Err("the Basic scheme does not allow a colon in the user (RFC 7617 Section 2)");
            }
            Kind::HttpConnect if user.chars().chain(password.chars()).any(char::is_control) => {
                return Err("the Basic scheme does not allow control characters (RFC 7617 Section 2)");
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
