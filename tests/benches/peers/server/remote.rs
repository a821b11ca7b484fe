//! A handle to the server's process, for the process of the clients.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Sub;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;

/// A running server. Dropping this value ends the server.
pub(crate) struct Remote {
    pub(crate) dot: SocketAddr,
    pub(crate) http2: SocketAddr,
    /// The root certificate in DER.
    pub(crate) root: Vec<u8>,
    process: Child,
    wire: Mutex<(Option<ChildStdin>, BufReader<ChildStdout>)>,
}

/// The counters of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) connections: u64,
    pub(crate) resumed: u64,
    pub(crate) queries: u64,
    pub(crate) cpu: Duration,
}

impl Remote {
    pub(crate) fn start() -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .arg(super::ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the server's process printed no addresses");
        let input = process.stdin.take();
        let mut output = BufReader::new(process.stdout.take().ok_or_else(missing)?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let mut next = || words.next().ok_or_else(missing);
        let mut port = || next()?.parse().map_err(io::Error::other);
        let [dot, http2] = [port()?, port()?].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let root = HEXLOWER.decode(next()?.as_bytes()).map_err(io::Error::other)?;
        Ok(Self { dot, http2, root, process, wire: Mutex::new((input, output)) })
    }

    /// The counters at present.
    pub(crate) fn count(&self) -> Counts {
        let line = self.tell("count", true);
        let mut numbers =
            line.split_whitespace().map(|word| word.parse().expect("the server prints numbers"));
        let mut next = || numbers.next().expect("the server prints all counters");
        Counts { connections: next(), resumed: next(), queries: next(), cpu: Duration::from_nanos(next()) }
    }

    /// Closes all connections.
    pub(crate) fn close_connections(&self) {
        self.tell("close", false);
    }

    /// Has every new connection answer `size` queries together, or all that remain of `total`.
    #[allow(dead_code, reason = "only the benchmark of instructions needs batches")]
    pub(crate) fn answer_in_batches(&self, size: usize, total: usize) {
        self.tell(&format!("batch {size} {total}"), true);
    }

    fn tell(&self, command: &str, is_answered: bool) -> String {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = &mut *wire;
        let input = input.as_mut().expect("the input is open until this value is dropped");
        writeln!(input, "{command}").expect("the server's process is running");
        let mut line = String::new();
        if is_answered {
            output.read_line(&mut line).expect("the server's process is running");
        }
        line
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // The process ends when the standard input closes.
        self.wire.get_mut().unwrap_or_else(PoisonError::into_inner).0 = None;
        drop(self.process.wait());
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            connections: self.connections - before.connections,
            resumed: self.resumed - before.resumed,
            queries: self.queries - before.queries,
            cpu: self.cpu.saturating_sub(before.cpu),
        }
    }
}
