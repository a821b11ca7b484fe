//! Plain lines: records, record data, and errors.

use std::io::{self, Write};

use privydns_blocking::{Answer, Cause, Error, ErrorKind, Outcome};

use super::{Lookup, style};
use crate::presentation;

/// The data of each record.
pub(super) fn short(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    answer.records().try_for_each(|record| writeln!(output, "{}", presentation::data(&record)))
}

/// Each record in zone file format; a comment line if there are no records.
pub(super) fn records(output: &mut impl Write, lookup: &Lookup<'_>, answer: &Answer) -> io::Result<()> {
    for record in answer.records() {
        let [name, ttl, class, record_type, data] = presentation::row(&record);
        writeln!(output, "{name}\t{ttl}\t{class}\t{record_type}\t{data}")?;
    }
    if answer.outcome() == Outcome::Records {
        return Ok(());
    }
    let Lookup { name, record_type, .. } = lookup;
    let style = style::outcome(answer.outcome());
    let what = match answer.outcome() {
        Outcome::NoData => "NODATA".to_owned(),
        _ => presentation::rcode(answer.rcode()),
    };
    writeln!(output, ";; {name} {} {style}{what}{style:#}", presentation::record_type(*record_type))
}

/// The error of a failed lookup.
pub(super) fn failure(output: &mut impl Write, lookup: &Lookup<'_>, error: &Error) -> io::Result<()> {
    let (style, record_type) = (style::FAILURE, presentation::record_type(lookup.record_type));
    let name = lookup.name.escape_debug();
    writeln!(output, "{style}privydns: {name} {record_type}:{style:#} {error}")?;
    // The upstream's own text may contain query names, and so is not part of the error's text.
    if let ErrorKind::Upstream(Cause::Rcode(rcode)) = error.kind() {
        for error in rcode.extended.iter().filter(|error| !error.text.is_empty()) {
            writeln!(output, "  {error:#}")?;
        }
    }
    Ok(())
}

/// The attempts, if there was more than one.
pub(super) fn attempts(output: &mut impl Write, error: &Error) -> io::Result<()> {
    for (number, attempt) in (1..).zip(error.attempts()).filter(|_| error.attempts().len() > 1) {
        let (upstream, stage, took) = (&attempt.upstream, attempt.stage, attempt.took);
        writeln!(output, "  attempt {number}: {upstream} at {stage} after {took:.1?}: {}", attempt.cause)?;
    }
    Ok(())
}
