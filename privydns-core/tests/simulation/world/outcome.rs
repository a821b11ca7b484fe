//! A number for each outcome of a lookup, for the trace: the numbers stay when types are renamed.

use privydns_core::{Answer, Cause, Error, ErrorKind, HttpProblem, Limit, NotFound, Outcome, Stage};

pub(super) fn of_answer(answer: &Answer) -> u64 {
    let outcome = match answer.outcome() {
        Outcome::Records => 1,
        Outcome::NoData => 2,
        Outcome::NxDomain => 3,
        Outcome::Failure => 4,
    };
    outcome << 16 | u64::from(u16::from(answer.rcode()))
}

pub(super) fn of_error(error: &Error) -> u64 {
    match error.kind() {
        ErrorKind::Name(_) => 101,
        ErrorKind::Config(_) | ErrorKind::Runtime(_) | ErrorKind::Unroutable(_) => 102,
        ErrorKind::SpecialUse(_) => 103,
        ErrorKind::Deadline => 104,
        ErrorKind::Upstream(cause) => 0x1000 | of_cause(cause),
        ErrorKind::NotFound(NotFound::NxDomain) => 106,
        ErrorKind::NotFound(NotFound::NoData) => 107,
        ErrorKind::NotFound(_) => 108,
        ErrorKind::NotCached => 109,
        ErrorKind::Overloaded(Limit::Lookups) => 110,
        ErrorKind::Overloaded(_) => 111,
        ErrorKind::Closed => 112,
        ErrorKind::MetaType(_) => 113,
        other => panic!("a kind of error without a number: {other:?}"),
    }
}

pub(super) fn of_cause(cause: &Cause) -> u64 {
    match cause {
        Cause::Timeout => 1,
        Cause::Connect(_) => 2,
        Cause::Proxy(_) => 3,
        Cause::Tls(_) => 4,
        Cause::NoApplicationProtocol => 5,
        Cause::Certificate(_) => 6,
        Cause::ClientCertificate(_) => 7,
        Cause::Closed => 8,
        Cause::Protocol(_) => 9,
        Cause::Http(HttpProblem::Status { code, .. }) => 0x10_0000 | u64::from(*code),
        Cause::Http(_) => 10,
        Cause::Malformed(_) => 11,
        Cause::Rcode(rcode) => 0x20_0000 | u64::from(u16::from(rcode.code)),
        Cause::Bootstrap(_) => 12,
        other => panic!("a cause without a number: {other:?}"),
    }
}

pub(super) fn of_stage(stage: Stage) -> u64 {
    match stage {
        Stage::Remembered => 1,
        Stage::Waiting => 2,
        Stage::Bootstrap => 3,
        Stage::Proxy => 4,
        Stage::Connect => 5,
        Stage::Tls => 6,
        Stage::Query => 7,
        other => panic!("a stage without a number: {other:?}"),
    }
}
