//! Whom to believe about a server's name.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{ConfigError, Error};

/// The authorities that may have issued a server's certificate.
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
    /// Mozilla's, compiled in: the same everywhere, and as old as the build.
    #[default]
    WebPki,
    /// The operating system's, with what its administrator added and removed. The system does not tell which
    /// path it verified, so that pins and hashes are compared with the server's own key and certificate alone.
    #[cfg(feature = "platform-verifier")]
    Platform,
    /// These alone; usually made by [`from_pem`](Self::from_pem).
    Custom(Arc<RootCertStore>),
}

impl Roots {
    /// Reads the certificates of authorities from PEM; everything else in it is passed over.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] where there is none, or one is malformed.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ConfigError::Tls(format!("roots: {error}")))?;
        Self::new(certificates)
    }

    /// Takes the certificates of authorities in DER.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] where there is none, or one is malformed.
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

    /// The roots as rustls has them; `None` for the platform's, which only the platform knows.
    #[cfg_attr(
        not(feature = "platform-verifier"),
        expect(clippy::unnecessary_wraps, reason = "the feature adds the one that has none")
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
