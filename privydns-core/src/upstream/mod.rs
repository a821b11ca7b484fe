//! Upstream servers: protocol, addresses, and authentication.
//!
//! The [guide](crate::guide::upstream_text) describes the text forms.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use rustls::pki_types::ServerName;

use crate::error::{ConfigError, Error};
use crate::proxy::{Destination, Proxy, Tunnel};
use crate::tls::{Authentication, ClientCertificate, Pin, Roots, TbsHash, TlsRequirements, TlsVersion};

mod designated;
mod kdig;
mod parse;
pub mod presets;
#[cfg(feature = "serde")]
mod serialize;
mod stamp;
mod template;

pub use crate::protocol::{HttpMethod, HttpVersion, Protocol};
pub use crate::syntax::SyntaxError;
pub use stamp::{Stamp, StampProperties};
pub use template::Template;

/// The port of DNS over TLS (RFC 7858 Section 3.1).
const TLS_PORT: u16 = 853;
/// The port of HTTPS.
pub(crate) const HTTPS_PORT: u16 = 443;
/// The port of DNS in clear text, which is refused.
const PLAINTEXT_PORT: u16 = 53;

/// An upstream server: its protocol, addresses, and what the server must prove.
///
/// ```
/// use privydns_core::{Protocol, Upstream};
///
/// let quad9: Upstream = "tls://9.9.9.9#dns.quad9.net".parse()?;
/// assert_eq!(quad9.protocol(), Protocol::Tls);
/// assert_eq!(quad9.port(), 853);
///
/// let same = Upstream::tls("dns.quad9.net")?.address([9, 9, 9, 9]);
/// assert_eq!(same, quad9);
/// assert_eq!(same.to_string(), "tls://dns.quad9.net#ip=9.9.9.9");
/// # Ok::<(), privydns_core::Error>(())
/// ```
///
/// A private server with its own certificate authority and mutual TLS:
///
/// ```no_run
/// use std::fs;
///
/// use privydns_core::{ClientCertificate, Roots, Upstream};
///
/// let certificate = ClientCertificate::from_pem(&fs::read("client.pem")?, &fs::read("client.key")?)?;
/// let upstream = Upstream::tls("dns.corp.example:8853")?
///     .address([192, 0, 2, 1])
///     .roots(Roots::from_pem(&fs::read("ca.pem")?)?)
///     .client_certificate(certificate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What the server must prove depends on the settings (RFC 8310 Section 6.6):
///
/// - With a name: a certificate for the name that chains to one of the [`Roots`]. If there are pins or hashes of
///   certificates, the verified path must also contain a pinned key and a hashed certificate.
/// - Without a name, with pins: possession of a pinned key (RFC 7858 Section 4.2). The issuer, the names and the dates
///   of the certificate are not checked.
/// - With an address alone: a certificate for the address. Passing the address to [`name`](Self::name) requires such a
///   certificate in addition to the pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    identity: Identity,
    addresses: Vec<IpAddr>,
    port: u16,
    /// `Some` for DNS over HTTPS.
    http: Option<Http>,
    tls: TlsRequirements,
    proxy: Option<Proxy>,
    label: Label,
}

/// The name or address that the certificate must be for. Upstreams without a name have at least one address, and their
/// text begins with the first.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    Name(ServerName<'static>),
    /// An address that the caller requires; usually the upstream's first address.
    Address(ServerName<'static>),
    /// The first address. With pins, the certificate does not have to be for the address.
    Unnamed(ServerName<'static>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Http {
    template: Template,
    version: HttpVersion,
    method: HttpMethod,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    text: Arc<str>,
    /// Whether the caller set the label. Otherwise the label is the upstream's text.
    chosen: bool,
}

impl Upstream {
    /// Parses a DNS over TLS server: a name or an address with an optional port, such as `dns.quad9.net` or
    /// `192.0.2.1:8853`. All parts that may follow `tls://` in the text form are accepted.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] with the position and the reason.
    pub fn tls(server: &str) -> Result<Self, Error> {
        Ok(parse::with_scheme(server, parse::Scheme::Tls).map_err(ConfigError::from)?)
    }

    /// Parses the URL of a DNS over HTTPS server. `https://` and the path `/dns-query` are optional.
    ///
    /// ```
    /// use privydns_core::Upstream;
    ///
    /// let upstream = Upstream::https("https://dns.quad9.net/dns-query{?dns}")?.address([9, 9, 9, 9]);
    /// assert_eq!(upstream, Upstream::https("dns.quad9.net")?.address([9, 9, 9, 9]));
    /// # Ok::<(), privydns_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] with the position and the reason.
    pub fn https(url: &str) -> Result<Self, Error> {
        Ok(parse::with_scheme(url, parse::Scheme::Https).map_err(ConfigError::from)?)
    }

    /// Adds an address to connect to. Addresses are tried in the order in which they were added, with IPv6 and IPv4
    /// interleaved.
    pub fn address(mut self, address: impl Into<IpAddr>) -> Self {
        self.add_address(address.into());
        self.relabelled()
    }

    /// Sets the name that the server's certificate must be for, if the upstream was created from an address. Over HTTPS,
    /// the name is also the host of the URL. `name` may be an address: then the certificate must be for this address,
    /// whichever address is connected to, and also if there are pins.
    ///
    /// ```
    /// use privydns_core::Upstream;
    ///
    /// let upstream = Upstream::tls("9.9.9.9")?.name("dns.quad9.net")?;
    /// assert_eq!(upstream, "9.9.9.9@853#dns.quad9.net".parse()?);
    /// # Ok::<(), privydns_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Setting`] if the text is not a name or the upstream has a different name.
    pub fn name(mut self, name: &str) -> Result<Self, Error> {
        let problem = |problem| ConfigError::Setting { setting: "name", problem };
        self.set_identity(parse::host(name).map_err(problem)?).map_err(problem)?;
        Ok(self.relabelled())
    }

    /// Sets the port. The default is 853 for DNS over TLS and 443 for DNS over HTTPS.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for port 0 and for port 53, the port of DNS in clear text, on which TLS must not be used
    /// (RFC 7858 Section 3.1).
    pub fn with_port(mut self, port: u16) -> Result<Self, Error> {
        let problem = |problem| ConfigError::Setting { setting: "with_port", problem };
        self.port = parse::checked_port(port).map_err(problem)?;
        Ok(self.relabelled())
    }

    /// Adds a pin: the server must have one of the pinned keys (RFC 7858 Section 4.2). A second pin, for the next key,
    /// lets the server change its key.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.tls.add_pin(pin);
        self.relabelled()
    }

    /// Adds the hash of a certificate: the verified path from the server's certificate to a root must contain one of the
    /// hashed certificates, in addition to all other requirements. [Stamps](Stamp) contain such hashes, mostly of the
    /// authority's certificate. A hash is valid only as long as its certificate, so add a second hash for the next one.
    ///
    /// Only the name and key of a root are known (RFC 5280 Section 6.1.1). The hash of a root therefore matches only if
    /// the server sends the root's certificate.
    pub fn tbs_hash(mut self, hash: TbsHash) -> Self {
        self.tls.add_hash(hash);
        self.relabelled()
    }

    /// Sets the trusted root certificates for the server's certificate.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.tls.roots = roots;
        self
    }

    /// Sets the certificate and key that this client shows to this server only. The protocol of a DNS over TLS upstream
    /// becomes [`Protocol::MutualTls`]. The minimum version becomes TLS 1.3, which encrypts the client's certificate,
    /// unless [`with_minimum_tls`](Self::with_minimum_tls) sets another one.
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.tls.client_certificate = Some(certificate);
        self
    }

    /// Sets the minimum version of TLS. The default is 1.2, and 1.3 with a client certificate.
    pub fn with_minimum_tls(mut self, version: TlsVersion) -> Self {
        self.tls.minimum_version = Some(version);
        self
    }

    /// Sets the proxy for all connections to this upstream. The proxy is asked to connect to the upstream's addresses,
    /// or to its name if no address is known.
    ///
    /// ```
    /// use privydns_core::{Proxy, Upstream};
    ///
    /// let corporate = Proxy::http_connect(([192, 0, 2, 80], 3128)).credentials("user", "secret")?;
    /// let upstream = Upstream::https("dns.quad9.net")?.proxy(corporate);
    /// # Ok::<(), privydns_core::Error>(())
    /// ```
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Sets the version of HTTP. Has no effect on DNS over TLS.
    pub fn with_http_version(mut self, version: HttpVersion) -> Self {
        if let Some(http) = &mut self.http {
            http.version = version;
        }
        self
    }

    /// Sets the method of HTTP requests. Has no effect on DNS over TLS.
    pub fn with_http_method(mut self, method: HttpMethod) -> Self {
        if let Some(http) = &mut self.http {
            http.method = method;
        }
        self
    }

    /// Sets the label that answers, errors, counters and logs use for this upstream instead of its text.
    pub fn with_label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Label { text: label.into(), chosen: true };
        self
    }

    /// The label of this upstream in answers, errors, counters and logs.
    pub fn label(&self) -> &str {
        &self.label.text
    }

    /// The label, shared with answers, errors and counters.
    pub(crate) fn shared_label(&self) -> Arc<str> {
        self.label.text.clone()
    }

    /// The protocol of this upstream.
    pub fn protocol(&self) -> Protocol {
        match (&self.http, &self.tls.client_certificate) {
            (Some(_), _) => Protocol::Https,
            (None, Some(_)) => Protocol::MutualTls,
            (None, None) => Protocol::Tls,
        }
    }

    /// The addresses to connect to, in the order in which they were added.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The addresses to connect to, with the port.
    pub fn socket_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses.iter().map(|address| SocketAddr::new(*address, self.port))
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the upstream's name must be resolved before a connection: no address is known and there is no
    /// [`proxy`](Self::proxy), which would resolve the name.
    pub fn needs_bootstrap(&self) -> bool {
        self.addresses.is_empty() && self.proxy.is_none()
    }

    /// The server's name for rustls. DNS names are sent as SNI; addresses are not.
    pub fn server_name(&self) -> &ServerName<'static> {
        match &self.identity {
            Identity::Name(name) | Identity::Address(name) | Identity::Unnamed(name) => name,
        }
    }

    /// The pins, in the order in which they were added.
    pub fn pins(&self) -> &[Pin] {
        &self.tls.pins
    }

    /// The hashes of certificates, in the order in which they were added.
    pub fn tbs_hashes(&self) -> &[TbsHash] {
        &self.tls.hashes
    }

    /// Host and port for HTTP. Port 443 is omitted; IPv6 addresses are in brackets.
    pub fn authority(&self) -> String {
        parse::authority(self.server_name(), self.port, HTTPS_PORT)
    }

    /// `host` with this upstream's port. The protocol's default port is omitted.
    fn authority_as(&self, host: &ServerName<'_>) -> String {
        parse::authority(host, self.port, if self.http.is_some() { HTTPS_PORT } else { TLS_PORT })
    }

    /// The path of DNS over HTTPS. `None` for DNS over TLS.
    pub fn template(&self) -> Option<&Template> {
        self.http.as_ref().map(|http| &http.template)
    }

    /// The version of HTTP. The default value for DNS over TLS.
    pub fn http_version(&self) -> HttpVersion {
        self.http.as_ref().map(|http| http.version).unwrap_or_default()
    }

    /// The method of HTTP requests. The default value for DNS over TLS.
    pub fn http_method(&self) -> HttpMethod {
        self.http.as_ref().map(|http| http.method).unwrap_or_default()
    }

    /// How the server authenticates itself.
    pub(crate) fn authentication(&self) -> Authentication {
        match self.identity {
            Identity::Unnamed(_) if !self.tls.pins.is_empty() => Authentication::PinsAlone,
            _ => Authentication::Path,
        }
    }

    /// The addresses that a dial races: the upstream's addresses, or the proxy's address if the proxy resolves the
    /// upstream's name.
    pub(crate) fn ends(&self) -> impl Iterator<Item = SocketAddr> {
        let resolver = self.proxy.as_ref().filter(|_| self.addresses.is_empty());
        self.socket_addresses().chain(resolver.map(Proxy::address))
    }

    /// The tunnel to one of the [`ends`](Self::ends). `None` without a proxy.
    pub(crate) fn tunnel(&self, end: SocketAddr) -> Option<Tunnel> {
        self.proxy.as_ref().map(|proxy| {
            let destination = if self.addresses.is_empty() {
                Destination::Name(self.server_name().to_str().into(), self.port)
            } else {
                Destination::Address(end)
            };
            Tunnel::new(proxy, destination)
        })
    }

    /// The TLS settings.
    pub(crate) fn tls_requirements(&self) -> &TlsRequirements {
        &self.tls
    }

    /// The minimum version of TLS.
    pub fn minimum_tls(&self) -> TlsVersion {
        self.tls.minimum_version()
    }

    fn new(scheme: parse::Scheme, host: parse::Host) -> Self {
        let (identity, addresses) = match host {
            parse::Host::Name(name) => (Identity::Name(ServerName::DnsName(name)), Vec::new()),
            parse::Host::Address(address) => (Identity::Unnamed(address.into()), vec![address]),
        };
        let (port, http) = match scheme {
            parse::Scheme::Tls => (TLS_PORT, None),
            parse::Scheme::Https => (
                HTTPS_PORT,
                Some(Http {
                    template: Template::default(),
                    version: HttpVersion::default(),
                    method: HttpMethod::default(),
                }),
            ),
        };
        Self {
            identity,
            addresses,
            port,
            http,
            tls: TlsRequirements::default(),
            proxy: None,
            label: Label { text: Arc::from(""), chosen: false },
        }
        .relabelled()
    }

    fn add_address(&mut self, address: IpAddr) {
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    /// Sets the identity of an upstream that has no name. The error is a complete message.
    fn set_identity(&mut self, host: parse::Host) -> Result<(), &'static str> {
        self.identity = match (&self.identity, host) {
            (Identity::Name(ServerName::DnsName(old)), parse::Host::Name(new)) if *old == new => {
                return Ok(());
            }
            (Identity::Name(_), _) => return Err("the upstream already has another name"),
            (_, parse::Host::Name(name)) => Identity::Name(ServerName::DnsName(name)),
            (_, parse::Host::Address(address)) => Identity::Address(address.into()),
        };
        Ok(())
    }

    fn relabelled(mut self) -> Self {
        if !self.label.chosen {
            self.label.text = self.to_string().into();
        }
        self
    }
}

impl FromStr for Upstream {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(parse::upstream(text).map_err(ConfigError::from)?)
    }
}

#[cfg(test)]
mod tests;
