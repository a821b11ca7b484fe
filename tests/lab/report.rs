//! The results of all checks.

use std::collections::BTreeMap;

use crate::bench::Bench;

/// A check: its letter in the table, and its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Check(pub(crate) char, pub(crate) &'static str);

pub(crate) const RECORDS: Check = Check('R', "all record types, field by field");
pub(crate) const HUGE: Check = Check('H', "an answer of 60,000 bytes");
pub(crate) const DENIALS: Check = Check('N', "NXDOMAIN and NODATA");
pub(crate) const ALIASES: Check = Check('A', "CNAME chains, with and without a target");
pub(crate) const SERVFAIL: Check = Check('F', "SERVFAIL");
pub(crate) const TTLS: Check = Check('T', "TTLs 0 and 1");
pub(crate) const IDLE: Check =
    Check('I', "an idle connection closed by the server; the next one resumes its session");
pub(crate) const PIPELINED: Check = Check('P', "200 concurrent queries");
pub(crate) const RESTART: Check = Check('X', "a restart at 100 lookups per second without a lost lookup");
pub(crate) const CERTIFICATES: Check =
    Check('C', "invalid server certificates, each rejected with its reason");
pub(crate) const CLIENTS: Check = Check('M', "refused client certificates, each reported as such");
pub(crate) const TLS12: Check = Check('2', "TLS 1.2");

/// All checks, in the order of the table.
pub(crate) const CHECKS: [Check; 12] =
    [RECORDS, HUGE, DENIALS, ALIASES, SERVFAIL, TTLS, IDLE, PIPELINED, RESTART, CERTIFICATES, CLIENTS, TLS12];

/// All results.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The rows by the indices of the server and the line.
    pub(crate) rows: BTreeMap<(usize, usize), Row>,
    /// The results of checks that are not in the table: the quirks, and comparisons with other programs.
    pub(crate) others: Vec<(String, Result<String, String>)>,
}

/// The results of one line to one server.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) server: &'static str,
    /// The description of the line.
    pub(crate) line: String,
    /// The protocol without its variants, such as the HTTP method.
    pub(crate) protocol: &'static str,
    /// The results by backend and check.
    pub(crate) results: BTreeMap<(&'static str, Check), Result<(), String>>,
}

impl Report {
    /// Adds a result. Of several results for one check, the first failure is kept.
    pub(crate) fn add(&mut self, bench: &Bench<'_>, check: Check, result: Result<(), String>) {
        let row = self.rows.entry(bench.position()).or_insert_with(|| Row {
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
