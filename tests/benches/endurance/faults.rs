//! Servers with faults. They run in a separate process, because their logs grow.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use data_encoding::HEXLOWER;
use privydns_core::{Error, Roots, Upstream};
use privydns_tests::{Authority, End, MessageFault, QueryFault, Script, Server, When};

/// The argument that makes this program run the servers.
pub(crate) const ARGUMENT: &str = "--misbehave";

/// All faults, each with the label that selects it in a query name.
pub(crate) fn all() -> [(&'static str, QueryFault); 12] {
    [
        ("slow", QueryFault::Delay(Duration::from_millis(200))),
        ("silent", QueryFault::Silent),
        ("closed", QueryFault::EndBefore(End::CloseNotify)),
        ("cut", QueryFault::EndBefore(End::Fin)),
        ("reset", QueryFault::EndBefore(End::Reset)),
        ("undecipherable", QueryFault::EndBefore(End::BadRecord)),
        ("split", QueryFault::Split(7)),
        ("foreign", MessageFault::WrongId.into()),
        ("mistaken", MessageFault::WrongName.into()),
        ("garbage", MessageFault::Garbage.into()),
        ("half", MessageFault::Cut.into()),
        ("refused", MessageFault::Code(privydns_tests::hickory_proto::op::ResponseCode::Refused).into()),
    ]
}

/// The servers' process. Dropping this value ends the process.
pub(crate) struct Faulty {
    process: Child,
    pub(crate) upstreams: Vec<Upstream>,
}

impl Faulty {
    pub(crate) fn start() -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let mut lines = BufReader::new(output).lines();
        let root =
            lines.next().ok_or_else(|| io::Error::other("the servers' process printed no addresses"))??;
        let root = HEXLOWER.decode(root.as_bytes()).map_err(io::Error::other)?;
        let mut upstreams = Vec::new();
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            upstreams.push(upstream(&line, &root).map_err(io::Error::other)?);
        }
        Ok(Self { process, upstreams })
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        // The process ends when the standard input closes.
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

fn upstream(text: &str, root: &[u8]) -> Result<Upstream, Error> {
    Ok(text.parse::<Upstream>()?.roots(Roots::from_der([root.to_vec()])?))
}

/// Runs two servers with all faults and one without, until standard input closes.
pub(crate) fn serve() -> io::Result<()> {
    let script = all().into_iter().fold(Script::new(), |script, (label, fault)| {
        script.on_query(When::below(&format!("{label}.wild.example.test.")), fault)
    });
    let servers = [
        Server::dot().script(script.clone()).start(),
        Server::http2().script(script).start(),
        Server::dot().start(),
    ];
    let mut output = io::stdout();
    writeln!(output, "{}", HEXLOWER.encode(Authority::shared().root_der()))?;
    for server in &servers {
        writeln!(output, "{}", server.upstream())?;
    }
    writeln!(output)?;
    output.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
