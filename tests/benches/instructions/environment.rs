//! The environment of a measurement: the same code takes as many instructions only in the same environment.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::process::Command;

use toml::Table;

const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");

/// Names and values. Figures of two environments are compared only if all values are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment(Vec<(&'static str, String)>);

/// The names, in the order of the record.
const NAMES: [&str; 5] = ["rustc", "cpu", "valgrind", "rustls", "ring"];

impl Environment {
    pub(crate) fn of_this_machine() -> io::Result<Self> {
        let valgrind = said("valgrind".as_ref()).map_err(|error| {
            let message = format!("valgrind does not run ({error}): apt-get install valgrind");
            io::Error::new(error.kind(), message)
        })?;
        let rustc = said(&env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))?;
        let lock: Table = fs::read_to_string(LOCK)?.parse().map_err(io::Error::other)?;
        let values = [rustc, cpu(), valgrind, locked(&lock, "rustls"), locked(&lock, "ring")];
        Ok(Self(NAMES.into_iter().zip(values).collect()))
    }

    pub(crate) fn from_toml(table: &Table) -> Self {
        let value = |name| table.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        Self(NAMES.into_iter().map(|name| (name, value(name))).collect())
    }

    pub(crate) fn to_toml(&self) -> Table {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect()
    }

    /// The values that differ.
    pub(crate) fn differences(&self, recorded: &Self) -> Vec<String> {
        let pairs = self.0.iter().zip(&recorded.0).filter(|(here, recorded)| here != recorded);
        pairs.map(|((name, here), (_, recorded))| format!("{name}: {here}, recorded: {recorded}")).collect()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(formatter, "{separator}{name}: {value}")?;
        }
        Ok(())
    }
}

/// The output of `program --version`.
fn said(program: &OsStr) -> io::Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cpu() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown", |(_, model)| model).to_owned()
}

/// The version of a package in a lock file.
fn locked(lock: &Table, name: &str) -> String {
    let packages = lock.get("package").and_then(|packages| packages.as_array()).into_iter().flatten();
    let is_named =
        |package: &&toml::Value| package.get("name").and_then(|found| found.as_str()) == Some(name);
    let versions = packages.filter(is_named).filter_map(|package| package.get("version")?.as_str());
    versions.collect::<Vec<_>>().join(", ")
}
