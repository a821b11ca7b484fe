//! The report as it is printed, and as the README has it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::report::{CHECKS, Check, Report, Row};
use crate::servers;

/// Around the table in the README.
const BEGIN: &str = "<!-- servers -->\n";
const END: &str = "<!-- /servers -->";

/// As the README has them.
const PROTOCOLS: [&str; 6] = ["DoT", "DoT, mutual", "DoH/2", "DoH/2, mutual", "DoH/1.1", "DoH/1.1, mutual"];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends = || crate::BACKENDS.iter().map(|(name, _)| *name);
        write!(f, "\n{:20} {:22}", "server", "protocol")?;
        backends().try_for_each(|backend| write!(f, " {backend:13}"))?;
        writeln!(f)?;
        for row in self.rows.values() {
            write!(f, "{:20} {:22}", row.server, row.line)?;
            backends().try_for_each(|backend| write!(f, " {:13}", row.letters(backend)))?;
            writeln!(f)?;
        }
        for Check(letter, words) in CHECKS {
            writeln!(f, "  {letter}  {words}")?;
        }
        writeln!(f, "  !  failed   -  does not apply\n")?;
        for (what, result) in &self.others {
            match result {
                Ok(seen) => writeln!(f, "ok      {what}: {seen}")?,
                Err(problem) => writeln!(f, "FAILED  {what}: {problem}")?,
            }
        }
        for row in self.rows.values() {
            for ((backend, check), result) in &row.results {
                if let Err(problem) = result {
                    writeln!(f, "FAILED  {}, {}, {backend}: {}: {problem}", row.server, row.line, check.1)?;
                }
            }
        }
        Ok(())
    }
}

impl Row {
    fn letters(&self, backend: &'static str) -> String {
        let letter = |check: Check| match self.results.get(&(backend, check)) {
            None => '-',
            Some(Ok(())) => check.0,
            Some(Err(_)) => '!',
        };
        CHECKS.into_iter().map(letter).collect()
    }
}

impl Report {
    /// Writes the table of servers into the README, where it has a place for it.
    pub(crate) fn write_readme(&self, readme: &Path) -> Result<(), String> {
        write_between(readme, BEGIN, END, &self.markdown())
    }

    /// A row for each server, a column for each protocol, and in it whether all went well over every backend.
    fn markdown(&self) -> String {
        let mut servers = BTreeMap::<_, BTreeMap<&str, bool>>::new();
        for ((place, _), row) in &self.rows {
            *servers.entry(*place).or_default().entry(row.protocol).or_insert(true) &= row.is_good();
        }
        let mut text =
            format!("| server | {} |\n|---|{}\n", PROTOCOLS.join(" | "), "---|".repeat(PROTOCOLS.len()));
        for (place, protocols) in servers {
            let kind = &servers::SERVERS[place];
            let cells = PROTOCOLS.map(|protocol| match protocols.get(protocol) {
                None => "",
                Some(true) => "✓",
                Some(false) => "✗",
            });
            let version = version(kind.package);
            writeln!(text, "| {} {version} | {} |", kind.title, cells.join(" | "))
                .expect("a string takes all");
        }
        text
    }
}

/// Replaces what stands between two marks in a file, where it has them.
pub(crate) fn write_between(file: &Path, begin: &str, end: &str, between: &str) -> Result<(), String> {
    let fail = |problem: &dyn fmt::Display| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file).map_err(|error| fail(&error))?;
    let Some((before, rest)) = text.split_once(begin) else { return Ok(()) };
    let (_, after) = rest.split_once(end).ok_or_else(|| fail(&"the table has no end"))?;
    fs::write(file, format!("{before}{begin}{between}{end}{after}")).map_err(|error| fail(&error))
}

/// The upstream version of a Debian package: without epoch and revision.
pub(crate) fn version(package: &str) -> String {
    let query = Command::new("dpkg-query").args(["--show", "--showformat=${Version}", package]).output();
    let version =
        query.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = version.split_once(':').map_or(&*version, |(_epoch, version)| version);
    version.split(['-', '+']).next().unwrap_or_default().to_owned()
}
