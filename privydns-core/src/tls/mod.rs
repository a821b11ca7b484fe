//! TLS: rustls configurations from an upstream's requirements.
//!
//! This module does no I/O. Certificates are passed as bytes. The result is one `Arc<rustls::ClientConfig>` for each
//! offer of application protocols.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls::client::{ResolvesClientCert, Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};

use crate::error::{Cause, ConfigError, Error, HttpProblem, RuntimeError};

mod failure;
mod identity;
mod pins;
mod requirements;
mod roots;
mod tickets;
mod verifier;

pub use failure::cause_of;
pub use identity::ClientCertificate;
pub use pins::{Pin, TbsHash};
pub(crate) use requirements::{Authentication, TlsRequirements};
pub use roots::Roots;

/// A version of TLS. Older versions are not supported (RFC 8310 Section 9, RFC 9325).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246), which shows a client's certificate to on-path observers.
    #[cfg_attr(feature = "serde", serde(rename = "1.2"))]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[cfg_attr(feature = "serde", serde(rename = "1.3"))]
    Tls13,
}

/// The application protocols offered in a handshake (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlpnOffer {
    /// `dot`.
    Dot,
    /// No offer: for a DoT server that refuses `dot`.
    None,
    /// `h2`, then `http/1.1`.
    H2AndHttp1,
    /// `h2` alone.
    H2,
    /// `http/1.1` alone.
    Http1,
}

/// The TLS configurations of one upstream, one for each ALPN offer, with a shared verifier and a shared ticket store.
pub(crate) struct TlsSetup {
    base: ClientConfig,
    configs: Mutex<[Arc<ClientConfig>; AlpnOffer::ALL.len()]>,
    client_authentication: Arc<identity::ClientAuthentication>,
}

/// Returns the crypto provider that the features select: `aws-lc-rs`, which supports post-quantum key exchange, or
/// otherwise `ring`.
///
/// Each call returns a new value. No process-wide default is installed.
pub fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    let provider = rustls::crypto::ring::default_provider();
    #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
    let provider =
        compile_error!("one of the features `aws-lc-rs` and `ring` is needed: the crypto provider");
    Arc::new(provider)
}

/// Returns random bytes from [`provider`], for the seed of an engine and the secret of a cache.
///
/// Drivers call this function before they create an engine. The engine does not call it.
///
/// # Errors
/// [`RuntimeError::NoRandomness`] if the system returns no randomness.
pub fn seed() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    match provider().secure_random.fill(&mut seed) {
        Ok(()) => Ok(seed),
        Err(_) => Err(RuntimeError::NoRandomness.into()),
    }
}

impl TlsSetup {
    pub(crate) fn new(
        requirements: &TlsRequirements,
        authentication: Authentication,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ConfigError> {
        let verifier = verifier::new(requirements, authentication, &provider)?;
        let client_authentication =
            Arc::new(identity::ClientAuthentication::new(requirements.client_certificate.as_ref()));
        let versions: &[_] = match requirements.minimum_version() {
            TlsVersion::Tls12 => &[&TLS13, &TLS12],
            TlsVersion::Tls13 => &[&TLS13],
        };
        let base = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| ConfigError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(client_authentication.clone() as Arc<dyn ResolvesClientCert>);
        let configs = Mutex::new(configs(&base));
        Ok(Self { base, configs, client_authentication })
    }

    pub(crate) fn client_config(&self, offer: AlpnOffer) -> Arc<ClientConfig> {
        self.configs.lock().unwrap_or_else(PoisonError::into_inner)[offer as usize].clone()
    }

    /// Forgets all tickets, so that later connections cannot be linked to earlier ones (RFC 9250 Section 5.5.3). Tickets
    /// that existing connections still receive are stored where new connections do not look.
    pub(crate) fn forget_tickets(&self) {
        *self.configs.lock().unwrap_or_else(PoisonError::into_inner) = configs(&self.base);
    }

    /// Records that the server has answered and has therefore accepted the client's certificate, if it required one.
    pub(crate) fn note_answer(&self) {
        self.client_authentication.note_accepted();
    }

    /// Interprets the `cause` that ended a connection before its first answer. A server that refuses or misses the
    /// client's certificate may close the connection without an alert, or send an HTML page (nginx). The cause is the
    /// client's certificate if the server has requested one and has never answered.
    pub(crate) fn cause_before_first_answer(&self, cause: Cause) -> Cause {
        let reason = match &cause {
            Cause::Closed => "it asked for one, then closed",
            Cause::Http(HttpProblem::Status { code: 400, .. }) => {
                "it asked for one, then sent HTTP status 400"
            }
            _ => return cause,
        };
        if self.client_authentication.may_be_refused() {
            Cause::ClientCertificate(reason.into())
        } else {
            cause
        }
    }
}

/// Creates a configuration for each offer, with one new ticket store for all.
fn configs(base: &ClientConfig) -> [Arc<ClientConfig>; AlpnOffer::ALL.len()] {
    let resumption =
        Resumption::store(Arc::new(tickets::Tickets::new())).tls12_resumption(Tls12Resumption::Disabled);
    AlpnOffer::ALL.map(|offer| {
        let mut config = base.clone();
        config.resumption = resumption.clone();
        config.alpn_protocols = offer.tokens().iter().map(|token| token.to_vec()).collect();
        Arc::new(config)
    })
}

impl AlpnOffer {
    /// All offers in the order of their declaration: `offer as usize` is the index.
    const ALL: [Self; 5] = [Self::Dot, Self::None, Self::H2AndHttp1, Self::H2, Self::Http1];

    fn tokens(self) -> &'static [&'static [u8]] {
        match self {
            Self::Dot => &[b"dot"],
            Self::None => &[],
            Self::H2AndHttp1 => &[b"h2", b"http/1.1"],
            Self::H2 => &[b"h2"],
            Self::Http1 => &[b"http/1.1"],
        }
    }
}

impl fmt::Debug for TlsSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSetup")
            .field("client_authentication", &self.client_authentication)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
