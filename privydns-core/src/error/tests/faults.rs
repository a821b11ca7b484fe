//! Known faults of errors as text. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::*;

/// The error of a lookup that a server answered with SERVFAIL and a text.
fn servfail() -> Error {
    let extended = vec![ExtendedError { code: 22, text: "at delegation www.example.com.".into() }];
    ErrorKind::Upstream(Cause::Rcode(Rcode { code: ResponseCode::ServFail, extended })).into()
}

/// Right: the mnemonics `SERVFAIL` and `FORMERR`, as everywhere else.
#[test]
fn fault_t6_response_codes_in_errors_are_not_mnemonics() {
    assert!(servfail().to_string().starts_with("the upstream answered Server Failure;"));
    let malformed = Rcode { code: ResponseCode::FormErr, extended: Vec::new() };
    assert_eq!(malformed.to_string(), "the upstream answered Form Error");
}
