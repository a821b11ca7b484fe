//! What a server has to prove: a path to a root, a pinned key, or both.

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
use webpki::{Cert, EndEntityCert, KeyUsage, VerifiedPath, spki_for_anchor};

use super::Pin;
use crate::error::ConfigError;
use crate::upstream::{Authentication, Upstream};

/// The verifier that an upstream's settings ask for.
pub(super) fn for_upstream(
    upstream: &Upstream,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConfigError> {
    if upstream.authentication() == Authentication::PinsAlone {
        return Ok(Arc::new(PinnedLeaf { pins: Pins::new(upstream.pins(), provider)? }));
    }
    let roots = upstream.trusted_roots().store();
    let path = match roots.clone() {
        None => platform_verifier(provider)?,
        Some(roots) => WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| ConfigError::Tls(format!("roots: {error}")))?,
    };
    let pins = match upstream.pins() {
        [] => None,
        pins => Some(Pins::new(pins, provider)?),
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

/// No pin matches. Carried through rustls to [`cause_of`](super::cause_of).
#[derive(Debug)]
pub(super) struct PinMismatch;

/// The server has a verified path, and one of the keys on it is pinned, if any is.
#[derive(Debug)]
struct Path {
    verifier: Arc<dyn ServerCertVerifier>,
    /// `None` where only the platform knows them.
    roots: Option<Arc<RootCertStore>>,
    pins: Option<Pins>,
}

/// The server's own key is pinned. Nothing else that it sends is verified, so nothing else counts.
#[derive(Debug)]
struct PinnedLeaf {
    pins: Pins,
}

struct Pins {
    hashes: Vec<Pin>,
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
        let Some(pins) = &self.pins else {
            return Ok(verified);
        };
        let roots = self.roots.as_deref();
        if pins.match_leaf(end_entity)?
            || roots.is_some_and(|roots| pins.match_path(end_entity, intermediates, roots, now))
        {
            return Ok(verified);
        }
        Err(PinMismatch.into())
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
        if self.pins.match_leaf(end_entity)? {
            return Ok(ServerCertVerified::assertion());
        }
        Err(PinMismatch.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.pins.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.pins.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.pins.algorithms.supported_schemes()
    }
}

impl Pins {
    fn new(pins: &[Pin], provider: &CryptoProvider) -> Result<Self, ConfigError> {
        let sha256 = sha256(provider)
            .ok_or_else(|| ConfigError::Tls("pins: the crypto provider has no SHA-256".into()))?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { hashes: pins.to_vec(), sha256, algorithms })
    }

    fn match_leaf(&self, end_entity: &CertificateDer<'_>) -> Result<bool, rustls::Error> {
        Ok(self.contain(&ParsedCertificate::try_from(end_entity)?.subject_public_key_info()))
    }

    /// Whether there is a path from the leaf to a root that has a pinned key on it. Asked after the verifier
    /// said that there is a path at all: it looks for its paths in the same way, and stops at another one only
    /// if several are good.
    fn match_path(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &RootCertStore,
        now: UnixTime,
    ) -> bool {
        let has_pin = |path: &VerifiedPath<'_>| {
            let mut between = path.intermediate_certificates().map(Cert::subject_public_key_info);
            let pinned =
                self.contain(&spki_for_anchor(path.anchor())) || between.any(|key| self.contain(&key));
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

    fn contain(&self, key: &SubjectPublicKeyInfoDer<'_>) -> bool {
        let hash = self.sha256.hash(key);
        self.hashes.iter().any(|pin| pin.as_bytes() == hash.as_ref())
    }
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

impl From<PinMismatch> for rustls::Error {
    fn from(mismatch: PinMismatch) -> Self {
        CertificateError::Other(OtherError(Arc::new(mismatch))).into()
    }
}

impl fmt::Display for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server's key matches no configured pin")
    }
}

impl std::error::Error for PinMismatch {}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hashes.fmt(f)
    }
}
