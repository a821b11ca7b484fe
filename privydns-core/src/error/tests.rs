mod faults;

use std::error::Error as _;

use hickory_proto::op::ResponseCode;

use super::*;

/// Who failed, where, at what, and why; and never the name that was asked for.
#[test]
fn an_error_says_who_where_and_why() {
    let rcode = Rcode {
        code: ResponseCode::ServFail,
        extended: vec![ExtendedError { code: 22, text: "at delegation example.com.".into() }],
    };
    let cause = Cause::Rcode(rcode);
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
        let attempt = FailedAttempt {
            upstream: "up0".into(),
            address: Some(([192, 0, 2, 1], 853).into()),
            stage,
            started: Duration::ZERO,
            took: Duration::from_millis(20),
            cause: cause.clone(),
        };
        let kind = ErrorKind::Upstream(cause.clone());
        let error = Error::from_attempts(kind, vec![attempt], Duration::from_millis(20));
        let text = error.to_string();
        assert!(text.starts_with(&format!("up0 (192.0.2.1:853) at {word}: ")), "{text}");
        assert!(text.contains("EDE 22 (No Reachable Authority)"), "{text}");
        assert!(!text.contains("example"), "{text}");
        assert_eq!(error.source().expect("the cause").to_string(), cause.to_string());
    }
    assert!(Error::from(ErrorKind::Deadline).source().is_none());
}
