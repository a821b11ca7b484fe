//! Checks of rejected certificates: invalid server certificates, and client certificates that the server
//! refuses.

use std::time::Instant;

use privydns_core::{Cause, CertificateProblem, RecordType};
use privydns_tests::{ClientCertificate, ServerCertificate};

use crate::bench::{Bench, TIMEOUT, cause};

/// The server certificates to check.
pub(crate) const SERVERS: [ServerCertificate; 5] = [
    ServerCertificate::Intermediate,
    ServerCertificate::WrongName,
    ServerCertificate::Expired,
    ServerCertificate::NotYetValid,
    ServerCertificate::UnknownAuthority,
];

const NAME: &str = "www.example.test";

/// Checks that a valid certificate is accepted, or that an invalid one is rejected with its specific reason.
pub(crate) fn server(bench: &Bench<'_>, certificate: ServerCertificate) {
    let problem = match certificate {
        ServerCertificate::WrongName => CertificateProblem::WrongName,
        ServerCertificate::Expired => CertificateProblem::Expired,
        ServerCertificate::NotYetValid => CertificateProblem::NotYetValid,
        ServerCertificate::UnknownAuthority => CertificateProblem::UnknownIssuer,
        _ => {
            bench.resolver().lookup(NAME, RecordType::A).unwrap();
            return;
        }
    };
    assert_eq!(cause(bench.resolver().lookup(NAME, RecordType::A)), Cause::Certificate(problem));
}

/// Checks that a client with an invalid certificate, or without one, gets an error with the server's reason, if
/// it sends one, well before the deadline.
pub(crate) fn clients(bench: &Bench<'_>) {
    let [none, unknown, expired] = bench.instance.kind.refusal(bench.line.endpoint);
    for (certificate, text) in [
        (None, none),
        (Some(ClientCertificate::UnknownAuthority), unknown),
        (Some(ClientCertificate::Expired), expired),
    ] {
        let mut upstream = bench.line.upstream_without_certificate(bench.instance);
        if let Some(kind) = certificate {
            upstream = upstream.client_certificate(bench.lab.client(kind));
        }
        let start = Instant::now();
        let cause = cause(bench.resolver_for(upstream).lookup(NAME, RecordType::A));
        assert_eq!(cause, Cause::ClientCertificate(text.to_owned()), "{certificate:?}");
        assert!(start.elapsed() < TIMEOUT / 2, "{certificate:?}: {:?}", start.elapsed());
    }
}
