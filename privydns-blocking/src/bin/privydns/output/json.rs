//! Lookups as JSON, one object per line. The field names are a stable interface.

use std::io::{self, Write};
use std::time::Duration;

use privydns_blocking::{Answer, Cause, Error, ErrorKind, ExtendedError, FailedAttempt, Record};
use serde::Serialize;

use super::Lookup;
use crate::presentation;

#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    record_type: String,
    #[serde(flatten)]
    result: Result<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Result<'a> {
    Answer {
        rcode: String,
        answers: Vec<Row>,
        authenticated: bool,
        truncated: bool,
        ede: Vec<Extended<'a>>,
        upstream: &'a str,
        protocol: &'static str,
        cached: bool,
        stale: bool,
        attempts: u8,
        elapsed_ms: f64,
    },
    Failure {
        error: Failure<'a>,
    },
}

#[derive(Serialize)]
struct Row {
    name: String,
    ttl: u32,
    #[serde(rename = "type")]
    record_type: String,
    data: String,
}

#[derive(Serialize)]
struct Extended<'a> {
    code: u16,
    text: &'a str,
}

#[derive(Serialize)]
struct Failure<'a> {
    kind: &'static str,
    stage: Option<String>,
    message: String,
    attempts: Vec<Tried<'a>>,
}

/// One attempt of a failed lookup.
#[derive(Serialize)]
struct Tried<'a> {
    upstream: &'a str,
    address: Option<String>,
    kind: &'static str,
    stage: String,
    message: String,
    ede: Vec<Extended<'a>>,
    elapsed_ms: f64,
}

pub(super) fn print(output: &mut impl Write, lookup: &Lookup<'_>) -> io::Result<()> {
    let (extended, result);
    result = match lookup.result {
        Ok(answer) => {
            extended = answer.extended_errors();
            answered(answer, &extended)
        }
        Err(error) => Result::Failure { error: failure(error) },
    };
    let record_type = presentation::record_type(lookup.record_type);
    // One write per line, so that lines stay whole when several processes write to one file.
    let mut line = serde_json::to_vec(&Object { name: lookup.name, record_type, result })?;
    line.push(b'\n');
    output.write_all(&line)
}

fn answered<'a>(answer: &'a Answer, extended: &'a [ExtendedError]) -> Result<'a> {
    Result::Answer {
        rcode: presentation::rcode(answer.rcode()),
        answers: answer.records().map(|record| row(&record)).collect(),
        authenticated: answer.is_authenticated(),
        truncated: answer.is_truncated(),
        ede: extended_errors(extended),
        upstream: answer.upstream(),
        protocol: presentation::protocol(answer.transport()),
        cached: answer.is_cached(),
        stale: answer.is_stale(),
        attempts: answer.attempts(),
        elapsed_ms: milliseconds(answer.elapsed()),
    }
}

fn row(record: &Record<'_>) -> Row {
    Row {
        name: record.name().to_ascii(),
        ttl: record.ttl(),
        record_type: presentation::record_type(record.record_type()),
        data: presentation::data(record),
    }
}

fn failure(error: &Error) -> Failure<'_> {
    Failure {
        kind: kind(error.kind()),
        stage: error.stage().map(|stage| stage.to_string()),
        message: error.to_string(),
        attempts: error.attempts().iter().map(tried).collect(),
    }
}

fn tried(attempt: &FailedAttempt) -> Tried<'_> {
    Tried {
        upstream: &attempt.upstream,
        address: attempt.address.map(|address| address.to_string()),
        kind: cause(&attempt.cause),
        stage: attempt.stage.to_string(),
        message: attempt.cause.to_string(),
        ede: match &attempt.cause {
            Cause::Rcode(rcode) => extended_errors(&rcode.extended),
            _ => Vec::new(),
        },
        elapsed_ms: milliseconds(attempt.took),
    }
}

fn extended_errors(errors: &[ExtendedError]) -> Vec<Extended<'_>> {
    errors.iter().map(|error| Extended { code: error.code, text: &error.text }).collect()
}

fn kind(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Name(_) => "name",
        ErrorKind::Config(_) => "config",
        ErrorKind::Runtime(_) => "runtime",
        ErrorKind::Unroutable(_) => "unroutable",
        ErrorKind::SpecialUse(_) => "special-use",
        ErrorKind::MetaType(_) => "meta-type",
        ErrorKind::Deadline => "deadline",
        ErrorKind::Upstream(because) => cause(because),
        ErrorKind::NotFound(_) => "not-found",
        ErrorKind::NotCached => "not-cached",
        ErrorKind::Overloaded(_) => "overloaded",
        ErrorKind::Closed => "closed",
        _ => "other",
    }
}

fn cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::Timeout => "timeout",
        Cause::Connect(_) => "connect",
        Cause::Proxy(_) => "proxy",
        Cause::Tls(_) | Cause::NoApplicationProtocol => "tls",
        Cause::Certificate(_) => "certificate",
        Cause::ClientCertificate(_) => "client-certificate",
        Cause::Closed => "connection-closed",
        Cause::Protocol(_) => "protocol",
        Cause::Http(_) => "http",
        Cause::Malformed(_) => "malformed",
        Cause::Rcode(_) => "rcode",
        Cause::Bootstrap(_) => "bootstrap",
        _ => "other",
    }
}

/// In milliseconds, rounded to the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
