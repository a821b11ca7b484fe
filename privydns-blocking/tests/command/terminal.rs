//! Output in a pseudo-terminal.

use std::io::{Read, Write};

use portable_pty::{Child, CommandBuilder, ExitStatus, PtySize, native_pty_system};
use privydns_tests::{QueryFault, Script, Server, When};

use crate::run::{WWW, file, upstreams};

/// The command in a terminal of its own. `portable_pty` resets SIGINT and SIGHUP to their defaults for the command, so
/// that no test depends on the dispositions that the test process has inherited.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    reader: Box<dyn Read + Send>,
    keyboard: Box<dyn Write + Send>,
    /// The output so far.
    shown: String,
}

impl Terminal {
    fn start(server: &Server, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 });
        let pair = pair.unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_privydns"));
        command.args(arguments);
        command.args(["--timeout", "60s"]);
        command.args(upstreams(&[server]));
        // Each of these variables affects colours.
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let reader = pair.master.try_clone_reader().unwrap();
        Self { child, reader, keyboard: pair.master.take_writer().unwrap(), shown: String::new() }
    }

    /// Reads until the output contains this text.
    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            assert!(self.read(), "no {text:?} in {:?}", self.shown);
        }
    }

    /// Reads until the command ends. Returns the exit status and the complete output.
    fn finish(mut self) -> (ExitStatus, String) {
        while self.read() {}
        (self.child.wait().unwrap(), self.shown)
    }

    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // Linux returns an error when the command has ended.
        let read = self.reader.read(&mut buffer).unwrap_or(0);
        self.shown += &String::from_utf8_lossy(&buffer[..read]);
        read > 0
    }
}

#[test]
fn progress_bar_shows_the_position_in_the_list() {
    let script = Script::new().on_query("n7.many.example.test.", QueryFault::Hold);
    let server = Server::dot().script(script).start();
    let names =
        file(&(0..1000).map(|number| format!("n{number}.many.example.test")).collect::<Vec<_>>().join("\n"));
    let mut terminal = Terminal::start(&server, &["--file", &names, "--short", "--attempts", "1"], &[]);
    // All answers but one have arrived, and the bar shows that.
    terminal.wait_for("999/1,000");
    server.release();
    let (status, shown) = terminal.finish();
    assert_eq!(status.exit_code(), 0);
    assert!(shown.contains('█'), "{shown:?}");
    assert!(shown.contains(" left"), "{shown:?}");
    let last = shown.lines().last().unwrap();
    assert!(last.contains(";; 1000 lookups in ") && last.ends_with(": 1000 answered, 0 failed"), "{last:?}");
}

#[test]
fn failures_are_counted_beside_the_bar() {
    let script = Script::new().on_query("n7.many.example.test.", QueryFault::Hold);
    let server = Server::dot().script(script).start();
    let names = file("refused.example.test\nn7.many.example.test\nwww.example.test\n");
    let mut terminal =
        Terminal::start(&server, &["--file", &names, "--short", "--attempts", "1"], &[("NO_COLOR", "1")]);
    terminal.wait_for("1 failed");
    terminal.wait_for("2/3");
    server.release();
    let (status, shown) = terminal.finish();
    assert_eq!(status.exit_code(), 1);
    assert!(shown.contains("privydns: refused.example.test. A: "), "{shown:?}");
    assert!(shown.trim_end().ends_with(": 2 answered, 1 failed"), "{shown:?}");
}

#[test]
fn colours_appear_only_on_terminals_that_allow_them() {
    let server = Server::dot().start();
    let shown = |environment: &[(&str, &str)]| Terminal::start(&server, &[WWW], environment).finish().1;
    assert!(shown(&[]).contains("\u{1b}["));
    assert!(!shown(&[("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(!shown(&[("TERM", "dumb")]).contains('\u{1b}'));
    let piped = crate::run::command(&[WWW]).env("CLICOLOR_FORCE", "1").args(upstreams(&[&server])).output();
    assert!(!piped.unwrap().stdout.contains(&0x1b));
}

/// The name of the signal is the C library's (`Interrupt` on Linux, `Interrupt: 2` on macOS).
#[test]
fn an_interrupt_from_the_terminal_ends_a_lookup_at_once() {
    const CTRL_C: &[u8] = b"\x03";
    let server = Server::dot().script(Script::new().on_query(When::any(), QueryFault::Silent)).start();
    let mut terminal = Terminal::start(&server, &[WWW], &[]);
    server.wait_until(|seen| seen.query_count > 0);
    terminal.keyboard.write_all(CTRL_C).unwrap();
    let (status, _) = terminal.finish();
    assert!(status.signal().is_some_and(|signal| signal.starts_with("Interrupt")), "{status:?}");
}
