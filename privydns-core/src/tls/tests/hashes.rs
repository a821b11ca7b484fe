//! Hashes of certificates, which DNS stamps contain. Conformance 18 and 19 apply to hashes as they do to pins.

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

/// Certificate and hash are from openssl.
#[test]
fn certificate_hash_equals_that_of_openssl() {
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
fn path_must_contain_a_hashed_certificate() {
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

/// RFC 5280 Section 6.1.1: only the name and the key of a root are known. The root's certificate can be hashed if the
/// server sends it.
#[test]
fn hash_of_a_root_matches_if_the_root_is_sent() {
    let root = Authority::root();
    let upstream = upstream(NAMED).roots(root.roots()).tbs_hash(root.hash());
    let leaf = root.issue("dns.example");
    assert_refused(&upstream, leaf.server(), &CertificateProblem::HashMismatch);
    connect(&upstream, leaf.with(&root).server()).unwrap();
}

/// Certificates outside the path are ignored: a server can send any certificate.
#[test]
fn certificate_outside_the_path_is_ignored() {
    let (root, beside) = (Authority::root(), Authority::root());
    let leaf = root.issue("dns.example").with(&beside);
    let upstream = upstream(NAMED).roots(root.roots()).tbs_hash(beside.hash());
    assert_refused(&upstream, leaf.server(), &CertificateProblem::HashMismatch);
}

/// A hash is required in addition to the name, the issuer and a pin.
#[test]
fn hash_is_required_in_addition_to_name_issuer_and_pin() {
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

/// The hashes in a stamp are enforced.
#[test]
fn hashes_in_a_stamp_are_enforced() {
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
fn signed_part_is_found_in_certificates_of_any_length() {
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
fn hash_text_is_64_hexadecimal_digits() {
    let text = "3e1a1a0f6c53f3e97a492d57084b5b9807059ee057ab1505876fd83fda3db838";
    let hash: TbsHash = text.parse().unwrap();
    assert_eq!(hash.to_string(), text);
    assert_eq!(text.to_uppercase().parse::<TbsHash>().unwrap(), hash);
    assert_eq!(TbsHash::new(*hash.as_bytes()), hash);
    for wrong in ["", "3e1a", &text[..63], &format!("{text}00"), &text.replace('f', "g")] {
        assert!(wrong.parse::<TbsHash>().is_err(), "{wrong}");
    }
}
