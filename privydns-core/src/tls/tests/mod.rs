//! Handshakes between a rustls client and a rustls server in memory: authorities, servers, and a driver without sockets.

use std::io::{self, Read};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;
use crate::error::{CertificateProblem, Stage};
use crate::upstream::Upstream;

mod client_certificates;
mod faults;
mod hashes;
mod pins;
mod server_certificates;
mod sessions;

pub(crate) const CERTIFICATE: &[u8] = include_bytes!("fixtures/ec-certificate.pem");
pub(crate) const KEY: &[u8] = include_bytes!("fixtures/ec-pkcs8.pem");

pub(crate) fn client_certificate() -> ClientCertificate {
    ClientCertificate::from_pem(CERTIFICATE, KEY).unwrap()
}

/// A certificate authority: a root or an intermediate.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its chain, the certificate first, and its key.
struct Issued {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

/// Both ends of one connection.
struct Link {
    client: ClientConnection,
    server: ServerConnection,
}

impl Authority {
    fn root() -> Self {
        Self::root_named("root")
    }

    fn root_named(name: &str) -> Self {
        Self(CertifiedIssuer::self_signed(Self::params(name), KeyPair::generate().unwrap()).unwrap())
    }

    fn below(&self) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(Self::params("intermediate"), key, &self.0).unwrap())
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// Issues a certificate for a name or an address.
    fn issue(&self, name: &str) -> Issued {
        self.issue_with(name, |_| {})
    }

    fn issue_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued { chain: vec![certificate.der().clone()], key }
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    fn roots(&self) -> Roots {
        Roots::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    fn pin(&self) -> Pin {
        pin_of(self.0.key())
    }
}

impl Issued {
    fn with(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.certificate());
        self
    }

    fn pin(&self) -> Pin {
        pin_of(&self.key)
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    fn for_client(&self) -> ClientCertificate {
        let chain = self.chain.iter().map(|certificate| certificate.to_vec());
        ClientCertificate::from_der(chain, &self.key.serialize_der()).unwrap()
    }

    fn server(&self) -> ServerConfig {
        self.server_with(&[&TLS13, &TLS12], None)
    }

    /// A server with these versions. If `clients` is given, the server requires a certificate that it has issued.
    fn server_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> ServerConfig {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        builder.with_single_cert(self.chain.clone(), self.key_der()).unwrap()
    }
}

/// Computes the pin from the key, which rcgen encodes as in a certificate.
fn pin_of(key: &KeyPair) -> Pin {
    use rcgen::PublicKeyData;
    let hash = super::verifier::sha256(&provider()).unwrap().hash(&key.subject_public_key_info());
    Pin::new(hash.as_ref().try_into().unwrap())
}

fn upstream(text: &str) -> Upstream {
    text.parse().unwrap()
}

fn try_setup(upstream: &Upstream) -> Result<TlsSetup, ConfigError> {
    TlsSetup::new(upstream.tls_requirements(), upstream.authentication(), provider())
}

fn setup(upstream: &Upstream) -> TlsSetup {
    try_setup(upstream).unwrap()
}

/// Connects a new upstream to a server, offering `dot`. The error is the cause that a driver would report.
fn connect(upstream: &Upstream, server: ServerConfig) -> Result<Link, (Stage, Cause)> {
    let mut link = Link::new(upstream, &setup(upstream), AlpnOffer::Dot, server);
    link.shake_hands().map(|()| link)
}

#[track_caller]
fn assert_refused(upstream: &Upstream, server: ServerConfig, problem: &CertificateProblem) {
    match connect(upstream, server).map(|_| "accepted") {
        Err((Stage::Tls, Cause::Certificate(found))) => assert_eq!(found, *problem),
        other => panic!("{other:?}"),
    }
}

impl Link {
    fn new(upstream: &Upstream, setup: &TlsSetup, offer: AlpnOffer, server: ServerConfig) -> Self {
        let name = upstream.server_name().clone();
        Self {
            client: ClientConnection::new(setup.client_config(offer), name).unwrap(),
            server: ServerConnection::new(Arc::new(server)).unwrap(),
        }
    }

    /// Runs the handshake and the first read after it.
    fn shake_hands(&mut self) -> Result<(), (Stage, Cause)> {
        loop {
            let stage = if self.client.is_handshaking() { Stage::Tls } else { Stage::Query };
            match self.carry() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err((stage, cause_of(error, stage))),
            }
        }
    }

    /// Transfers bytes once in both directions and returns whether there were any. The error is the client's; errors of
    /// the server become alerts.
    fn carry(&mut self) -> io::Result<bool> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes)?;
        }
        let mut moved = !bytes.is_empty();
        let mut unread = &bytes[..];
        while !unread.is_empty() {
            self.server.read_tls(&mut unread)?;
            if self.server.process_new_packets().is_err() {
                break;
            }
        }
        bytes.clear();
        while self.server.wants_write() {
            self.server.write_tls(&mut bytes)?;
        }
        moved |= !bytes.is_empty();
        let mut unread = &bytes[..];
        while !unread.is_empty() {
            self.client.read_tls(&mut unread)?;
            // The streams of rustls and of the runtimes wrap errors in this way.
            let processed = self.client.process_new_packets();
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        Ok(moved)
    }

    /// Ends the stream without `close_notify` and returns the result of a driver's read.
    fn read_at_end(&mut self) -> io::Result<usize> {
        self.client.read_tls(&mut io::empty())?;
        self.client
            .process_new_packets()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.client.reader().read(&mut [0; 16])
    }
}
