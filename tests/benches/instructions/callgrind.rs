//! Builds the client as a separate program, and counts the instructions of its process.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::{Operation, Server};
use crate::server::Remote;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The client's package.
const PACKAGE: &str = include_str!("program.toml");

/// The built client, in the directory where callgrind writes the profiles.
pub(crate) struct Callgrind {
    directory: PathBuf,
    certificate: PathBuf,
}

impl Callgrind {
    /// Builds the client.
    pub(crate) fn new(server: &Remote) -> io::Result<Self> {
        let directory = crate::output();
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("Cargo.toml"), PACKAGE.replace("ROOT", ROOT))?;
        // The versions of the workspace.
        fs::copy(Path::new(ROOT).join("Cargo.lock"), directory.join("Cargo.lock"))?;
        let certificate = directory.join("root.der");
        fs::write(&certificate, &server.root)?;
        build(&directory)?;
        Ok(Self { directory, certificate })
    }

    /// Runs the client, and returns the instructions of its process in user space. The profile stays for
    /// `callgrind_annotate`.
    pub(crate) fn count(&self, operation: Operation, operations: usize, server: &Server) -> io::Result<u64> {
        let profile = self.directory.join(format!("callgrind.{}.{operations}", operation.name()));
        let mut profile_option = OsString::from("--callgrind-out-file=");
        profile_option.push(&profile);
        let output = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(profile_option)
            .arg(self.directory.join("target/release/client"))
            .args([operation.name(), &operations.to_string(), &server.address.to_string(), &server.name])
            .arg(&self.certificate)
            // The stack begins below the environment.
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{} under callgrind: {said}", operation.name())));
        }
        let profile = fs::read_to_string(profile)?;
        let total = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
        total.ok_or_else(|| io::Error::other("callgrind wrote no total"))
    }
}

/// Builds the client with the options of its package, whatever the caller's environment says.
fn build(directory: &Path) -> io::Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let is_option = |name: &str| name.ends_with("RUSTFLAGS") || name.starts_with("CARGO_PROFILE_");
        if name.to_str().is_some_and(is_option) {
            cargo.env_remove(name);
        }
    }
    let status = cargo
        .args(["build", "--release", "--quiet"])
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the client is not built")) }
}
