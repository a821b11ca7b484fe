//! A throwaway certificate authority: every certificate that a test of a TLS client asks for.
//!
//! Keys and certificates live in memory alone and are made anew by every process. Good certificates are valid
//! for any realistic clock; each bad one is wrong in exactly one way.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name that [`ServerCertificate::Good`] is for, beside the addresses `127.0.0.1` and `::1`.
pub const SERVER_NAME: &str = "dns.example.test";

/// The name that [`ServerCertificate::WrongName`] is for.
pub const WRONG_NAME: &str = "somewhere-else.example.test";

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ServerCertificate {
    /// For [`SERVER_NAME`], `127.0.0.1` and `::1`, directly under the root.
    #[default]
    Good,
    /// As good, with an intermediate authority between it and the root.
    Intermediate,
    /// Valid, for [`WRONG_NAME`] alone.
    WrongName,
    /// Its validity ended in 2001.
    Expired,
    /// Its validity begins in the year 3000.
    NotYetValid,
    /// Issued by an authority that nobody trusts.
    UnknownAuthority,
}

/// Which certificate a client shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientCertificate {
    /// One that the servers accept.
    #[default]
    Good,
    /// Its validity ended in 2001.
    Expired,
    /// Issued by an authority that the servers do not trust.
    UnknownAuthority,
}

/// A certificate authority, and all that it has issued.
///
/// ```
/// use privydns_tests::{Authority, ServerCertificate};
///
/// let authority = Authority::shared();
/// assert!(authority.root_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// let good = authority.server(ServerCertificate::Good);
/// assert_ne!(good.pin(), authority.server(ServerCertificate::Expired).pin());
/// ```
#[derive(Debug)]
pub struct Authority {
    root: CertificateDer<'static>,
    servers: Vec<(ServerCertificate, Identity)>,
    clients: Vec<(ClientCertificate, Identity)>,
}

impl Authority {
    /// Makes a root and issues every certificate.
    ///
    /// # Panics
    ///
    /// When keys cannot be made, which would be a failure of the cryptography library.
    pub fn new() -> Self {
        let root = issuer("PrivyDNS test root", None);
        let intermediate = issuer("PrivyDNS test intermediate", Some(&root));
        let stranger = issuer("PrivyDNS unknown root", None);

        let server = |kind, issuer: &Issuer, subject: Subject| (kind, subject.issue(issuer));
        let mut via_intermediate = Subject::server(SERVER_NAME).issue(&intermediate);
        via_intermediate.chain.push(intermediate.der().clone());
        let servers = vec![
            server(ServerCertificate::Good, &root, Subject::server(SERVER_NAME)),
            (ServerCertificate::Intermediate, via_intermediate),
            server(ServerCertificate::WrongName, &root, Subject::server(WRONG_NAME)),
            server(ServerCertificate::Expired, &root, Subject::server(SERVER_NAME).valid(2000, 2001)),
            server(ServerCertificate::NotYetValid, &root, Subject::server(SERVER_NAME).valid(3000, 3001)),
            server(ServerCertificate::UnknownAuthority, &stranger, Subject::server(SERVER_NAME)),
        ];
        let clients = vec![
            (ClientCertificate::Good, Subject::client("good client").issue(&root)),
            (ClientCertificate::Expired, Subject::client("expired client").valid(2000, 2001).issue(&root)),
            (ClientCertificate::UnknownAuthority, Subject::client("unknown client").issue(&stranger)),
        ];
        Self { root: root.der().clone(), servers, clients }
    }

    /// The authority that all servers of this process use unless they are given another.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Authority>> = OnceLock::new();
        SHARED.get_or_init(|| Arc::new(Self::new())).clone()
    }

    /// The root certificate, which a client is to trust.
    pub fn root_der(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// The root certificate as PEM.
    pub fn root_pem(&self) -> String {
        pem("CERTIFICATE", &self.root)
    }

    /// The root certificate in the form that a rustls configuration takes.
    ///
    /// # Panics
    ///
    /// Never: the root was made here, and parses.
    pub fn root_store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add(self.root.clone()).expect("our own root parses");
        store
    }

    /// A server's certificate and key.
    ///
    /// # Panics
    ///
    /// Never: every kind is issued by [`Authority::new`].
    pub fn server(&self, kind: ServerCertificate) -> &Identity {
        find(&self.servers, kind)
    }

    /// A client's certificate and key.
    ///
    /// # Panics
    ///
    /// Never: every kind is issued by [`Authority::new`].
    pub fn client(&self, kind: ClientCertificate) -> &Identity {
        find(&self.clients, kind)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate with its chain and its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
    pin: [u8; 32],
}

impl Identity {
    /// The certificate and the intermediates after it, without the root.
    pub fn chain_der(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The chain as PEM.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect()
    }

    /// The private key, in PKCS#8.
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }

    /// The private key as PEM.
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", self.key.secret_pkcs8_der())
    }

    /// The pin of the certificate's key: base64 of the SHA-256 of its `SubjectPublicKeyInfo` (RFC 7858 Section 4.2).
    pub fn pin(&self) -> String {
        BASE64.encode(&self.pin)
    }

    /// The pin as octets.
    pub fn pin_bytes(&self) -> [u8; 32] {
        self.pin
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("pin", &self.pin()).finish_non_exhaustive()
    }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer(name: &str, parent: Option<&Issuer>) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a P-256 key can be made");
    match parent {
        None => CertifiedIssuer::self_signed(params, key),
        Some(parent) => CertifiedIssuer::signed_by(params, key, parent),
    }
    .expect("the parameters are sound")
}

/// Who a certificate is for.
struct Subject(CertificateParams);

impl Subject {
    fn server(name: &str) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).expect("the name is ASCII");
        if name == SERVER_NAME {
            params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
            params.subject_alt_names.push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Self(params).named(name)
    }

    fn client(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Self(params).named(name)
    }

    fn named(mut self, name: &str) -> Self {
        self.0.distinguished_name.push(DnType::CommonName, name);
        self.0.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        self
    }

    /// Valid from the first day of one year to the first day of another.
    fn valid(mut self, from: i32, to: i32) -> Self {
        self.0.not_before = date_time_ymd(from, 1, 1);
        self.0.not_after = date_time_ymd(to, 1, 1);
        self
    }

    fn issue(self, issuer: &Issuer) -> Identity {
        let key = KeyPair::generate().expect("a P-256 key can be made");
        let certificate = self.0.signed_by(&key, issuer).expect("the parameters are sound");
        Identity {
            chain: vec![certificate.der().clone()],
            pin: sha256(&key.subject_public_key_info()),
            key: key.serialize_der().into(),
        }
    }
}

fn find<K: Copy + PartialEq>(issued: &[(K, Identity)], kind: K) -> &Identity {
    let (_, identity) = issued.iter().find(|(issued, _)| *issued == kind).expect("every kind is issued");
    identity
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().expect("a suite of TLS 1.3");
    let digest = suite.common.hash_provider.hash(bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 octets")
}

/// RFC 7468: base64 in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", lines.collect::<String>())
}
