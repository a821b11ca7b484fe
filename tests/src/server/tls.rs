//! TLS configurations, one for each combination of settings and faults.

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

/// The number of sessions that a server stores for resumption.
const SESSIONS: usize = 4096;

/// The TLS settings that can differ between connections of one server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    certificate: ServerCertificate,
    alpn: Alpn,
    versions: TlsVersions,
    client_check: ClientCheck,
}

/// How client certificates are verified during the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientCheck {
    NotAsked,
    Optional,
    Required,
    /// All clients are accepted, with or without a certificate. The server verifies certificates after the
    /// handshake.
    Later,
    /// All clients are refused.
    RefuseAll,
}

impl Choice {
    pub(super) fn new(setup: &Setup, faults: &[ConnectionFault]) -> Self {
        let mut choice = Self {
            certificate: setup.certificate,
            alpn: setup.alpn.clone(),
            versions: setup.tls,
            client_check: match (setup.client_authentication, setup.refusal) {
                (ClientAuthentication::NotAsked, _) => ClientCheck::NotAsked,
                (ClientAuthentication::Optional, Refusal::Alert) => ClientCheck::Optional,
                (ClientAuthentication::Required, Refusal::Alert) => ClientCheck::Required,
                (ClientAuthentication::Optional | ClientAuthentication::Required, _) => ClientCheck::Later,
            },
        };
        for fault in faults {
            match fault {
                ConnectionFault::Certificate(certificate) => choice.certificate = *certificate,
                ConnectionFault::Alpn(alpn) => choice.alpn = alpn.clone(),
                ConnectionFault::Tls(versions) => choice.versions = *versions,
                ConnectionFault::RefuseClient(Refusal::Alert) => choice.client_check = ClientCheck::RefuseAll,
                ConnectionFault::RefuseClient(_) => choice.client_check = ClientCheck::Later,
                _ => {}
            }
        }
        choice
    }
}

/// Creates configurations and holds the sessions that they share.
#[derive(Debug)]
pub(super) struct Tls {
    authority: Arc<Authority>,
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
    protocols: Vec<Vec<u8>>,
    tickets: usize,
    sessions: Arc<Sessions>,
    /// The configuration that was created last. Most connections need the same one as the connection before.
    last: Mutex<Option<(Choice, Arc<ServerConfig>)>>,
}

impl Tls {
    pub(super) fn new(setup: &Setup) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = Arc::new(setup.authority.root_store());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .expect("the root store is not empty");
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

    /// Whether a client with this certificate chain is accepted.
    pub(super) fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let [leaf, intermediates @ ..] = chain else { return false };
        self.verifier.verify_client_cert(leaf, intermediates, UnixTime::now()).is_ok()
    }

    /// Invalidates the tickets of all clients.
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
        let builder = match choice.client_check {
            ClientCheck::NotAsked => builder.with_no_client_auth(),
            client_check => {
                let verifier = self.verifier.clone();
                builder.with_client_cert_verifier(Arc::new(TestVerifier { verifier, client_check }))
            }
        };
        let mut config = builder
            .with_single_cert(identity.chain_der().to_vec(), identity.key_der())
            .expect("the key matches the certificate");
        config.alpn_protocols = match &choice.alpn {
            Alpn::Accept => self.protocols.clone(),
            Alpn::Ignore => Vec::new(),
            Alpn::Refuse => vec![b"offered by no client".to_vec()],
            Alpn::Only(protocol) => vec![protocol.clone()],
        };
        config.send_tls13_tickets = self.tickets;
        // A resumed client does not present its certificate again and could therefore not be refused.
        config.session_storage = match choice.client_check {
            ClientCheck::RefuseAll => Arc::new(NoServerSessionStorage {}),
            _ if self.tickets == 0 => Arc::new(NoServerSessionStorage {}),
            _ => self.sessions.clone(),
        };
        config
    }
}

/// A session store that can be cleared.
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

/// Verifies client certificates, or accepts or refuses all of them.
#[derive(Debug)]
struct TestVerifier {
    verifier: Arc<dyn ClientCertVerifier>,
    client_check: ClientCheck,
}

impl ClientCertVerifier for TestVerifier {
    fn client_auth_mandatory(&self) -> bool {
        matches!(self.client_check, ClientCheck::Required | ClientCheck::RefuseAll)
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
        match self.client_check {
            ClientCheck::Later => Ok(ClientCertVerified::assertion()),
            ClientCheck::RefuseAll => Err(CertificateError::ApplicationVerificationFailure.into()),
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
