//! Known faults of certificates. Each test asserts the wrong value of today and is named after the number of the fault.
//! The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use rustls::OtherError;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, Error};

use super::*;

/// A self-signed X.509 certificate of version 1 with a P-256 key.
const VERSION_1: &[u8] = include_bytes!("fixtures/version-1-certificate.pem");
/// The pin of the key in that certificate, as computed by openssl.
const VERSION_1_PIN: &str = "7p26BjOEUux75o5VlhbNXu4atHons8eb+AXIeT9HODw=";

/// Right: the key is taken from the DER of the certificate and the pin matches, or the documentation of pins says that
/// version 1 is not supported.
#[test]
fn fault_w10_a_pinned_key_in_a_certificate_of_version_1_is_refused() {
    let upstream = upstream(&format!("tls://192.0.2.1#pin={VERSION_1_PIN}"));
    let requirements = upstream.tls_requirements();
    let verifier = super::super::verifier::new(requirements, upstream.authentication(), &provider()).unwrap();
    let certificate = CertificateDer::from_pem_slice(VERSION_1).unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_900_000_000));
    let result = verifier.verify_server_cert(&certificate, &[], upstream.server_name(), &[], now);
    let Err(Error::InvalidCertificate(CertificateError::Other(OtherError(error)))) = result else {
        panic!("{result:?}")
    };
    assert_eq!(format!("{error:?}"), "UnsupportedCertVersion");
}
