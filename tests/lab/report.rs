//! What was checked, and what came of it.

use std::collections::BTreeMap;

use crate::bench::Bench;

/// What is checked: a letter for the table, and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Check(pub(crate) char, pub(crate) &'static str);

pub(crate) const RECORDS: Check = Check('R', "every kind of record, field by field");
pub(crate) const HUGE: Check = Check('H', "an answer of 60,000 octets");
pub(crate) const DENIALS: Check = Check('N', "NXDOMAIN and NODATA");
pub(crate) const ALIASES: Check = Check('A', "CNAME chains, to an end and to none");
pub(crate) const SERVFAIL: Check = Check('F', "SERVFAIL");
pub(crate) const TTLS: Check = Check('T', "TTLs 0 and 1");
pub(crate) const IDLE: Check = Check('I', "a connection closed while idle, and the next on its session");
pub(crate) const PIPELINED: Check = Check('P', "200 queries at once");
pub(crate) const RESTART: Check = Check('X', "a restart under 100 lookups a second, none lost");
pub(crate) const CERTIFICATES: Check = Check('C', "bad certificates, each refused for its own reason");
pub(crate) const CLIENTS: Check = Check('M', "refused client certificates, each told as what it is");
pub(crate) const TLS12: Check = Check('2', "TLS 1.2");

/// In the order of the table.
pub(crate) const CHECKS: [Check; 12] =
    [RECORDS, HUGE, DENIALS, ALIASES, SERVFAIL, TTLS, IDLE, PIPELINED, RESTART, CERTIFICATES, CLIENTS, TLS12];

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By the places of server and line in their lists.
    pub(crate) rows: BTreeMap<(usize, usize), Row>,
    /// What was seen that is no check of a row: the thirteen, and second opinions.
    pub(crate) others: Vec<(String, Result<String, String>)>,
}

/// One line to one server.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) server: &'static str,
    /// The line, in words.
    pub(crate) line: String,
    /// The same without what is but a variant of it.
    pub(crate) protocol: &'static str,
    /// By backend and check.
    pub(crate) results: BTreeMap<(&'static str, Check), Result<(), String>>,
}

impl Report {
    /// Notes a result. Of several for the same check the first failure stays.
    pub(crate) fn add(&mut self, bench: &Bench<'_>, check: Check, result: Result<(), String>) {
        let row = self.rows.entry(bench.place()).or_insert_with(|| Row {
            server: bench.instance.kind.name,
            line: bench.line.to_string(),
            protocol: bench.line.protocol(),
            results: BTreeMap::new(),
        });
        let so_far = row.results.entry((bench.backend.0, check)).or_insert(Ok(()));
        if so_far.is_ok() {
            *so_far = result;
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.rows.values().all(Row::is_good) && self.others.iter().all(|(_, result)| result.is_ok())
    }
}

impl Row {
    pub(crate) fn is_good(&self) -> bool {
        self.results.values().all(Result::is_ok)
    }
}
