//! Conversion of I/O errors to causes, shared by all drivers.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::verifier::Mismatch;
use crate::error::{Cause, CertificateProblem, IoError, Stage};

/// Returns the cause for an I/O error that ended a connection at `stage`.
///
/// All drivers call this function, so that they report equal failures equally. After a failed *write*, a driver reads to
/// the end of the stream first: the peer's last alert is in that read and is the cause. The end of the stream without
/// `close_notify` is an error of kind [`UnexpectedEof`](io::ErrorKind::UnexpectedEof). A driver also reports this kind
/// for a clean end of the stream before the end of the handshake.
///
/// ```
/// use std::io;
/// use privydns_core::engine::cause_of;
/// use privydns_core::{Cause, Stage};
///
/// let refused = io::ErrorKind::ConnectionRefused;
/// assert_eq!(cause_of(refused.into(), Stage::Connect), Cause::Connect(refused.into()));
/// ```
pub fn cause_of(error: io::Error, stage: Stage) -> Cause {
    let description = match rustls_error(&error) {
        Some(error) => match of_tls(error, stage) {
            Ok(cause) => return cause,
            Err(description) => description,
        },
        None => match stage {
            Stage::Remembered | Stage::Waiting | Stage::Connect => return Cause::Connect(error.into()),
            Stage::Bootstrap => return Cause::Bootstrap(error.to_string()),
            Stage::Proxy => return Cause::Proxy(error.into()),
            Stage::Tls if is_end(error.kind()) => Some("the server closed in the handshake".into()),
            Stage::Tls => None,
            Stage::Query => return Cause::Closed,
        },
    };
    Cause::Tls(match description {
        Some(description) => IoError::described(description, error),
        None => error.into(),
    })
}

/// Returns the TLS error inside an I/O error, at any depth.
fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    let mut next = error.get_ref().map(|inner| inner as &(dyn StdError + 'static));
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// The cause, or the description for a [`Cause::Tls`] if rustls' own message does not do.
fn of_tls(error: &rustls::Error, stage: Stage) -> Result<Cause, Option<String>> {
    match error {
        rustls::Error::AlertReceived(alert) => of_alert(*alert, stage).map_err(Some),
        rustls::Error::InvalidCertificate(error) => Ok(Cause::Certificate(of_certificate(error))),
        rustls::Error::NoCertificatesPresented => {
            Ok(Cause::Certificate(CertificateProblem::Other("no certificate was sent".into())))
        }
        _ => Err(None),
    }
}

/// Returns the cause for an alert. A server verifies only the client's certificate, so alerts about certificates are
/// about the client's. With TLS 1.3, so are alerts that answer the client's last flight, which contains its certificate,
/// the proof of its key, and the end of the handshake.
fn of_alert(alert: AlertDescription, stage: Stage) -> Result<Cause, String> {
    use AlertDescription as Alert;
    let reason = match alert {
        Alert::NoApplicationProtocol => return Ok(Cause::NoApplicationProtocol),
        Alert::CertificateRequired | Alert::NoCertificate => "it requires one",
        Alert::BadCertificate => "bad certificate",
        Alert::UnsupportedCertificate => "unsupported certificate",
        Alert::CertificateRevoked => "revoked",
        Alert::CertificateExpired => "expired",
        Alert::CertificateUnknown => "certificate unknown",
        Alert::UnknownCA => "unknown authority",
        Alert::AccessDenied => "access denied",
        Alert::DecryptError if stage == Stage::Query => "wrong signature",
        Alert::HandshakeFailure if stage == Stage::Query => "handshake failure",
        alert => return Err(format!("the server sent the alert {alert:?}")),
    };
    Ok(Cause::ClientCertificate(reason.into()))
}

fn of_certificate(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongName
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        CertificateError::Revoked => CertificateProblem::Revoked,
        CertificateError::Other(other) => match other.0.downcast_ref() {
            Some(Mismatch::Pin) => CertificateProblem::PinMismatch,
            Some(Mismatch::Hash) => CertificateProblem::HashMismatch,
            None => CertificateProblem::Other(describe(error)),
        },
        error => CertificateProblem::Other(describe(error)),
    }
}

/// Describes an error. rustls prints most of these errors as the names of its types.
fn describe(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::BadEncoding => "it is malformed",
        CertificateError::BadSignature => "a signature does not verify",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers (extended key usage)"
        }
        CertificateError::Other(other) if is_authority(other) => {
            "it is self-signed or an authority's certificate; pins can authenticate such a server"
        }
        error => return error.to_string(),
    };
    words.into()
}

fn is_authority(error: &rustls::OtherError) -> bool {
    matches!(error.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
