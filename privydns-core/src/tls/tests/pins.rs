//! Pins with a verified path and without one. Conformance 18 and 19.

use rcgen::date_time_ymd;
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::*;

const NAMED: &str = "tls://dns.example#ip=192.0.2.1";
const UNNAMED: &str = "tls://192.0.2.1";
const OTHER: Pin = Pin::new([7; 32]);

/// Certificate and pin are from openssl.
#[test]
fn pin_equals_that_of_openssl() {
    let pin = "gFK/Stn2mSKJOsZTB4zjKOLylmUVJOJ9p5QXR7v+LFI=";
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(client_certificate().certified_key())));
    connect(&upstream(&format!("{UNNAMED}#pin={pin}")), server).unwrap();
}

#[test]
fn with_a_name_any_key_on_the_path_can_be_pinned() {
    let root = Authority::root();
    let intermediate = root.below();
    let leaf = intermediate.issue("dns.example").with(&intermediate);
    let named = upstream(NAMED).roots(root.roots());
    for pin in [leaf.pin(), intermediate.pin(), root.pin()] {
        connect(&named.clone().pin(pin), leaf.server()).unwrap();
        connect(&named.clone().pin(OTHER).pin(pin), leaf.server()).unwrap();
    }
    assert_refused(&named.pin(OTHER), leaf.server(), &CertificateProblem::PinMismatch);
}

/// Certificates outside the path are ignored: a server can send any certificate.
#[test]
fn certificate_outside_the_path_is_ignored() {
    let (root, pinned) = (Authority::root(), Authority::root());
    let leaf = root.issue("dns.example").with(&pinned);
    let mismatch = &CertificateProblem::PinMismatch;
    assert_refused(&upstream(NAMED).roots(root.roots()).pin(pinned.pin()), leaf.server(), mismatch);
    assert_refused(&upstream(UNNAMED).pin(pinned.pin()), leaf.server(), mismatch);
}

/// If there are two valid paths, the second is found if it contains the pin.
#[test]
fn pin_is_searched_on_all_valid_paths() {
    let (first, second) = (Authority::root(), Authority::root());
    let key = KeyPair::generate().unwrap();
    let cross = |root: &Authority| {
        let key = KeyPair::from_pem(&key.serialize_pem()).unwrap();
        Authority(CertifiedIssuer::signed_by(Authority::params("intermediate"), key, &root.0).unwrap())
    };
    let (by_first, by_second) = (cross(&first), cross(&second));
    let leaf = by_first.issue("dns.example").with(&by_first).with(&by_second);
    let roots = Roots::from_der([first.certificate().to_vec(), second.certificate().to_vec()]).unwrap();
    for pin in [first.pin(), second.pin()] {
        connect(&upstream(NAMED).roots(roots.clone()).pin(pin), leaf.server()).unwrap();
    }
}

/// Conformance 19.
#[test]
fn name_and_pin_are_both_required() {
    let (root, unknown) = (Authority::root(), Authority::root());
    let other_name = root.issue("other.example");
    let named = upstream(NAMED).roots(root.roots());
    assert_refused(&named.clone().pin(other_name.pin()), other_name.server(), &CertificateProblem::WrongName);
    let unknown = unknown.issue("dns.example");
    assert_refused(&named.pin(unknown.pin()), unknown.server(), &CertificateProblem::UnknownIssuer);

    let right_name = root.issue("dns.example").with(&root);
    assert_refused(
        &upstream(NAMED).roots(root.roots()).pin(OTHER),
        right_name.server(),
        &CertificateProblem::PinMismatch,
    );

    let by_address = upstream("tls://192.0.2.1#name=192.0.2.1").roots(root.roots());
    assert_refused(&by_address.pin(other_name.pin()), other_name.server(), &CertificateProblem::WrongName);
}

/// RFC 7858 Section 4.2: a pin alone authenticates the server.
#[test]
fn without_a_name_a_pinned_key_suffices() {
    let root = Authority::root();
    let leaf = root.issue_with("other.example", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let link = connect(&upstream(UNNAMED).pin(leaf.pin()), leaf.server()).unwrap();
    assert_eq!(link.server.server_name(), None);
    let mismatch = &CertificateProblem::PinMismatch;
    assert_refused(&upstream(UNNAMED).pin(OTHER), leaf.server(), mismatch);
    // The path is not verified, so the issuer's certificate is ignored.
    let chain = root.issue("dns.example").with(&root);
    assert_refused(&upstream(UNNAMED).pin(root.pin()), chain.server(), mismatch);
}

/// A pinned certificate is public; the server must also have its key.
#[test]
fn pinned_certificate_without_its_key_is_refused() {
    let leaf = Authority::root().issue("dns.example");
    let thief = Authority::root().issue("dns.example");
    let key = provider().key_provider.load_private_key(thief.key_der()).unwrap();
    let stolen: Arc<dyn ResolvesServerCert> =
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(leaf.chain.clone(), key)));
    for version in [&TLS12, &TLS13] {
        let server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(stolen.clone());
        let outcome = connect(&upstream(UNNAMED).pin(leaf.pin()), server);
        let Err((Stage::Tls, Cause::Certificate(CertificateProblem::Other(text)))) = outcome else {
            panic!("accepted with {version:?}");
        };
        assert_eq!(text, "a signature does not verify");
    }
}

#[test]
fn pin_text_is_base64_of_32_bytes() {
    let text = "gFK/Stn2mSKJOsZTB4zjKOLylmUVJOJ9p5QXR7v+LFI=";
    let pin: Pin = text.parse().unwrap();
    assert_eq!(pin.to_string(), text);
    assert_eq!(Pin::new(*pin.as_bytes()), pin);
    for wrong in ["", "AAAA", &text[..43], &format!(" {text}"), &text.replace('/', "_"), &text.repeat(2)] {
        assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
    }
}
