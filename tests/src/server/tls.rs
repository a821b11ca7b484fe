//! TLS configurations, one for each choice that a setup or a script can make.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    NoServerSessionStorage, ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier,
};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme, version,
};

use super::settings::{Alpn, ClientAuthentication, Refusal, Setup, TlsVersions};
use crate::authority::{Authority, ServerCertificate};
use crate::script::ConnectionFault;

/// How many sessions a server remembers for clients that come back.
const SESSIONS: usize = 4096;

/// Everything about TLS that connections of one server can differ in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    certificate: ServerCertificate,
    alpn: Alpn,
    versions: TlsVersions,
    judgement: Judgement,
}

/// What becomes of clients' certificates in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    NotAsked,
    Optional,
    Required,
    /// Any will do, and none: the server looks at them after the handshake.
    Later,
    /// None will do.
    RefuseAll,
}

impl Choice {
    pub(super) fn new(setup: &Setup, faults: &[ConnectionFault]) -> Self {
        let mut choice = Self {
            certificate: setup.certificate,
            alpn: setup.alpn.clone(),
            versions: setup.tls,
            judgement: match (setup.client_authentication, setup.refusal) {
                (ClientAuthentication::NotAsked, _) => Judgement::NotAsked,
                (ClientAuthentication::Optional, Refusal::Alert) => Judgement::Optional,
                (ClientAuthentication::Required, Refusal::Alert) => Judgement::Required,
                (ClientAuthentication::Optional | ClientAuthentication::Required, _) => Judgement::Later,
            },
        };
        for fault in faults {
            match fault {
                ConnectionFault::Certificate(certificate) => choice.certificate = *certificate,
                ConnectionFault::Alpn(alpn) => choice.alpn = alpn.clone(),
                ConnectionFault::Tls(versions) => choice.versions = *versions,
                ConnectionFault::RefuseClient(Refusal::Alert) => choice.judgement = Judgement::RefuseAll,
                ConnectionFault::RefuseClient(_) => choice.judgement = Judgement::Later,
                _ => {}
            }
        }
        choice
    }
}

/// Makes configurations, and remembers the sessions that they share.
#[derive(Debug)]
pub(super) struct Tls {
    authority: Arc<Authority>,
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
    protocols: Vec<Vec<u8>>,
    tickets: usize,
    sessions: Arc<Sessions>,
    /// The configuration made last: most connections want the one before.
    last: Mutex<Option<(Choice, Arc<ServerConfig>)>>,
}

impl Tls {
    pub(super) fn new(setup: &Setup) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = Arc::new(setup.authority.root_store());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .expect("there is a root, and no revocation list");
        Self {
            authority: setup.authority.clone(),
            provider,
            verifier,
            protocols: setup.protocols(),
            tickets: setup.tickets,
            sessions: Arc::new(Sessions::new()),
            last: Mutex::default(),
        }
    }

    pub(super) fn config(&self, choice: &Choice) -> Arc<ServerConfig> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((made_for, config)) if made_for == choice => config.clone(),
            _ => {
                let config = Arc::new(self.make(choice));
                *last = Some((choice.clone(), config.clone()));
                config
            }
        }
    }

    /// Whether a client with this chain is welcome.
    pub(super) fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let [leaf, intermediates @ ..] = chain else { return false };
        self.verifier.verify_client_cert(leaf, intermediates, UnixTime::now()).is_ok()
    }

    /// Makes every client's tickets worthless.
    pub(super) fn forget_sessions(&self) {
        self.sessions.clear();
    }

    fn make(&self, choice: &Choice) -> ServerConfig {
        let versions: &[_] = match choice.versions {
            TlsVersions::Both => &[&version::TLS12, &version::TLS13],
            TlsVersions::Only12 => &[&version::TLS12],
            TlsVersions::Only13 => &[&version::TLS13],
        };
        let identity = self.authority.server(choice.certificate);
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(versions)
            .expect("the provider has suites for every version");
        let builder = match choice.judgement {
            Judgement::NotAsked => builder.with_no_client_auth(),
            judgement => {
                let verifier = self.verifier.clone();
                builder.with_client_cert_verifier(Arc::new(Judge { verifier, judgement }))
            }
        };
        let mut config = builder
            .with_single_cert(identity.chain_der().to_vec(), identity.key_der())
            .expect("the key is the certificate's");
        config.alpn_protocols = match &choice.alpn {
            Alpn::Accept => self.protocols.clone(),
            Alpn::Ignore => Vec::new(),
            Alpn::Refuse => vec![b"none that anybody offers".to_vec()],
            Alpn::Only(protocol) => vec![protocol.clone()],
        };
        config.send_tls13_tickets = self.tickets;
        // A resumed client is not asked for its certificate again, so that it could not be refused either.
        config.session_storage = match choice.judgement {
            Judgement::RefuseAll => Arc::new(NoServerSessionStorage {}),
            _ if self.tickets == 0 => Arc::new(NoServerSessionStorage {}),
            _ => self.sessions.clone(),
        };
        config
    }
}

/// Sessions that can be forgotten.
#[derive(Debug)]
struct Sessions(Mutex<Arc<ServerSessionMemoryCache>>);

impl Sessions {
    fn new() -> Self {
        Self(Mutex::new(ServerSessionMemoryCache::new(SESSIONS)))
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ServerSessionMemoryCache::new(SESSIONS);
    }

    fn current(&self) -> Arc<ServerSessionMemoryCache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.current().put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.current().get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.current().take(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// Verifies clients' certificates, or only seems to.
#[derive(Debug)]
struct Judge {
    verifier: Arc<dyn ClientCertVerifier>,
    judgement: Judgement,
}

impl ClientCertVerifier for Judge {
    fn client_auth_mandatory(&self) -> bool {
        matches!(self.judgement, Judgement::Required | Judgement::RefuseAll)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.judgement {
            Judgement::Later => Ok(ClientCertVerified::assertion()),
            Judgement::RefuseAll => Err(CertificateError::ApplicationVerificationFailure.into()),
            _ => self.verifier.verify_client_cert(leaf, intermediates, now),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
