//! How a server is set up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::Server;
use crate::authority::{Authority, ServerCertificate};
use crate::script::Script;
use crate::zone::{Manner, Padding, Zone};

/// A server to be: what it speaks, as whom, and what goes wrong. [`start`](Self::start) starts it.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(super) service: Service,
    pub(super) authority: Arc<Authority>,
    pub(super) certificate: ServerCertificate,
    pub(super) client_authentication: ClientAuthentication,
    pub(super) refusal: Refusal,
    pub(super) tls: TlsVersions,
    pub(super) tickets: usize,
    pub(super) alpn: Alpn,
    pub(super) speaks: Option<Http>,
    pub(super) zone: Zone,
    pub(super) manner: Manner,
    pub(super) script: Script,
    pub(super) path: String,
    pub(super) http2: Http2Settings,
    pub(super) bind: SocketAddr,
}

/// What a server speaks inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Dot,
    Https { http2: bool, http1: bool },
}

impl Setup {
    pub(super) fn new(service: Service) -> Self {
        Self {
            service,
            authority: Authority::shared(),
            certificate: ServerCertificate::Good,
            client_authentication: ClientAuthentication::NotAsked,
            refusal: Refusal::Alert,
            tls: TlsVersions::Both,
            tickets: 2,
            alpn: Alpn::Accept,
            speaks: None,
            zone: Zone::example(),
            manner: Manner::default(),
            script: Script::new(),
            path: "/dns-query".to_owned(),
            http2: Http2Settings::default(),
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// Who issued its certificate, and those of the clients it accepts; [`Authority::shared`] unless said.
    pub fn authority(self, authority: Arc<Authority>) -> Self {
        Self { authority, ..self }
    }

    /// Which certificate it shows; a good one unless said.
    pub fn certificate(self, certificate: ServerCertificate) -> Self {
        Self { certificate, ..self }
    }

    /// Whether clients need a certificate; they do not unless said.
    pub fn client_authentication(self, client_authentication: ClientAuthentication) -> Self {
        Self { client_authentication, ..self }
    }

    /// Shorthand for [`ClientAuthentication::Required`]: mutual TLS.
    pub fn mutual(self) -> Self {
        self.client_authentication(ClientAuthentication::Required)
    }

    /// How clients without an acceptable certificate are refused; by alert unless said.
    pub fn refusal(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    /// Which TLS versions it speaks; 1.2 and 1.3 unless said.
    pub fn tls(self, tls: TlsVersions) -> Self {
        Self { tls, ..self }
    }

    /// How many tickets it gives with each TLS 1.3 handshake; 2 unless said. With 0 nothing is ever resumed.
    pub fn tickets(self, tickets: usize) -> Self {
        Self { tickets, ..self }
    }

    /// What it does with the application protocols that clients offer; it agrees on its own unless said.
    pub fn alpn(self, alpn: Alpn) -> Self {
        Self { alpn, ..self }
    }

    /// Which HTTP it speaks where no application protocol is agreed on, or where it should speak another than
    /// agreed: a server that says `h2` and speaks HTTP/1.1 is not unheard of.
    pub fn speaks(self, version: Http) -> Self {
        Self { speaks: Some(version), ..self }
    }

    /// What it answers from; [`Zone::example`] unless said.
    pub fn zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The timeout it promises in the EDNS keepalive option (RFC 7828); it has none to promise unless said.
    pub fn keepalive(mut self, timeout: Duration) -> Self {
        self.manner.keepalive = Some(timeout);
        self
    }

    /// When it pads its answers; where asked, unless said.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.manner.padding = padding;
        self
    }

    /// What goes wrong; nothing unless said.
    pub fn script(self, script: Script) -> Self {
        Self { script, ..self }
    }

    /// The path of DNS over HTTPS; `/dns-query` unless said.
    pub fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// The SETTINGS of HTTP/2.
    pub fn http2_settings(self, http2: Http2Settings) -> Self {
        Self { http2, ..self }
    }

    /// The address to listen on, `127.0.0.1` unless said, with the port a free one where it is 0. On
    /// `127.0.0.1`, `::1` has the same port beside it, where the machine has IPv6.
    ///
    /// Other servers on the same port: `127.0.0.2` and so on are loopback, too.
    pub fn bind(self, address: SocketAddr) -> Self {
        Self { bind: address, ..self }
    }

    /// Starts the server on a thread of its own.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    pub fn start(self) -> Server {
        Server::start(self)
    }

    pub(super) fn wants_ipv6_too(&self) -> bool {
        self.bind.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST)
    }

    /// The application protocols that it agrees on, in its order of preference.
    pub(super) fn protocols(&self) -> Vec<Vec<u8>> {
        match self.service {
            Service::Dot => vec![b"dot".to_vec()],
            Service::Https { http2, http1 } => {
                let h2 = http2.then(|| b"h2".to_vec());
                h2.into_iter().chain(http1.then(|| b"http/1.1".to_vec())).collect()
            }
        }
    }
}

/// Whether clients need a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// They are not asked for one.
    #[default]
    NotAsked,
    /// They are asked, and one that they show has to be good.
    Optional,
    /// They have to show a good one.
    Required,
}

/// How a client is refused that has no acceptable certificate. In TLS 1.3 the client's handshake is over by then,
/// whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Refusal {
    /// By the alert that says why: `certificate_required`, `unknown_ca`, `certificate_expired`, `access_denied`.
    #[default]
    Alert,
    /// By `close_notify`, as if nothing were wrong.
    CloseNotify,
    /// By the bare end of the connection.
    Eof,
    /// By a reset.
    Reset,
    /// By an HTTP page with status 400, as nginx does. Over DoT by `close_notify`.
    Page,
}

/// Which TLS versions a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2.
    Only12,
    /// 1.3.
    Only13,
}

/// What a server does with the application protocols that a client offers (RFC 7301).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Alpn {
    /// Agrees on one of its own, and refuses by alert a client that offers only others.
    #[default]
    Accept,
    /// Agrees on none.
    Ignore,
    /// Refuses by the alert `no_application_protocol` whatever is offered.
    Refuse,
    /// Agrees on this one, and refuses by alert a client that does not offer it.
    Only(Vec<u8>),
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http {
    /// HTTP/1.1.
    One,
    /// HTTP/2.
    Two,
}

/// What a server says in its SETTINGS (RFC 9113 Section 6.5.2). `None` is the protocol's default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Http2Settings {
    /// `SETTINGS_MAX_CONCURRENT_STREAMS`.
    pub max_concurrent_streams: Option<u32>,
    /// `SETTINGS_INITIAL_WINDOW_SIZE`.
    pub initial_window_size: Option<u32>,
    /// `SETTINGS_MAX_FRAME_SIZE`.
    pub max_frame_size: Option<u32>,
    /// `SETTINGS_HEADER_TABLE_SIZE`.
    pub header_table_size: Option<u32>,
    /// `SETTINGS_MAX_HEADER_LIST_SIZE`.
    pub max_header_list_size: Option<u32>,
}
