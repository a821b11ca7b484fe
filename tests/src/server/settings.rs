//! The configuration of a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::Server;
use crate::authority::{Authority, ServerCertificate};
use crate::script::Script;
use crate::zone::{Manner, Padding, Zone};

/// The configuration of a server: the protocols, the certificates, the zone and the faults.
/// [`start`](Self::start) starts the server.
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

/// The protocol inside TLS.
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

    /// The authority that issues the server's certificate and that client certificates must be from. Default:
    /// [`Authority::shared`].
    pub fn authority(self, authority: Arc<Authority>) -> Self {
        Self { authority, ..self }
    }

    /// The certificate that the server presents. Default: a valid one.
    pub fn certificate(self, certificate: ServerCertificate) -> Self {
        Self { certificate, ..self }
    }

    /// Whether clients need a certificate. Default: no certificate is requested.
    pub fn client_authentication(self, client_authentication: ClientAuthentication) -> Self {
        Self { client_authentication, ..self }
    }

    /// Short for [`ClientAuthentication::Required`]: mutual TLS.
    pub fn mutual(self) -> Self {
        self.client_authentication(ClientAuthentication::Required)
    }

    /// How clients without an acceptable certificate are refused. Default: by an alert.
    pub fn refusal(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    /// The TLS versions that the server supports. Default: 1.2 and 1.3.
    pub fn tls(self, tls: TlsVersions) -> Self {
        Self { tls, ..self }
    }

    /// The number of tickets that the server sends in each TLS 1.3 handshake. Default: 2. With 0, sessions are
    /// never resumed, in either TLS version.
    pub fn tickets(self, tickets: usize) -> Self {
        Self { tickets, ..self }
    }

    /// How the server handles ALPN. Default: it selects a protocol that the server speaks.
    pub fn alpn(self, alpn: Alpn) -> Self {
        Self { alpn, ..self }
    }

    /// The HTTP version that the server speaks, whatever ALPN negotiates. Real servers exist that negotiate
    /// `h2` and speak HTTP/1.1. Default: the negotiated version; if ALPN negotiates none, HTTP/2 if supported.
    pub fn speaks(self, version: Http) -> Self {
        Self { speaks: Some(version), ..self }
    }

    /// The zone that the server answers from. Default: [`Zone::example`].
    pub fn zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The timeout in the EDNS keepalive option (RFC 7828). Default: the server does not send this option.
    pub fn keepalive(mut self, timeout: Duration) -> Self {
        self.manner.keepalive = Some(timeout);
        self
    }

    /// When the server pads answers. Default: if the query is padded.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.manner.padding = padding;
        self
    }

    /// The faults of the server. Default: no faults.
    pub fn script(self, script: Script) -> Self {
        Self { script, ..self }
    }

    /// The path of DNS over HTTPS. Default: `/dns-query`.
    pub fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// The server's HTTP/2 SETTINGS. Default: the values of the `h2` crate.
    pub fn http2_settings(self, http2: Http2Settings) -> Self {
        Self { http2, ..self }
    }

    /// The address to listen on. Default: `127.0.0.1`, with a free port, which port 0 stands for. A server on
    /// `127.0.0.1` also listens on the same port of `::1`, if the machine has IPv6.
    ///
    /// Several servers can use the same port with different loopback addresses, such as `127.0.0.2`.
    pub fn bind(self, address: SocketAddr) -> Self {
        Self { bind: address, ..self }
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// If the server cannot listen.
    pub fn start(self) -> Server {
        Server::start(self)
    }

    pub(super) fn wants_ipv6_too(&self) -> bool {
        self.bind.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST)
    }

    /// The application protocols of the server, in order of preference.
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
    /// No certificate is requested.
    #[default]
    NotAsked,
    /// A certificate is requested. Clients without one are accepted; an invalid one is refused.
    Optional,
    /// A valid certificate is required.
    Required,
}

/// How a client without an acceptable certificate is refused. In TLS 1.3, the client's handshake is already
/// complete when the client is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Refusal {
    /// By the alert that states the reason: `certificate_required`, `unknown_ca`, `certificate_expired`,
    /// `access_denied`.
    #[default]
    Alert,
    /// By `close_notify`, as at the regular end of a connection.
    CloseNotify,
    /// By TCP FIN without an alert.
    Eof,
    /// By a TCP reset.
    Reset,
    /// By an HTTP page with status 400, as nginx does. Over DoT, by `close_notify`.
    Page,
}

/// Which TLS versions a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TlsVersions {
    /// TLS 1.2 and 1.3.
    #[default]
    Both,
    /// TLS 1.2.
    Only12,
    /// TLS 1.3.
    Only13,
}

/// How a server handles the application protocols that a client offers (RFC 7301).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Alpn {
    /// The server selects a protocol that it speaks. A client that offers only others is refused by an alert.
    #[default]
    Accept,
    /// The server ignores the extension and selects no protocol.
    Ignore,
    /// The server always refuses, by the alert `no_application_protocol`.
    Refuse,
    /// The server selects this protocol. A client that does not offer it is refused by an alert.
    Only(Vec<u8>),
}

/// An HTTP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http {
    /// HTTP/1.1.
    One,
    /// HTTP/2.
    Two,
}

/// The values in a server's SETTINGS frame (RFC 9113 Section 6.5.2). `None` is the protocol's default.
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
