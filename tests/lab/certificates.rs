//! Certificates that are refused: the server's by us, and ours by the server.

use std::time::Instant;

use privydns_core::{Cause, CertificateProblem, RecordType};
use privydns_tests::{ClientCertificate, ServerCertificate};

use crate::bench::{Bench, TIMEOUT, cause};

/// What servers show.
pub(crate) const SERVERS: [ServerCertificate; 5] = [
    ServerCertificate::Intermediate,
    ServerCertificate::WrongName,
    ServerCertificate::Expired,
    ServerCertificate::NotYetValid,
    ServerCertificate::UnknownAuthority,
];

const NAME: &str = "www.example.test";

/// A server with this certificate is asked, or is refused for the reason that is the certificate's own.
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

/// A client with a bad certificate, or with none, is refused, and is told so in the server's own words where it has
/// any, well within the deadline.
pub(crate) fn clients(bench: &Bench<'_>) {
    let [none, unknown, expired] = bench.instance.kind.refusal(bench.line.endpoint);
    for (certificate, words) in [
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
        assert_eq!(cause, Cause::ClientCertificate(words.to_owned()), "{certificate:?}");
        assert!(start.elapsed() < TIMEOUT / 2, "{certificate:?}: {:?}", start.elapsed());
    }
}
