//! Trusted root certificates.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{ConfigError, Error};

/// The root certificates that a server's certificate must chain to.
///
/// ```no_run
/// use privydns_core::{Roots, Upstream};
///
/// let roots = Roots::from_pem(&std::fs::read("ca.pem")?)?;
/// let upstream = Upstream::tls("192.0.2.1#dns.corp.example")?.roots(roots);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Roots {
    /// Mozilla's roots, compiled in: equal on all systems and as old as the build.
    #[default]
    WebPki,
    /// The operating system's roots with the changes of its administrator. The system does not report the verified path,
    /// so pins and hashes are only compared with the server's own key and certificate.
    #[cfg(feature = "platform-verifier")]
    Platform,
    /// These roots only. Usually created with [`from_pem`](Self::from_pem).
    Custom(Arc<RootCertStore>),
}

impl Roots {
    /// Parses root certificates from PEM. Other PEM sections are ignored.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] without certificates, and for a malformed certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ConfigError::Tls(format!("roots: {error}")))?;
        Self::new(certificates)
    }

    /// Parses root certificates from DER.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] without certificates, and for a malformed certificate.
    pub fn from_der(certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, Error> {
        Self::new(certificates.into_iter().map(CertificateDer::from).collect())
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let mut store = RootCertStore::empty();
        for certificate in certificates {
            store.add(certificate).map_err(|error| ConfigError::Tls(format!("roots: {error}")))?;
        }
        if store.is_empty() {
            return Err(ConfigError::Tls("roots: no certificate found".into()).into());
        }
        Ok(Self::Custom(Arc::new(store)))
    }

    /// The roots for rustls. `None` for the platform's roots, which only its verifier knows.
    #[cfg_attr(
        not(feature = "platform-verifier"),
        expect(clippy::unnecessary_wraps, reason = "only the platform's roots are `None`, with its feature")
    )]
    pub(super) fn store(&self) -> Option<Arc<RootCertStore>> {
        match self {
            Self::WebPki => Some(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })),
            #[cfg(feature = "platform-verifier")]
            Self::Platform => None,
            Self::Custom(store) => Some(store.clone()),
        }
    }
}

impl PartialEq for Roots {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Custom(left), Self::Custom(right)) => left.roots == right.roots,
            (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
        }
    }
}

impl Eq for Roots {}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WebPki => f.write_str("WebPki"),
            #[cfg(feature = "platform-verifier")]
            Self::Platform => f.write_str("Platform"),
            Self::Custom(store) => f.debug_tuple("Custom").field(&store.len()).finish(),
        }
    }
}
