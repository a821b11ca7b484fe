//! The client certificate, and whether a server has requested and accepted one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};

use crate::error::{ConfigError, Error};

/// A certificate and its private key, with which this client authenticates itself (mutual TLS).
///
/// The constructors check that the key is supported and matches the certificate. `Debug` does not print the key.
///
/// ```no_run
/// use privydns_core::{ClientCertificate, Upstream};
///
/// let certificate = ClientCertificate::from_pem(&std::fs::read("client.pem")?, &std::fs::read("client.key")?)?;
/// let upstream = Upstream::tls("192.0.2.1#dns.corp.example")?.client_certificate(certificate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientCertificate(Arc<CertifiedKey>);

impl ClientCertificate {
    /// Parses PEM. `chain` is the certificate, followed by intermediate certificates, if any. `key` is PKCS#8 (`PRIVATE
    /// KEY`), SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`). If one text contains both, pass it for both.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] if certificate or key are missing or malformed, if the key is encrypted, if the crypto
    /// provider does not support the type of key, or if the key does not match the certificate.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| problem(format!("client certificate: {error}")))?;
        Self::new(chain, key_from_pem(key)?)
    }

    /// Parses DER. `chain` is the certificate, followed by intermediate certificates, if any. `key` is PKCS#8, SEC1 or
    /// PKCS#1.
    ///
    /// # Errors
    /// The errors of [`from_pem`](Self::from_pem).
    pub fn from_der(chain: impl IntoIterator<Item = Vec<u8>>, key: &[u8]) -> Result<Self, Error> {
        let key = PrivateKeyDer::try_from(key).map_err(|_| {
            problem("client key: neither PKCS#8, SEC1 nor PKCS#1; encrypted keys are not supported")
        })?;
        Self::new(chain.into_iter().map(CertificateDer::from).collect(), key.clone_key())
    }

    /// Certificate and key for rustls.
    pub(super) fn certified_key(&self) -> Arc<CertifiedKey> {
        self.0.clone()
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        if chain.is_empty() {
            return Err(problem("client certificate: none found"));
        }
        match CertifiedKey::from_der(chain, key, &super::provider()) {
            Ok(certified) => Ok(Self(Arc::new(certified))),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(problem("client key: not the key of the client certificate"))
            }
            Err(rustls::Error::InvalidCertificate(error)) => {
                Err(problem(format!("client certificate: {error}")))
            }
            Err(error) => Err(problem(format!("client key: {error}"))),
        }
    }
}

fn key_from_pem(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    // Encrypted PKCS#8 keys have a label of their own; the older formats have a header.
    let is_encrypted = |pem: &[u8]| {
        let has = |mark: &[u8]| pem.windows(mark.len()).any(|window| window == mark);
        has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
    };
    if is_encrypted(pem) {
        return Err(problem("client key: encrypted; decrypt it first, for example with `openssl pkey`"));
    }
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => Err(problem("client key: none found")),
        Err(error) => Err(problem(format!("client key: {error}"))),
    }
}

fn problem(text: impl Into<String>) -> Error {
    ConfigError::Tls(text.into()).into()
}

/// Compares the certificates only, because each key matches its certificate.
impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.cert == other.0.cert
    }
}

impl Eq for ClientCertificate {}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").field("certificates", &self.0.cert.len()).finish_non_exhaustive()
    }
}

/// The client certificate for one upstream; whether the server has requested a certificate, and whether the server has
/// answered a query after that.
#[derive(Debug)]
pub(super) struct ClientAuthentication {
    certificate: Option<ClientCertificate>,
    requested: AtomicBool,
    accepted: AtomicBool,
}

impl ClientAuthentication {
    pub(super) fn new(certificate: Option<&ClientCertificate>) -> Self {
        let [requested, accepted] = [AtomicBool::new(false), AtomicBool::new(false)];
        Self { certificate: certificate.cloned(), requested, accepted }
    }

    pub(super) fn note_accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// Whether the server has requested a certificate but has not answered a query since.
    pub(super) fn may_be_refused(&self) -> bool {
        self.requested.load(Ordering::Relaxed) && !self.accepted.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for ClientAuthentication {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        self.certificate.as_ref().map(ClientCertificate::certified_key)
    }

    fn has_certs(&self) -> bool {
        self.certificate.is_some()
    }
}
