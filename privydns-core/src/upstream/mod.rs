//! Upstreams: which server, where it is, and how it proves who it is.
//!
//! An [`Upstream`] is parsed from text or built in code, and is checked when it is made: one that exists can be
//! used. The text has these forms, and [`Display`](std::fmt::Display) prints the first or the second of them, the
//! same for all that mean the same:
//!
//! | text | meaning |
//! |---|---|
//! | `tls://NAME[:PORT][#ip=IP,IP]` | DNS over TLS, the certificate is for NAME |
//! | `https://NAME[:PORT][/PATH][{?dns}][#ip=IP,IP]` | DNS over HTTPS; without a path, `/dns-query` |
//! | `tls://IP[:PORT]#NAME` | the same as the first |
//! | `IP@PORT#NAME`, `IP:PORT#NAME`, `IP#NAME` | the same, as Unbound and systemd-resolved write it |
//! | `@IP +tls-hostname=NAME` | the same, as [kdig](#kdig) has it |
//! | `sdns://BASE64` | the same, or DNS over HTTPS, as a DNS [`Stamp`] |
//! | `quad9`, `quad9-https`, ... | one of the [presets] |
//! | `tls://IP[:PORT]` | the certificate is for the address |
//! | `tls://IP[:PORT]#name=OTHER_IP` | reached at the first address, the certificate is for the second |
//! | `tls://IP[:PORT]#pin=PIN,PIN` | the server's key is one of the pins, its certificate does not matter |
//!
//! What follows the `#` is a list of `key=value` parts with `&` between them: `ip` (addresses to reach the server
//! at), `name` (what the certificate must be for), `pin` (the base64 of the SHA-256 of a public key, RFC 7858 Section
//! 4.2), and `tbs` (a [hash](Upstream::tbs_hash) of a certificate, in hexadecimal). A part without `=` is the name. An
//! IPv6 address stands in brackets where a port may follow. An `@` may stand before any of them, as dig, doggo and q
//! have it. A text has 65536 bytes at the most.
//!
//! Certificates, keys, roots, proxies, labels and the other settings of TLS and HTTP are not part of the text: they
//! are set in code, and never printed.
//!
//! With the feature `serde`, upstreams in files of others are this text; a whole configuration is a `ConfigFile`.
//!
//! What is no upstream is a [`SyntaxError`] that points at the place and says why: DNS in clear text (`udp://`,
//! `tcp://`, port 53, an address alone), what is not supported yet (`quic://`, `h3://`), and what is misspelt.
//!
//! # kdig
//!
//! `@SERVER [-p PORT]` with `+tls`, `+tls-ca`, `+tls-hostname=NAME`, `+tls-pin=PIN` and `+https[=[HOST]/PATH]`, in any
//! order. `+tls` accepts any certificate in kdig, and one for the server's address here; `+tls-ca` asks for a
//! certificate even where pins would suffice. Options that name files (`+tls-ca=FILE`, `+tls-certfile`,
//! `+tls-keyfile`) are refused, since this crate reads none: give what is in them to
//! [`roots`](Upstream::roots) and [`client_certificate`](Upstream::client_certificate).

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
pub const TLS_PORT: u16 = 853;
/// The port of HTTPS.
pub const HTTPS_PORT: u16 = 443;
/// The port of DNS in clear text, which no upstream here may have.
const PLAINTEXT_PORT: u16 = 53;

/// One server, and all that is needed to reach it and to be sure of it.
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
/// A server of one's own, with a private authority and mutual TLS:
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
/// What the server must prove follows from what is known of it (RFC 8310 Section 6.6):
///
/// - with a name, a certificate for that name that chains to one of the [`Roots`], and, where pins or hashes of
///   certificates are given, a pinned key and a certificate hashed on that path;
/// - without a name and with pins, possession of a pinned key, which suffices (RFC 7858 Section 4.2): neither the
///   certificate's issuer, nor its names, nor its dates are looked at;
/// - with an address alone, a certificate for that address. [`name`](Self::name) given the address itself asks
///   for this in addition to the pins.
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

/// Whose certificate is expected. Without a name, there is at least one address, and the text begins with the
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    Name(ServerName<'static>),
    /// An address, because the caller said so; most often the first of the upstream's.
    Address(ServerName<'static>),
    /// The first address, unless pins are given.
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
    /// Whether the caller chose it; otherwise it follows the upstream's own text.
    chosen: bool,
}

impl Upstream {
    /// A DNS over TLS server, by its name or address, with or without a port: `dns.quad9.net`, `192.0.2.1:8853`.
    /// Everything that may follow `tls://` in the text form may be given.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`], which says what is wrong and where.
    pub fn tls(server: &str) -> Result<Self, Error> {
        Ok(parse::with_scheme(server, parse::Scheme::Tls).map_err(ConfigError::from)?)
    }

    /// A DNS over HTTPS server, by its URL, in which `https://` and the path `/dns-query` may be left out.
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
    /// [`ConfigError::Syntax`], which says what is wrong and where.
    pub fn https(url: &str) -> Result<Self, Error> {
        Ok(parse::with_scheme(url, parse::Scheme::Https).map_err(ConfigError::from)?)
    }

    /// Adds an address to reach the server at; addresses are tried in the order given, families interleaved.
    pub fn address(mut self, address: impl Into<IpAddr>) -> Self {
        self.add_address(address.into());
        self.relabelled()
    }

    /// Sets the name that the server's certificate must be for, where the upstream was given by address; over
    /// HTTPS it is the host of the URL, too. An address may be given as well: then the certificate must be for
    /// that address, wherever the server is reached, and even where pins would suffice.
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
    /// [`ConfigError::Setting`] where this is no name, or the upstream has another one.
    pub fn name(mut self, name: &str) -> Result<Self, Error> {
        let problem = |problem| ConfigError::Setting { setting: "name", problem };
        self.set_identity(parse::host(name).map_err(problem)?).map_err(problem)?;
        Ok(self.relabelled())
    }

    /// Sets the port, 853 by default for DNS over TLS, and 443 for DNS over HTTPS.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] for port 0, and for port 53, which is that of DNS in clear text and never
    /// carries TLS (RFC 7858 Section 3.1).
    pub fn with_port(mut self, port: u16) -> Result<Self, Error> {
        let problem = |problem| ConfigError::Setting { setting: "with_port", problem };
        self.port = parse::checked_port(port).map_err(problem)?;
        Ok(self.relabelled())
    }

    /// Adds a pin: the server must have one of the keys pinned (RFC 7858 Section 4.2). Give a second one for the
    /// key that will come next.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.tls.add_pin(pin);
        self.relabelled()
    }

    /// Adds the hash of a certificate: one of those hashed must be on the verified path from the server's to a root,
    /// in addition to all else that the server must prove. [Stamps](Stamp) bring them along, mostly those of the
    /// authority, since a hash lasts no longer than its certificate; give a second one for the next.
    ///
    /// Of a root no more than name and key is known (RFC 5280 Section 6.1.1), so that its hash is met only where the
    /// server sends the root's certificate, too.
    pub fn tbs_hash(mut self, hash: TbsHash) -> Self {
        self.tls.add_hash(hash);
        self.relabelled()
    }

    /// Sets the authorities that may have issued the server's certificate.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.tls.roots = roots;
        self
    }

    /// Sets the certificate and key that this client shows to this server, and to no other. A DNS over TLS
    /// upstream becomes one of [`Protocol::MutualTls`]. It takes TLS 1.3, which encrypts the client's
    /// certificate, unless [`minimum_tls`](Self::minimum_tls) says otherwise.
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.tls.client_certificate = Some(certificate);
        self
    }

    /// Sets the oldest version of TLS to accept: 1.2 by default, and 1.3 with a client certificate.
    pub fn with_minimum_tls(mut self, version: TlsVersion) -> Self {
        self.tls.minimum_version = Some(version);
        self
    }

    /// Sets the proxy that every connection to this upstream goes through. It is asked for the upstream's
    /// addresses, or, where none is known, for its name.
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

    /// Sets the version of HTTP. Changes nothing for an upstream of DNS over TLS.
    pub fn with_http_version(mut self, version: HttpVersion) -> Self {
        if let Some(http) = &mut self.http {
            http.version = version;
        }
        self
    }

    /// Sets the method of HTTP. Changes nothing for an upstream of DNS over TLS.
    pub fn with_http_method(mut self, method: HttpMethod) -> Self {
        if let Some(http) = &mut self.http {
            http.method = method;
        }
        self
    }

    /// Sets what answers, errors, counters and logs call this upstream, instead of its text.
    pub fn with_label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Label { text: label.into(), chosen: true };
        self
    }

    /// What answers, errors, counters and logs call this upstream.
    pub fn label(&self) -> &Arc<str> {
        &self.label.text
    }

    /// How it is spoken to.
    pub fn protocol(&self) -> Protocol {
        match (&self.http, &self.tls.client_certificate) {
            (Some(_), _) => Protocol::Https,
            (None, Some(_)) => Protocol::MutualTls,
            (None, None) => Protocol::Tls,
        }
    }

    /// The addresses it can be reached at, in the order given.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The addresses with the port.
    pub fn socket_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses.iter().map(|address| SocketAddr::new(*address, self.port))
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether no address is known, so that the name has to be resolved first. A [`proxy`](Self::proxy) does that
    /// by itself.
    pub fn needs_bootstrap(&self) -> bool {
        self.addresses.is_empty() && self.proxy.is_none()
    }

    /// What to give to rustls as the server's name. A DNS name is sent as SNI; an address never is.
    pub fn server_name(&self) -> &ServerName<'static> {
        match &self.identity {
            Identity::Name(name) | Identity::Address(name) | Identity::Unnamed(name) => name,
        }
    }

    /// The pins, in the order given.
    pub fn pins(&self) -> &[Pin] {
        &self.tls.pins
    }

    /// The hashes of certificates, in the order given.
    pub fn tbs_hashes(&self) -> &[TbsHash] {
        &self.tls.hashes
    }

    /// Host and port as HTTP writes them: without the port where it is 443, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        parse::authority(self.server_name(), self.port, HTTPS_PORT)
    }

    /// A host of this upstream's with the port, where that is not the usual one of its protocol.
    fn authority_as(&self, host: &ServerName<'_>) -> String {
        parse::authority(host, self.port, if self.http.is_some() { HTTPS_PORT } else { TLS_PORT })
    }

    /// The path of DNS over HTTPS; `None` for DNS over TLS.
    pub fn template(&self) -> Option<&Template> {
        self.http.as_ref().map(|http| &http.template)
    }

    /// The version of HTTP to use; the default for DNS over TLS.
    pub fn http_version(&self) -> HttpVersion {
        self.http.as_ref().map(|http| http.version).unwrap_or_default()
    }

    /// The method of HTTP requests; the default for DNS over TLS.
    pub fn http_method(&self) -> HttpMethod {
        self.http.as_ref().map(|http| http.method).unwrap_or_default()
    }

    pub(crate) fn authentication(&self) -> Authentication {
        match self.identity {
            Identity::Unnamed(_) if !self.tls.pins.is_empty() => Authentication::PinsAlone,
            _ => Authentication::Path,
        }
    }

    /// The ends to race connections to: the upstream's addresses; or, where a proxy is to resolve its name, the
    /// proxy's.
    pub(crate) fn ends(&self) -> impl Iterator<Item = SocketAddr> {
        let resolver = self.proxy.as_ref().filter(|_| self.addresses.is_empty());
        self.socket_addresses().chain(resolver.map(Proxy::address))
    }

    /// The way to one of the [`ends`](Self::ends), where it leads through a proxy.
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

    pub(crate) fn tls_requirements(&self) -> &TlsRequirements {
        &self.tls
    }

    /// The oldest version of TLS that is accepted.
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

    /// Gives an upstream known by its address a name. The error is a whole sentence.
    fn set_identity(&mut self, host: parse::Host) -> Result<(), &'static str> {
        self.identity = match (&self.identity, host) {
            (Identity::Name(ServerName::DnsName(old)), parse::Host::Name(new)) if *old == new => {
                return Ok(());
            }
            (Identity::Name(_), _) => return Err("the upstream has another name already"),
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
