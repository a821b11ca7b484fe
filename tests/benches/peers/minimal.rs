//! The cost of a minimal program: for each library, a program that resolves one name is built from scratch.
//!
//! All programs use `ring`, the usual default. aws-lc-rs would add the same large amount of C code to all.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::figures::Figures;
use crate::machine;
use crate::measure::{Measure, Unit};

pub(crate) const LINES: &[&str] = &["minimal"];

const MEASURES: &[Measure] = &[
    Measure::new("crates", Unit::Count),
    Measure::new("binary", Unit::Bytes),
    Measure::new("build CPU", Unit::Time),
];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The libraries: name, dependencies, and program.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("floor-raw", include_str!("minimal/floor.toml"), include_str!("minimal/floor.rs")),
    ("privydns-tokio", include_str!("minimal/tokio.toml"), include_str!("minimal/tokio.rs")),
    ("privydns-blocking", include_str!("minimal/blocking.toml"), include_str!("minimal/blocking.rs")),
    ("hickory", include_str!("minimal/hickory.toml"), include_str!("minimal/hickory.rs")),
    ("domain", include_str!("minimal/domain.toml"), include_str!("minimal/domain.rs")),
    ("reqwest", include_str!("minimal/reqwest.toml"), include_str!("minimal/reqwest.rs")),
];

/// Builds each program once.
pub(crate) fn measure() -> io::Result<Figures> {
    let names: Vec<_> = PROGRAMS.iter().map(|(name, ..)| *name).collect();
    let mut figures = Figures::new("minimal", MEASURES, &names);
    for ((name, dependencies, program), (_, samples)) in PROGRAMS.iter().zip(&mut figures.clients) {
        samples.push(build(name, dependencies, program)?);
    }
    Ok(figures)
}

fn build(name: &str, dependencies: &str, program: &str) -> io::Result<Vec<f64>> {
    let directory = crate::output("minimal").join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(directory.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"minimal\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n\
         [profile.release]\nstrip = true\n",
        dependencies.replace("ROOT", ROOT)
    );
    fs::write(directory.join("Cargo.toml"), manifest)?;
    fs::write(directory.join("src/main.rs"), program)?;
    // The programs use the versions of the workspace.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), directory.join("Cargo.lock"))?;
    let before = machine::children_cpu();
    cargo(&directory, &["build", "--release"])?;
    let cpu = machine::children_cpu().saturating_sub(before);
    let tree = cargo(&directory, &["tree", "--edges", "normal", "--prefix", "none", "--no-dedupe"])?;
    let mut crates: Vec<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    let binary = fs::metadata(directory.join("target/release").join(executable()))?.len();
    // The program itself is not a dependency.
    Ok(vec![(crates.len() - 1) as f64, binary as f64, cpu.as_secs_f64()])
}

fn executable() -> String {
    format!("minimal{}", env::consts::EXE_SUFFIX)
}

fn cargo(directory: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .arg("--quiet")
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("cargo {} failed in {}", arguments[0], directory.display())));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}
