//! The lines of the program `allocations`, which runs separately because counting allocations is slow.

use std::env;
use std::io;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::figures::Figures;

pub(crate) const LINES: &[&str] = &["allocations-dot", "allocations-doh", "allocations-hit", "heap"];

/// Runs the program with cargo.
pub(crate) fn measure() -> io::Result<Vec<Figures>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["bench", "--quiet", "--package", "privydns-tests", "--bench", "allocations"])
        .stderr(Stdio::inherit())
        .output()?;
    let lines: Value = serde_json::from_slice(&output.stdout)?;
    let lines = lines.as_array().into_iter().flatten();
    Ok(lines.filter_map(Figures::from_json).collect())
}
