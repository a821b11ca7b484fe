//! Verification of certificates in both directions, and the errors that callers get.

use privydns_core::{Cause, CertificateProblem, ErrorKind, Pin, RecordType, TbsHash, TlsVersion, Upstream};
use privydns_tests::{
    Authority, ClientCertificate, ConnectionFault, Refusal, Script, Server, ServerCertificate, Setup,
    TlsVersions,
};

use crate::bench::{Bench, Carrier, cause, client_certificate};

const WWW: &str = "www.example.test";

/// Looks up a name with the default number of attempts.
fn ask(bench: &Bench, upstream: Upstream) -> Result<privydns_core::Answer, privydns_core::Error> {
    bench.build(bench.config(&[]).upstream(upstream)).lookup(WWW, RecordType::A)
}

/// Conformance 15 to 17. A retry would get the same certificate, so there is only one connection.
pub(crate) fn invalid_certificate_is_rejected_without_retry(bench: &Bench) {
    for (certificate, problem) in [
        (ServerCertificate::WrongName, CertificateProblem::WrongName),
        (ServerCertificate::Expired, CertificateProblem::Expired),
        (ServerCertificate::NotYetValid, CertificateProblem::NotYetValid),
        (ServerCertificate::UnknownAuthority, CertificateProblem::UnknownIssuer),
    ] {
        let server = bench.setup().certificate(certificate).start();
        let resolver = bench.resolver(&[&server]);
        assert_eq!(
            cause(resolver.lookup(WWW, RecordType::A)),
            Cause::Certificate(problem),
            "{certificate:?}"
        );
        let seen = server.wait_until(|seen| seen.open() == 0);
        assert_eq!((seen.connections.len(), seen.query_count), (1, 0), "{certificate:?}");
    }
}

pub(crate) fn chain_with_an_intermediate_is_accepted(bench: &Bench) {
    let server = bench.setup().certificate(ServerCertificate::Intermediate).start();
    bench.resolver(&[&server]).lookup(WWW, RecordType::A).unwrap();
}

/// Conformance 18 and 19.
pub(crate) fn pins_are_enforced(bench: &Bench) {
    let server = bench.setup().start();
    let authority = Authority::shared();
    let pin = |kind| authority.server(kind).pin().parse::<Pin>().unwrap();
    let (right, wrong) = (pin(ServerCertificate::Good), pin(ServerCertificate::Expired));
    ask(bench, bench.upstream(&server).pin(wrong).pin(right)).unwrap();
    let mismatch = cause(ask(bench, bench.upstream(&server).pin(wrong)));
    assert_eq!(mismatch, Cause::Certificate(CertificateProblem::PinMismatch));
    let other = cause(ask(bench, bench.upstream(&server).pin(right).tbs_hash(TbsHash::new([7; 32]))));
    assert_eq!(other, Cause::Certificate(CertificateProblem::HashMismatch));
}

/// Conformance 18: if an upstream has a pin and no name, only the key is verified.
pub(crate) fn pin_without_a_name_is_sufficient(bench: &Bench) {
    if bench.carrier != Carrier::Dot || bench.is_mutual {
        return;
    }
    let server = bench.setup().certificate(ServerCertificate::Expired).start();
    let pin = Authority::shared().server(ServerCertificate::Expired).pin();
    ask(bench, format!("tls://{}#pin={pin}", server.address()).parse().unwrap()).unwrap();
}

/// The six ways to refuse a client certificate: three alerts, `close_notify`, FIN without alert, and reset; in
/// addition, nginx's error page.
pub(crate) fn refused_client_certificate_is_the_reported_cause(bench: &Bench) {
    if !bench.is_mutual {
        return;
    }
    let mut refusals = vec![Refusal::Alert, Refusal::CloseNotify, Refusal::Eof, Refusal::Reset];
    if bench.is_http() {
        refusals.push(Refusal::Page);
    }
    for refusal in refusals {
        for certificate in [Some(ClientCertificate::UnknownAuthority), Some(ClientCertificate::Expired), None]
        {
            let server = bench.setup().refusal(refusal).start();
            let upstream = Bench { is_mutual: false, ..*bench }.upstream(&server);
            let upstream = match certificate {
                Some(kind) => upstream.client_certificate(client_certificate(kind)),
                None => upstream,
            };
            let found = cause(ask(bench, upstream));
            assert!(matches!(found, Cause::ClientCertificate(_)), "{refusal:?} {certificate:?}: {found}");
            assert_eq!(server.seen().query_count, 0);
        }
        let server = bench.setup().refusal(refusal).start();
        ask(bench, bench.upstream(&server)).unwrap();
    }
}

pub(crate) fn client_certificate_is_sent_only_to_its_upstream(bench: &Bench) {
    if !bench.is_mutual {
        return;
    }
    let own = bench.setup().start();
    let setup =
        |server: Setup| server.client_authentication(privydns_tests::ClientAuthentication::Optional).start();
    let other = setup(bench.setup());
    own.kill();
    let without = Bench { is_mutual: false, ..*bench };
    let config = bench.config(&[&own]).upstream(without.upstream(&other));
    bench.build(config).lookup(WWW, RecordType::A).unwrap();
    assert_eq!(other.seen().connections[0].client_certificate, None);
    own.restart();
    bench.resolver(&[&own]).lookup(WWW, RecordType::A).unwrap();
    let good = Authority::shared().client(ClientCertificate::Good).chain_der()[0].to_vec();
    let seen = own.seen();
    assert_eq!(seen.connections.last().unwrap().client_certificate, Some(good));
}

/// Conformance 14 and 24: TLS 1.2 sends the client certificate in the clear.
pub(crate) fn tls12_is_allowed_without_a_client_certificate(bench: &Bench) {
    let server = bench.setup().tls(TlsVersions::Only12).start();
    let result = ask(bench, bench.upstream(&server));
    if bench.is_mutual {
        assert!(matches!(cause(result), Cause::Tls(_)));
        ask(bench, bench.upstream(&server).with_minimum_tls(TlsVersion::Tls12)).unwrap();
    } else {
        result.unwrap();
        assert_eq!(server.seen().connections[0].tls_version, Some(0x0303));
        let found = cause(ask(bench, bench.upstream(&server).with_minimum_tls(TlsVersion::Tls13)));
        assert!(matches!(found, Cause::Tls(_)), "{found}");
    }
}

/// The certificate error is reported although later attempts fail for other reasons.
pub(crate) fn invalid_certificate_is_the_reported_cause(bench: &Bench) {
    let bad = bench.setup().certificate(ServerCertificate::Expired).start();
    let dead = bench.setup().start();
    dead.kill();
    let error = bench.resolver(&[&bad, &dead]).lookup(WWW, RecordType::A).unwrap_err();
    let ErrorKind::Upstream(found) = error.kind() else { panic!("{error}") };
    assert_eq!(*found, Cause::Certificate(CertificateProblem::Expired));
    assert!(error.attempts().len() >= 2);
}

pub(crate) fn corrected_certificate_is_accepted(bench: &Bench) {
    let fault = ConnectionFault::Certificate(ServerCertificate::Expired);
    let server: Server = bench.setup().script(Script::new().on_connection(1, fault)).start();
    let resolver = bench.resolver(&[&server]);
    resolver.lookup(WWW, RecordType::A).unwrap_err();
    // An unhealthy upstream is used if there is no other.
    resolver.lookup(WWW, RecordType::A).unwrap();
}
