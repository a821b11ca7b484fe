//! Child processes that end with the lab, however it ends.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);

/// Starts programs on one thread that lives as long as the lab. The kernel ends the programs when this thread
/// ends (`setpriv --pdeathsig`), even if the lab is killed.
#[derive(Debug)]
pub(crate) struct Spawner(mpsc::Sender<(Command, mpsc::Sender<io::Result<Child>>)>);

impl Spawner {
    pub(crate) fn new() -> Self {
        let (commands, inbox) = mpsc::channel::<(Command, mpsc::Sender<io::Result<Child>>)>();
        thread::spawn(move || {
            for (mut command, reply) in inbox {
                _ = reply.send(command.spawn());
            }
        });
        Self(commands)
    }

    /// Starts a program. The output is appended to the file `log`.
    pub(crate) fn spawn(&self, mut command: Command, log: &Path) -> io::Result<Process> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let (reply, outcome) = mpsc::channel();
        self.0.send((command, reply)).expect("the thread lives as long as its sender");
        Ok(Process(outcome.recv().expect("the thread replies to each command")?))
    }
}

/// A running program. Dropping it ends the program.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).stderr(Stdio::null()).status();
        let start = Instant::now();
        while !self.has_ended() && start.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(5));
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A command that the kernel ends when the thread that started it ends.
pub(crate) fn tied(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command
}

/// The path of a program in Debian's directories for programs.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    folders.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.exists())
}
