//! Known faults in how failures of a server are handled. Each test asserts the wrong value of today and is named after
//! the number of the fault. The comment on a test states the right value, so that the fix inverts the assertion and
//! gives the test a name without `fault`.

use privydns_core::Error;

use super::*;
use crate::world::wire::Question;

/// The extended errors that an error holds.
pub(super) fn extended_errors(error: &Error) -> usize {
    match error.kind() {
        ErrorKind::Upstream(Cause::Rcode(rcode)) => rcode.extended.len(),
        other => panic!("{other:?}"),
    }
}

/// A server that does not know EDNS, and answers with this code and without OPT.
fn no_edns(question: &Question, rcode: u8) -> Vec<Act> {
    let mut message = question.echo();
    message[2..4].copy_from_slice(&[0x81, 0x80 | rcode]);
    vec![Act::Send(AT_ONCE, message)]
}

/// Right: one query without EDNS follows (RFC 6891 section 7), unless padding is required.
#[test]
fn fault_w13_formerr_and_notimp_to_edns_get_no_second_query_without_edns() {
    for rcode in [1, 4] {
        let mut world = World::with_upstreams(1);
        world.host(0).serves(move |ask| no_edns(&ask.question, rcode));
        let error = world.resolve("example.com").error();
        assert_eq!(extended_errors(&error), 0);
        assert_eq!((error.attempts().len(), world.host(0).asked.len()), (1, 1));
    }
}
