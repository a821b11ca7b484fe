//! Known faults of DoH responses. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::*;

/// Right: text of a server has a type whose `Display` and `Debug` do not show the text.
#[test]
fn fault_w7_errors_show_the_name_that_a_server_repeats() {
    let rows = [
        head(302, &[("location", "https://block.example/www.example.com/blocked")]),
        head(200, &[("content-type", "text/html; title=\"www.example.com is blocked\"")]),
    ];
    for head in rows {
        let problem = head.problem(&query()).unwrap();
        assert!(problem.to_string().contains("www.example.com"), "{problem}");
        assert!(format!("{problem:?}").contains("www.example.com"), "{problem:?}");
    }
}

/// Right: a `content-encoding` other than `identity` is an error that names the encoding.
#[test]
fn fault_w14_a_gzip_body_is_said_to_be_a_query() {
    let body = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let cause = finish(&head(200, &[DNS, ("content-encoding", "gzip")]), body, &query()).unwrap_err();
    assert_eq!(cause, MessageError::NotResponse.into());
    assert_eq!(cause.to_string(), "malformed answer: a query, not a response");
}
