//! Verification of servers: a path to a root, a pinned key, or both, and a hashed certificate on the path.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::hash::{Hash, HashAlgorithm};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme, SupportedCipherSuite,
};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath, spki_for_anchor};

use super::{Authentication, TlsRequirements};
use crate::error::ConfigError;

/// Creates the verifier for an upstream's requirements.
pub(super) fn new(
    requirements: &TlsRequirements,
    authentication: Authentication,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    let pins = Pins::new(requirements, provider)?;
    if authentication == Authentication::PinsAlone {
        return Ok(Arc::new(PinnedLeaf { pins, algorithms: provider.signature_verification_algorithms }));
    }
    let roots = requirements.roots.store();
    let path = match roots.clone() {
        None => platform_verifier(provider)?,
        Some(roots) => WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| ConfigError::Tls(format!("roots: {error}")))?,
    };
    Ok(Arc::new(Path { verifier: path, roots, pins }))
}

#[cfg(feature = "platform-verifier")]
fn platform_verifier(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    match rustls_platform_verifier::Verifier::new(provider.clone()) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) => Err(ConfigError::Tls(format!("the platform's verifier: {error}"))),
    }
}

#[cfg(not(feature = "platform-verifier"))]
fn platform_verifier(_: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    Err(ConfigError::Tls("the feature `platform-verifier` is off".into()))
}

/// The error for a missing pinned key or hashed certificate. rustls passes the error on to [`cause_of`](super::cause_of).
#[derive(Clone, Copy, Debug)]
pub(super) enum Mismatch {
    /// A key.
    Pin,
    /// A certificate.
    Hash,
}

/// A verifier for servers with a path to a root. If there are pins or hashes, the path must match them.
#[derive(Debug)]
struct Path {
    verifier: Arc<dyn ServerCertVerifier>,
    /// `None` for the platform's roots.
    roots: Option<Arc<RootCertStore>>,
    pins: Vec<Pins>,
}

/// A verifier for servers with a pinned key. Only the server's own key is compared, because the path is not verified.
#[derive(Debug)]
struct PinnedLeaf {
    pins: Vec<Pins>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Hashes of keys or of certificates, one of which must match.
struct Pins {
    /// The kind of the hashes, as the error if no hash matches.
    kind: Mismatch,
    hashes: Vec<[u8; 32]>,
    sha256: &'static dyn Hash,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Path {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| match error {
                // An issuer with the name of a known root but another key.
                rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
                    CertificateError::UnknownIssuer.into()
                }
                error => error,
            })?;
        let roots = self.roots.as_deref();
        for pins in &self.pins {
            let is_met = pins.match_leaf(end_entity)?
                || roots.is_some_and(|roots| pins.match_path(end_entity, intermediates, roots, now));
            if !is_met {
                return Err(pins.kind.into());
            }
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl ServerCertVerifier for PinnedLeaf {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        for pins in &self.pins {
            if !pins.match_leaf(end_entity)? {
                return Err(pins.kind.into());
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Pins {
    /// The pins and the hashes of the requirements, without empty sets.
    fn new(requirements: &TlsRequirements, provider: &CryptoProvider) -> Result<Vec<Self>, ConfigError> {
        let keys = requirements.pins.iter().map(|pin| *pin.as_bytes()).collect::<Vec<_>>();
        let certificates = requirements.hashes.iter().map(|hash| *hash.as_bytes()).collect::<Vec<_>>();
        [(Mismatch::Pin, keys), (Mismatch::Hash, certificates)]
            .into_iter()
            .filter(|(_, hashes)| !hashes.is_empty())
            .map(|(kind, hashes)| {
                let sha256 = sha256(provider)
                    .ok_or_else(|| ConfigError::Tls("pins: the crypto provider has no SHA-256".into()))?;
                let algorithms = provider.signature_verification_algorithms;
                Ok(Self { kind, hashes, sha256, algorithms })
            })
            .collect()
    }

    fn match_leaf(&self, end_entity: &CertificateDer<'_>) -> Result<bool, rustls::Error> {
        let leaf = ParsedCertificate::try_from(end_entity)?;
        Ok(self.match_certificate(end_entity, &leaf.subject_public_key_info()))
    }

    /// Whether a path from the leaf to a root matches. Called after the verifier has found a path. This search visits
    /// the paths in the same order, so it ends at a different path only if several paths are valid. Only the key of the
    /// root is known. If the server sends the root's certificate, that certificate is one of the intermediates.
    fn match_path(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &RootCertStore,
        now: UnixTime,
    ) -> bool {
        let has_pin = |path: &VerifiedPath<'_>| {
            let mut intermediates = path.intermediate_certificates();
            let pinned = matches!(self.kind, Mismatch::Pin) && self.contain(&spki_for_anchor(path.anchor()))
                || intermediates
                    .any(|one| self.match_certificate(&one.der(), &one.subject_public_key_info()));
            // Any error makes webpki try the next path; this error is not reported.
            if pinned { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
        };
        EndEntityCert::try_from(end_entity).is_ok_and(|leaf| {
            leaf.verify_for_usage(
                self.algorithms.all,
                &roots.roots,
                intermediates,
                now,
                KeyUsage::server_auth(),
                None,
                Some(&has_pin),
            )
            .is_ok()
        })
    }

    fn match_certificate(&self, whole: &CertificateDer<'_>, key: &SubjectPublicKeyInfoDer<'_>) -> bool {
        match self.kind {
            Mismatch::Pin => self.contain(key),
            Mismatch::Hash => to_be_signed(whole).is_some_and(|signed| self.contain(signed)),
        }
    }

    fn contain(&self, hashed: &[u8]) -> bool {
        let hash = self.sha256.hash(hashed);
        self.hashes.iter().any(|pin| pin == hash.as_ref())
    }
}

/// Returns the signed part of a certificate with its tag and length: the first element of the certificate (RFC 5280
/// Section 4.1). `None` for bytes that are not the DER of a certificate.
pub(super) fn to_be_signed(certificate: &[u8]) -> Option<&[u8]> {
    let (_, parts) = sequence(certificate)?;
    sequence(parts).map(|(whole, _)| whole)
}

/// Returns the SEQUENCE at the beginning and its contents. webpki has parsed the certificate before, so its DER is valid
/// and not longer than 65535 bytes.
fn sequence(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    let (header, length) = match *der {
        [SEQUENCE, length, ..] if length < 0x80 => (2, usize::from(length)),
        [SEQUENCE, 0x81, length, ..] => (3, usize::from(length)),
        [SEQUENCE, 0x82, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        _ => return None,
    };
    let whole = der.get(..header + length)?;
    Some((whole, &whole[header..]))
}

/// Returns the SHA-256 of the provider's cipher suites.
pub(super) fn sha256(provider: &CryptoProvider) -> Option<&'static dyn Hash> {
    provider
        .cipher_suites
        .iter()
        .map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
            SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
        })
        .find(|hash| hash.algorithm() == HashAlgorithm::SHA256)
}

impl From<Mismatch> for rustls::Error {
    fn from(mismatch: Mismatch) -> Self {
        CertificateError::Other(OtherError(Arc::new(mismatch))).into()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "no key on the server's path matches a configured pin",
            Self::Hash => "no certificate on the server's path matches a configured hash",
        })
    }
}

impl std::error::Error for Mismatch {}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pins")
            .field("kind", &self.kind)
            .field("hashes", &self.hashes.len())
            .finish_non_exhaustive()
    }
}
