//! What a server has to prove: a path to a root, a pinned key, or both; and a certificate on that path.

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

/// The verifier that an upstream's settings ask for.
pub(super) fn new(
    requirements: &TlsRequirements,
    authentication: Authentication,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    let pins = Pins::of(requirements, provider)?;
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

/// What is pinned, and not there. Carried through rustls to [`cause_of`](super::cause_of).
#[derive(Clone, Copy, Debug)]
pub(super) enum Mismatch {
    /// A key.
    Pin,
    /// A certificate.
    Hash,
}

/// The server has a verified path, and what is pinned is on it, if anything is.
#[derive(Debug)]
struct Path {
    verifier: Arc<dyn ServerCertVerifier>,
    /// `None` where only the platform knows them.
    roots: Option<Arc<RootCertStore>>,
    pins: Vec<Pins>,
}

/// The server's own key is pinned. Nothing else that it sends is verified, so nothing else counts.
#[derive(Debug)]
struct PinnedLeaf {
    pins: Vec<Pins>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Hashes of keys, or of certificates; one of them has to be met.
struct Pins {
    /// What they are hashes of, by what is said where none is met.
    of: Mismatch,
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
                // The authority's name is known, and its key is not: somebody else's, or an old one.
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
                return Err(pins.of.into());
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
                return Err(pins.of.into());
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
    /// All that an upstream has, of each kind that it has.
    fn of(requirements: &TlsRequirements, provider: &CryptoProvider) -> Result<Vec<Self>, ConfigError> {
        let keys = requirements.pins.iter().map(|pin| *pin.as_bytes()).collect::<Vec<_>>();
        let certificates = requirements.hashes.iter().map(|hash| *hash.as_bytes()).collect::<Vec<_>>();
        [(Mismatch::Pin, keys), (Mismatch::Hash, certificates)]
            .into_iter()
            .filter(|(_, hashes)| !hashes.is_empty())
            .map(|(of, hashes)| {
                let sha256 = sha256(provider)
                    .ok_or_else(|| ConfigError::Tls("pins: the crypto provider has no SHA-256".into()))?;
                let algorithms = provider.signature_verification_algorithms;
                Ok(Self { of, hashes, sha256, algorithms })
            })
            .collect()
    }

    fn match_leaf(&self, end_entity: &CertificateDer<'_>) -> Result<bool, rustls::Error> {
        let leaf = ParsedCertificate::try_from(end_entity)?;
        Ok(self.match_certificate(end_entity, &leaf.subject_public_key_info()))
    }

    /// Whether there is a path from the leaf to a root that has what is pinned on it. Asked after the verifier
    /// said that there is a path at all: it looks for its paths in the same way, and stops at another one only
    /// if several are good. Of the root at its end the key is known; its certificate is where
    /// the server sends it, and then it is one of those between.
    fn match_path(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &RootCertStore,
        now: UnixTime,
    ) -> bool {
        let has_pin = |path: &VerifiedPath<'_>| {
            let mut between = path.intermediate_certificates();
            let pinned = matches!(self.of, Mismatch::Pin) && self.contain(&spki_for_anchor(path.anchor()))
                || between.any(|one| self.match_certificate(&one.der(), &one.subject_public_key_info()));
            // Any error sends webpki to the next path; this one is never seen.
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
        match self.of {
            Mismatch::Pin => self.contain(key),
            Mismatch::Hash => to_be_signed(whole).is_some_and(|signed| self.contain(signed)),
        }
    }

    fn contain(&self, hashed: &[u8]) -> bool {
        let hash = self.sha256.hash(hashed);
        self.hashes.iter().any(|pin| pin == hash.as_ref())
    }
}

/// The part of a certificate that is signed, which is the first in it, with its tag and length (RFC 5280 Section
/// 4.1). `None` for what is no DER of a certificate.
pub(super) fn to_be_signed(certificate: &[u8]) -> Option<&[u8]> {
    let (_, parts) = sequence(certificate)?;
    sequence(parts).map(|(whole, _)| whole)
}

/// The SEQUENCE at the beginning, whole, and what is in it. webpki has read the certificate before, so that its DER is
/// in order, and takes none of more than 65535 octets.
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

/// The provider's SHA-256, which it has for its cipher suites.
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
            Self::Pin => "the server's key matches no configured pin",
            Self::Hash => "the server's path has no certificate with a configured hash",
        })
    }
}

impl std::error::Error for Mismatch {}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pins")
            .field("of", &self.of)
            .field("hashes", &self.hashes.len())
            .finish_non_exhaustive()
    }
}
