//! Running the command.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use privydns_tests::{Authority, Server};
use serde_json::Value;

pub(crate) const WWW: &str = "www.example.test";

/// The exit status and the output of a run.
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The JSON objects of a run with `--json`.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("an object in each line")).collect()
    }

    /// The one JSON object of a run with `--json`.
    pub(crate) fn object(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{}", self.stdout);
        objects.remove(0)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |octets| String::from_utf8(octets).expect("what is shown is text");
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The command with these arguments, and a timeout that suits a slow machine.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_privydns"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").args(["--timeout", "60s"]).args(arguments);
    command
}

/// Runs the command with exactly these arguments.
pub(crate) fn bare(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_privydns"));
    command.args(arguments).output().expect("the command runs").into()
}

/// The arguments for these servers as upstreams.
pub(crate) fn upstreams(servers: &[&Server]) -> Vec<String> {
    let mut arguments = vec!["--ca".to_owned(), ca()];
    for server in servers {
        arguments.extend(["--upstream".to_owned(), server.upstream()]);
    }
    arguments
}

/// Runs the command with these servers as upstreams.
pub(crate) fn ask_all(servers: &[&Server], arguments: &[&str]) -> Run {
    command(arguments).args(upstreams(servers)).output().expect("the command runs").into()
}

/// Runs the command with this server as the upstream.
pub(crate) fn ask(server: &Server, arguments: &[&str]) -> Run {
    ask_all(&[server], arguments)
}

/// The file with the root certificate of the servers.
pub(crate) fn ca() -> String {
    static CA: OnceLock<String> = OnceLock::new();
    CA.get_or_init(|| file(&Authority::shared().root_pem())).clone()
}

/// A file with this content.
pub(crate) fn file(content: &str) -> String {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let name = format!("command-{}-{}", std::process::id(), FILES.fetch_add(1, Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("a file can be written");
    path.into_os_string().into_string().expect("a path in UTF-8")
}
