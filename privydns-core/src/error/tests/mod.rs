mod faults;

use std::error::Error as _;
use std::io;

use hickory_proto::op::ResponseCode;

use super::*;
use crate::message::{ExtendedError, MessageError};

fn rcode(code: ResponseCode) -> Cause {
    Cause::Rcode(Rcode { code, extended: Vec::new() })
}

fn attempt(stage: Stage, cause: Cause) -> FailedAttempt {
    FailedAttempt {
        upstream: "up0".into(),
        address: Some(([192, 0, 2, 1], 853).into()),
        stage,
        started: Duration::ZERO,
        took: Duration::from_millis(20),
        cause,
    }
}

fn failed(stage: Stage, cause: Cause) -> Error {
    let kind = ErrorKind::Upstream(cause.clone());
    Error::from_attempts(kind, vec![attempt(stage, cause)], Duration::from_millis(20))
}

#[test]
fn display_names_server_stage_and_cause_but_not_the_query() {
    let cause = Cause::Rcode(Rcode {
        code: ResponseCode::ServFail,
        extended: vec![ExtendedError { code: 22, text: "at delegation example.com.".into() }],
    });
    let stages = [
        (Stage::Remembered, "remembered"),
        (Stage::Waiting, "waiting"),
        (Stage::Bootstrap, "bootstrap"),
        (Stage::Proxy, "proxy"),
        (Stage::Connect, "connect"),
        (Stage::Tls, "tls"),
        (Stage::Query, "query"),
    ];
    for (stage, word) in stages {
        let error = failed(stage, cause.clone());
        let text = error.to_string();
        assert!(text.starts_with(&format!("up0 (192.0.2.1:853) at {word}: ")), "{text}");
        assert!(text.contains("EDE 22 (No Reachable Authority)"), "{text}");
        assert!(!text.contains("example"), "{text}");
        assert_eq!(error.source().expect("the cause").to_string(), cause.to_string());
    }
    assert!(Error::from(ErrorKind::Deadline).source().is_none());
}

#[test]
fn sources_lead_from_the_error_to_the_cause_and_the_io_error() {
    let refused = || io::Error::from_raw_os_error(111);
    for cause in [Cause::Connect, Cause::Proxy, Cause::Tls] {
        let error = failed(Stage::Connect, cause(refused().into()));
        let source = error.source().expect("a cause");
        assert_eq!(source.downcast_ref::<Cause>(), Some(&cause(refused().into())));
        let source = source.source().expect("an I/O error").downcast_ref::<io::Error>();
        assert_eq!(source.expect("an I/O error").raw_os_error(), Some(111));
    }
    let error = Error::from(RuntimeError::NoEventQueue(refused().into()));
    let source = error.source().expect("a runtime error").source().expect("an I/O error");
    assert_eq!(source.downcast_ref::<io::Error>().expect("an I/O error").raw_os_error(), Some(111));

    let described = IoError::described("192.0.2.7:1080: refused".into(), refused());
    assert_eq!((described.kind(), &*described.to_string()), (refused().kind(), "192.0.2.7:1080: refused"));
    let cause = Cause::Proxy(described);
    let source = cause.source().expect("the description").source().expect("the original error");
    assert_eq!(source.downcast_ref::<io::Error>().expect("an I/O error").raw_os_error(), Some(111));
}

#[test]
fn io_errors_are_equal_by_kind_code_and_message() {
    let code = |code| IoError::from(io::Error::from_raw_os_error(code));
    let message = |text: &str| IoError::from(io::Error::other(text.to_owned()));
    assert_eq!(code(111), code(111));
    assert_ne!(code(111), code(104));
    assert_ne!(code(111), IoError::from(code(111).kind()), "one has a code, the other has none");
    assert_eq!(message("a"), message("a"));
    assert_ne!(message("a"), message("b"));
    assert_ne!(message("a"), io::ErrorKind::Other.into());
    assert_eq!(format!("{:?}", code(111)), format!("{:?}", io::Error::from_raw_os_error(111)));
    assert_eq!(ErrorKind::Upstream(Cause::Tls(code(104))), ErrorKind::Upstream(Cause::Tls(code(104))));
    assert_ne!(ErrorKind::Upstream(Cause::Tls(code(104))), ErrorKind::Upstream(Cause::Connect(code(104))));
}

#[test]
fn the_decisive_attempt_provides_address_and_stage() {
    let connect = Cause::Connect(io::ErrorKind::ConnectionRefused.into());
    let attempts = vec![attempt(Stage::Connect, connect.clone()), attempt(Stage::Query, Cause::Timeout)];
    let error = Error::from_attempts(ErrorKind::Upstream(connect), attempts, Duration::ZERO);
    assert_eq!(error.stage(), Some(Stage::Connect));
}

#[test]
fn temporary_failures_are_retryable_and_others_are_not() {
    let io = || IoError::from(io::ErrorKind::ConnectionReset);
    let status = |code| Cause::Http(HttpProblem::Status { code, retry_after: None });
    let retryable = [
        Cause::Timeout,
        Cause::Connect(io()),
        Cause::Proxy(io()),
        Cause::Tls(io()),
        Cause::Closed,
        Cause::Bootstrap("no answer in time".into()),
        status(429),
        status(500),
        status(503),
        Cause::Http(HttpProblem::StreamReset(7)),
        Cause::Http(HttpProblem::NotProcessed),
        rcode(ResponseCode::ServFail),
    ];
    let permanent = [
        Cause::NoApplicationProtocol,
        Cause::Certificate(CertificateProblem::Expired),
        Cause::ClientCertificate("it requires one".into()),
        Cause::Protocol(ProtocolError { protocol: "h2", what: "CONTINUATION without HEADERS" }),
        Cause::Malformed(MessageError::TooShort),
        status(501),
        Cause::Http(HttpProblem::Redirect { location: "/".into() }),
        Cause::Http(HttpProblem::ContentType("text/html".into())),
        Cause::Http(HttpProblem::EmptyBody),
        Cause::Http(HttpProblem::BodyTooLong),
        rcode(ResponseCode::Refused),
        rcode(ResponseCode::NotImp),
    ];
    let kinds = |causes: [Cause; 12]| causes.map(ErrorKind::Upstream);
    let mut retryable = kinds(retryable).to_vec();
    retryable.extend([ErrorKind::Deadline, ErrorKind::Overloaded(Limit::Lookups)]);
    let mut permanent = kinds(permanent).to_vec();
    permanent.extend([
        NameError::Empty.into(),
        ConfigError::NoUpstream.into(),
        RuntimeError::NoRuntime.into(),
        Unroutable::Name.into(),
        ErrorKind::SpecialUse("onion"),
        ErrorKind::MetaType(252),
        ErrorKind::NotFound(NotFound::NxDomain),
        ErrorKind::NotCached,
        ErrorKind::Closed,
    ]);
    for (kinds, is_retryable) in [(retryable, true), (permanent, false)] {
        for kind in kinds {
            let error = Error::from(kind.clone());
            assert_eq!(error.is_retryable(), is_retryable, "{kind:?}");
            assert_eq!(error.is_not_found(), matches!(kind, ErrorKind::NotFound(_)), "{kind:?}");
            let is_timeout = [ErrorKind::Deadline, ErrorKind::Upstream(Cause::Timeout)].contains(&kind);
            assert_eq!(error.is_timeout(), is_timeout, "{kind:?}");
        }
    }
}

#[test]
fn environment_and_routing_errors_are_not_configuration_errors() {
    let text = |kind: ErrorKind| Error::from(kind).to_string();
    assert_eq!(text(RuntimeError::NoRuntime.into()), "no Tokio runtime on this thread");
    let queue = RuntimeError::NoEventQueue(io::ErrorKind::Unsupported.into());
    assert_eq!(text(queue.into()), "cannot create the event queue (epoll/kqueue): unsupported");
    assert_eq!(text(Unroutable::Protocol.into()), "no upstream uses the protocol that the query requires");
    assert_eq!(text(ConfigError::NoUpstream.into()), "configuration: no upstream");
}

/// A `main` that returns an error prints the error with `Debug`.
#[test]
fn debug_of_an_error_hides_the_text_of_an_extended_error() {
    let extended = vec![ExtendedError { code: 22, text: "at delegation www.example.com.".into() }];
    let cause = Cause::Rcode(Rcode { code: ResponseCode::ServFail, extended });
    let debug = format!("{:?}", Error::from(ErrorKind::Upstream(cause)));
    assert!(debug.contains("30 bytes") && !debug.contains("www.example.com"), "{debug}");
}
