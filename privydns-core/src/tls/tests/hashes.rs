//! Hashes of certificates, which DNS stamps bring along. Decided as conformance 18 and 19 decide for pins.

use rustls::server::ResolvesServerCert;
use rustls::sign::SingleCertAndKey;

use super::*;
use crate::tls::verifier::{sha256, to_be_signed};

const NAMED: &str = "tls://dns.example#ip=192.0.2.1";
const OTHER: TbsHash = TbsHash::new([7; 32]);

fn hash_of(certificate: &[u8]) -> TbsHash {
    let hash = sha256(&provider()).unwrap().hash(to_be_signed(certificate).unwrap());
    TbsHash::new(hash.as_ref().try_into().unwrap())
}

impl Issued {
    fn hash(&self) -> TbsHash {
        hash_of(&self.chain[0])
    }
}

impl Authority {
    fn hash(&self) -> TbsHash {
        hash_of(&self.certificate())
    }
}

/// The hash of a certificate made by openssl, computed by openssl.
#[test]
fn a_hash_is_what_openssl_makes_of_the_certificate() {
    let hash = "fc7f2511509f78074c36c2d7bf11ee14aa6f7ae5c54e54528ba96354eaa0695c";
    let key = client_certificate().certified_key();
    assert_eq!(hash_of(&key.cert[0]).to_string(), hash);
    let pin = "gFK/Stn2mSKJOsZTB4zjKOLylmUVJOJ9p5QXR7v+LFI=";
    let server = || {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(key.clone()));
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(resolver)
    };
    connect(&upstream(&format!("tls://192.0.2.1#pin={pin}&tbs={hash}")), server()).unwrap();
    let other = upstream(&format!("tls://192.0.2.1#pin={pin}&tbs={OTHER}"));
    assert_refused(&other, server(), &CertificateProblem::HashMismatch);
}

#[test]
fn a_certificate_of_the_path_has_to_be_one_of_those_hashed() {
    let root = Authority::root();
    let intermediate = root.below();
    let leaf = intermediate.issue("dns.example").with(&intermediate);
    let named = upstream(NAMED).roots(root.roots());
    for hash in [leaf.hash(), intermediate.hash()] {
        connect(&named.clone().tbs_hash(hash), leaf.server()).unwrap();
        connect(&named.clone().tbs_hash(OTHER).tbs_hash(hash), leaf.server()).unwrap();
    }
    assert_refused(&named.tbs_hash(OTHER), leaf.server(), &CertificateProblem::HashMismatch);
}

/// RFC 5280 Section 6.1.1: of a root the name and the key are known. Its certificate is where the server sends it,
/// signed by that key.
#[test]
fn a_root_counts_where_it_is_sent() {
    let root = Authority::root();
    let upstream = upstream(NAMED).roots(root.roots()).tbs_hash(root.hash());
    let leaf = root.issue("dns.example");
    assert_refused(&upstream, leaf.server(), &CertificateProblem::HashMismatch);
    connect(&upstream, leaf.with(&root).server()).unwrap();
}

/// What a server sends beside its path proves nothing: anybody can send any certificate.
#[test]
fn a_certificate_beside_the_path_does_not_count() {
    let (root, beside) = (Authority::root(), Authority::root());
    let leaf = root.issue("dns.example").with(&beside);
    let upstream = upstream(NAMED).roots(root.roots()).tbs_hash(beside.hash());
    assert_refused(&upstream, leaf.server(), &CertificateProblem::HashMismatch);
}

/// A hash adds to what has to be proven, and replaces nothing: neither the name, nor the issuer, nor a pin.
#[test]
fn a_hash_alone_is_not_enough() {
    let (root, unknown) = (Authority::root(), Authority::root());
    let other_name = root.issue("other.example");
    let named = upstream(NAMED).roots(root.roots());
    let refused = |upstream: Upstream, leaf: &Issued, problem| {
        assert_refused(&upstream.tbs_hash(leaf.hash()), leaf.server(), &problem);
    };
    refused(named.clone(), &other_name, CertificateProblem::WrongName);
    refused(named.clone(), &unknown.issue("dns.example"), CertificateProblem::UnknownIssuer);
    refused(upstream("tls://192.0.2.1"), &unknown.issue("192.0.2.1"), CertificateProblem::UnknownIssuer);
    let leaf = root.issue("dns.example");
    refused(named.clone().pin(Pin::new([7; 32])), &leaf, CertificateProblem::PinMismatch);
    connect(&named.clone().pin(leaf.pin()).tbs_hash(leaf.hash()), leaf.server()).unwrap();
    assert_refused(&named.pin(leaf.pin()).tbs_hash(OTHER), leaf.server(), &CertificateProblem::HashMismatch);
}

/// A stamp's hashes are what the server is held to.
#[test]
fn a_stamp_is_enforced() {
    let root = Authority::root();
    let intermediate = root.below();
    let leaf = intermediate.issue("dns.example").with(&intermediate);
    let stamp = |hash| {
        let stamp = upstream(NAMED).tbs_hash(hash).to_stamp().unwrap().to_string();
        upstream(&stamp).roots(root.roots())
    };
    connect(&stamp(intermediate.hash()), leaf.server()).unwrap();
    assert_refused(&stamp(OTHER), leaf.server(), &CertificateProblem::HashMismatch);
}

#[test]
fn what_is_signed_is_found_in_certificates_of_any_length() {
    let root = Authority::root();
    for names in [1, 8, 100, 1000] {
        let leaf = root.issue_with("dns.example", |params| {
            let more = (1..names).map(|number| format!("dns{number}.example").try_into().unwrap());
            params.subject_alt_names.extend(more.map(rcgen::SanType::DnsName));
        });
        let upstream = upstream(NAMED).roots(root.roots()).tbs_hash(leaf.hash());
        connect(&upstream, leaf.server()).unwrap();
    }
    for wrong in
        [&b""[..], b"\x30", b"\x30\x02\x30", b"\x30\x02\x02\x00", b"\x30\x84\0\0\0\0", b"\x30\x82\x01"]
    {
        assert_eq!(to_be_signed(wrong), None);
    }
    assert_eq!(to_be_signed(b"\x30\x03\x30\x01\x05"), Some(&b"\x30\x01\x05"[..]));
}

#[test]
fn hashes_are_64_hexadecimal_digits() {
    let text = "3e1a1a0f6c53f3e97a492d57084b5b9807059ee057ab1505876fd83fda3db838";
    let hash: TbsHash = text.parse().unwrap();
    assert_eq!(hash.to_string(), text);
    assert_eq!(text.to_uppercase().parse::<TbsHash>().unwrap(), hash);
    assert_eq!(TbsHash::new(*hash.as_bytes()), hash);
    for wrong in ["", "3e1a", &text[..63], &format!("{text}00"), &text.replace('f', "g")] {
        assert!(wrong.parse::<TbsHash>().is_err(), "{wrong}");
    }
}
