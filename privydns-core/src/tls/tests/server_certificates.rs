//! Authentication of servers without pins. Conformance 14 to 17.

use rcgen::date_time_ymd;

use super::*;
use crate::error::CertificateProblem;

const SERVER: &str = "tls://dns.example#ip=192.0.2.1";

/// Returns the problem with a certificate for `dns.example` after `change`.
fn problem_of(change: impl FnOnce(&mut CertificateParams)) -> CertificateProblem {
    let root = Authority::root();
    let server = root.issue_with("dns.example", change).server();
    refused(&upstream(SERVER).roots(root.roots()), server)
}

fn refused(upstream: &Upstream, server: ServerConfig) -> CertificateProblem {
    match connect(upstream, server).map(|_| "accepted") {
        Err((Stage::Tls, Cause::Certificate(problem))) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn certificate_for_the_name_from_a_known_root_is_accepted() {
    let root = Authority::root();
    for text in [SERVER, "tls://DNS.example.", "tls://192.0.2.1#dns.example", "https://dns.example"] {
        connect(&upstream(text).roots(root.roots()), root.issue("dns.example").server()).unwrap();
    }
    let wildcard = root.issue("*.dns.example").server();
    connect(&upstream("tls://abc123.dns.example").roots(root.roots()), wildcard).unwrap();
    let intermediate = root.below();
    let server = intermediate.issue("dns.example").with(&intermediate).server();
    connect(&upstream(SERVER).roots(root.roots()), server).unwrap();
}

/// Conformance 17.
#[test]
fn each_certificate_error_has_its_problem() {
    use CertificateProblem::{Expired, NotYetValid, UnknownIssuer, WrongName};
    assert_eq!(problem_of(|params| params.not_after = date_time_ymd(2020, 1, 1)), Expired);
    assert_eq!(problem_of(|params| params.not_before = date_time_ymd(4000, 1, 1)), NotYetValid);

    let (root, other) = (Authority::root(), Authority::root());
    let upstream = upstream(SERVER).roots(root.roots());
    assert_eq!(refused(&upstream, root.issue("other.example").server()), WrongName);
    assert_eq!(refused(&upstream, other.issue("dns.example").server()), UnknownIssuer);
    // An authority with another name, and a chain without its intermediate certificate.
    let stranger = Authority::root_named("stranger");
    assert_eq!(refused(&upstream, stranger.issue("dns.example").server()), UnknownIssuer);
    let intermediate = root.below();
    assert_eq!(refused(&upstream, intermediate.issue("dns.example").server()), UnknownIssuer);
}

/// Conformance 17: common names are ignored.
#[test]
fn certificate_with_only_a_common_name_is_for_another_name() {
    let problem = problem_of(|params| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(rcgen::DnType::CommonName, "dns.example");
    });
    assert_eq!(problem, CertificateProblem::WrongName);
}

#[test]
fn certificate_for_clients_only_is_refused() {
    let purpose = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let problem = problem_of(|params| params.extended_key_usages = purpose);
    assert_eq!(problem, CertificateProblem::Other("it is not for servers (extended key usage)".into()));
}

/// `openssl req -x509` creates an authority's certificate.
#[test]
fn self_signed_certificate_is_refused_with_advice() {
    let problem = problem_of(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let CertificateProblem::Other(words) = problem else { panic!("{problem:?}") };
    assert!(words.ends_with("pins can authenticate such a server"), "{words}");
}

#[test]
fn webpki_roots_do_not_contain_a_private_authority() {
    let server = Authority::root().issue("dns.example").server();
    assert_eq!(refused(&upstream(SERVER), server), CertificateProblem::UnknownIssuer);
}

/// An upstream without a name authenticates by its address, which is not sent as SNI (RFC 6066 Section 3).
#[test]
fn address_is_verified_and_not_sent_as_sni() {
    let root = Authority::root();
    for address in ["192.0.2.1", "2001:db8::1"] {
        let by_address = Upstream::tls(&format!("[{address}]"))
            .or_else(|_| Upstream::tls(address))
            .unwrap()
            .roots(root.roots());
        let link = connect(&by_address, root.issue(address).server()).unwrap();
        assert_eq!(link.server.server_name(), None);
        assert_eq!(refused(&by_address, root.issue("192.0.2.2").server()), CertificateProblem::WrongName);
        assert_eq!(refused(&by_address, root.issue("dns.example").server()), CertificateProblem::WrongName);
    }
}

/// Some operators identify accounts by the server name.
#[test]
fn name_is_sent_as_sni() {
    let root = Authority::root();
    let upstream = upstream("tls://192.0.2.1#abc123.dns.example").roots(root.roots());
    let link = connect(&upstream, root.issue("abc123.dns.example").server()).unwrap();
    assert_eq!(link.server.server_name(), Some("abc123.dns.example"));
}

#[test]
fn roots_are_parsed_or_refused() {
    let (one, two) = (Authority::root(), Authority::root());
    let bundle = format!("# two of them\n{}\n{}", one.0.pem(), two.0.pem());
    let both = Roots::from_pem(bundle.as_bytes()).unwrap();
    assert_eq!(format!("{both:?}"), "Custom(2)");
    let der = Roots::from_der([one.certificate().to_vec(), two.certificate().to_vec()]).unwrap();
    assert_eq!(both, der);
    assert_ne!(both, one.roots());
    assert_ne!(both, Roots::default());
    connect(&upstream(SERVER).roots(both), two.issue("dns.example").server()).unwrap();

    let none = Roots::from_pem(b"nothing here").unwrap_err();
    assert_eq!(none.to_string(), "configuration: TLS: roots: no certificate found");
    assert!(Roots::from_der([b"no certificate".to_vec()]).is_err());
    let cut = &one.0.pem()[..100];
    assert!(Roots::from_pem(cut.as_bytes()).is_err());
    let empty = Roots::Custom(Arc::new(RootCertStore::empty()));
    assert!(try_setup(&upstream(SERVER).roots(empty)).is_err());
}

#[cfg(feature = "platform-verifier")]
#[test]
fn platform_roots_do_not_contain_a_private_authority() {
    let upstream = upstream(SERVER).roots(Roots::Platform);
    // On a system without roots, the verifier cannot be created.
    if try_setup(&upstream).is_ok() {
        refused(&upstream, Authority::root().issue("dns.example").server());
    }
}
