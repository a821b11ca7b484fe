//! A report of one lookup for a person: question, status, source, and the records in columns.

use std::io::{self, Write};

use privydns_blocking::{Answer, Outcome, Record};

use super::{Lookup, style};
use crate::presentation;

/// The named bits of the second and third byte of the header (RFC 1035 Section 4.1.1, RFC 4035), as `dig` writes them.
const FLAGS: [(u16, &str); 7] = [
    (0x8000, "qr"),
    (0x0400, "aa"),
    (0x0200, "tc"),
    (0x0100, "rd"),
    (0x0080, "ra"),
    (0x0020, "ad"),
    (0x0010, "cd"),
];

pub(super) fn print(output: &mut impl Write, lookup: &Lookup<'_>, answer: &Answer) -> io::Result<()> {
    let Lookup { name, record_type, .. } = lookup;
    entry(output, "question", &format!("{name} {}", presentation::record_type(*record_type)))?;
    let style = style::outcome(answer.outcome());
    let (rcode, flags) = (presentation::rcode(answer.rcode()), flags(answer));
    entry(output, "status", &format!("{style}{rcode}{style:#}{}, flags {flags}", meaning(answer)))?;
    for error in answer.extended_errors() {
        entry(output, "says", &format!("{error:#}"))?;
    }
    entry(output, "from", &source(answer))?;
    section(output, None, answer.records())?;
    if answer.outcome() != Outcome::Records {
        section(output, Some("authority"), answer.authorities())?;
    }
    Ok(())
}

/// One line of the report around the records, written as a comment of the zone file format.
fn entry(output: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let style = style::LABEL;
    writeln!(output, "{style};; {label:<9}{style:#} {text}")
}

fn section<'a>(
    output: &mut impl Write,
    title: Option<&str>,
    records: impl Iterator<Item = Record<'a>>,
) -> io::Result<()> {
    let rows = records.map(|record| presentation::row(&record)).collect::<Vec<_>>();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(output)?;
    if let Some(title) = title {
        let style = style::LABEL;
        writeln!(output, "{style};; {title}{style:#}")?;
    }
    let [name_width, ttl_width, class_width, type_width, _] = presentation::widths(&rows);
    let (label, bold, cyan) = (style::LABEL, style::DATA, style::NAME);
    for [name, ttl, class, record_type, data] in &rows {
        writeln!(
            output,
            "{cyan}{name:name_width$}{cyan:#}  {ttl:>ttl_width$}  {label}{class:class_width$}{label:#}  \
             {record_type:type_width$}  {bold}{data}{bold:#}",
        )?;
    }
    Ok(())
}

/// The meaning of the outcome in words, where the response code is not enough.
fn meaning(answer: &Answer) -> &'static str {
    match answer.outcome() {
        Outcome::NoData => " (the name has no records of this type)",
        Outcome::NxDomain => " (the name does not exist)",
        Outcome::Records | Outcome::Failure => "",
    }
}

fn flags(answer: &Answer) -> String {
    let flags = match answer.to_wire()[..] {
        [_, _, high, low, ..] => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    let set = FLAGS.into_iter().filter(|(bit, _)| flags & bit != 0);
    set.map(|(_, name)| name).collect::<Vec<_>>().join(" ")
}

fn source(answer: &Answer) -> String {
    let (upstream, protocol) = (answer.upstream(), presentation::protocol(answer.transport()));
    let mut source = format!("{upstream} over {protocol} in {:.1?}", answer.elapsed());
    if answer.attempts() == 0 && upstream == protocol {
        "this machine, without a query".clone_into(&mut source);
    }
    if answer.attempts() > 1 {
        source.extend([", ", &answer.attempts().to_string(), " attempts"]);
    }
    match (answer.is_cached(), answer.is_stale()) {
        (_, true) => source += ", cached and stale",
        (true, false) => source += ", cached",
        (false, false) => {}
    }
    source
}
