//! The report as text, and the table of servers in the lab's README.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::report::{CHECKS, Check, Report, Row};
use crate::servers;

/// The marks around the table in the README.
const BEGIN: &str = "<!-- servers -->\n";
const END: &str = "<!-- /servers -->";

/// The columns of the table in the README.
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
        for Check(letter, description) in CHECKS {
            writeln!(f, "  {letter}  {description}")?;
        }
        writeln!(f, "  !  failed   -  does not apply\n")?;
        for (name, result) in &self.others {
            match result {
                Ok(seen) => writeln!(f, "ok      {name}: {seen}")?,
                Err(problem) => writeln!(f, "FAILED  {name}: {problem}")?,
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
    /// Replaces the table of servers in the README.
    pub(crate) fn write_readme(&self, readme: &Path) -> Result<(), String> {
        write_between(readme, BEGIN, END, &self.markdown())
    }

    /// Returns a table with a row per server and a column per protocol. A cell states whether all checks
    /// succeeded with every backend.
    fn markdown(&self) -> String {
        let mut servers = BTreeMap::<_, BTreeMap<&str, bool>>::new();
        for ((index, _), row) in &self.rows {
            *servers.entry(*index).or_default().entry(row.protocol).or_insert(true) &= row.is_good();
        }
        let mut text =
            format!("| server | {} |\n|---|{}\n", PROTOCOLS.join(" | "), "---|".repeat(PROTOCOLS.len()));
        for (index, protocols) in servers {
            let kind = &servers::SERVERS[index];
            let cells = PROTOCOLS.map(|protocol| match protocols.get(protocol) {
                None => "",
                Some(true) => "✓",
                Some(false) => "✗",
            });
            let version = version(kind.package);
            writeln!(text, "| {} {version} | {} |", kind.title, cells.join(" | "))
                .expect("writing to a string cannot fail");
        }
        text
    }
}

/// Replaces the text between two marks in a file. A file without the marks is not changed.
pub(crate) fn write_between(file: &Path, begin: &str, end: &str, text_between: &str) -> Result<(), String> {
    let fail = |problem: &dyn fmt::Display| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file).map_err(|error| fail(&error))?;
    let Some((before, rest)) = text.split_once(begin) else { return Ok(()) };
    let (_, after) = rest.split_once(end).ok_or_else(|| fail(&"the mark after the table is missing"))?;
    fs::write(file, format!("{before}{begin}{text_between}{end}{after}")).map_err(|error| fail(&error))
}

/// The upstream version of an installed Debian package, without epoch and revision.
pub(crate) fn version(package: &str) -> String {
    let query = Command::new("dpkg-query").args(["--show", "--showformat=${Version}", package]).output();
    let version =
        query.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = version.split_once(':').map_or(&*version, |(_epoch, version)| version);
    version.split(['-', '+']).next().unwrap_or_default().to_owned()
}
