//! The folder that the lab works in, and the servers that run there.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use privydns_core::{ClientCertificate, Config, Outcome, RecordType, Roots, TlsVersion, Upstream};
use privydns_tests::{Authority, Identity, SERVER_NAME, ServerCertificate};

use crate::backend::Backend as _;
use crate::backend::tokio::MultiThread;
use crate::line::Line;
use crate::ports::Ports;
use crate::process::{self, Process, Spawner};
use crate::servers::{self, Endpoint, ServerKind, Speaks};
use crate::zone::Zone;

/// How long a server may take until it accepts connections.
const STARTUP: Duration = Duration::from_secs(20);

/// The folder, what is in it for all servers, and what stands behind them.
#[derive(Debug)]
pub(crate) struct Lab {
    folder: PathBuf,
    spawner: Spawner,
    ports: Ports,
    /// What is the same for every server, by its place in the configurations.
    places: BTreeMap<&'static str, String>,
    pub(crate) authority: Authority,
    pub(crate) zone: Zone,
    /// Takes queries in, and says nothing.
    _silent: (TcpListener, UdpSocket),
    /// The servers that stand behind others.
    behind: Vec<Instance>,
}

/// A server that runs. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) kind: &'static ServerKind,
    pub(crate) folder: PathBuf,
    ports: BTreeMap<&'static str, u16>,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Option<(&'static str, String)>,
    process: Mutex<Option<Process>>,
    roots: Roots,
}

/// How a server is to be run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    pub(crate) certificate: ServerCertificate,
    /// Whether it is held to TLS 1.2.
    pub(crate) tls12: bool,
}

impl Lab {
    /// Writes certificates and zones into an empty folder, and starts what stands behind the servers.
    pub(crate) fn new(parent: &Path) -> Result<Self, String> {
        let ports = Ports::claim().ok_or("no ports are left: too many labs run")?;
        let folder = &parent.join(ports.block().to_string());
        _ = fs::remove_dir_all(folder);
        let zones = folder.join("zones");
        fs::create_dir_all(&zones).map_err(|error| format!("{}: {error}", zones.display()))?;
        let fail = |error: std::io::Error| error.to_string();
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(fail)?;
        let silent_at = silent.local_addr().map_err(fail)?;
        let mut lab = Self {
            folder: folder.to_owned(),
            spawner: Spawner::new(),
            ports,
            places: BTreeMap::new(),
            authority: Authority::new(),
            zone: Zone::new(),
            _silent: (silent, UdpSocket::bind(silent_at).map_err(fail)?),
            behind: Vec::new(),
        };
        lab.places.insert("SILENT", silent_at.port().to_string());
        fs::write(zones.join("example.test.zone"), &lab.zone.text).map_err(|error| error.to_string())?;
        let root = folder.join("root.pem");
        fs::write(&root, lab.authority.root_pem()).map_err(|error| error.to_string())?;
        lab.places.insert("ZONES", zones.display().to_string());
        lab.places.insert("ROOT", root.display().to_string());
        for (kind, port) in [(&servers::KNOT, "PLAIN"), (&servers::HTTP, "HTTP")] {
            let number = lab.ports.next();
            lab.places.insert(port, number.to_string());
            let mut instance = lab.prepare(kind, Run::default())?;
            instance.ports.insert(port, number);
            lab.start_prepared(&instance)?;
            lab.behind.push(instance);
        }
        Ok(lab)
    }

    /// Starts a server, and waits until it answers; with a bad certificate, until it accepts connections.
    pub(crate) fn start(&self, kind: &'static ServerKind, run: Run) -> Result<Instance, String> {
        let instance = self.prepare(kind, run)?;
        self.start_prepared(&instance)?;
        if matches!(run.certificate, ServerCertificate::Good | ServerCertificate::Intermediate) {
            self.wait_until_it_answers(&instance)?;
        }
        Ok(instance)
    }

    /// Stops a server, and starts it again as it was.
    pub(crate) fn restart(&self, instance: &Instance) -> Result<(), String> {
        drop(instance.process.lock().expect("nothing panics with it in hand").take());
        self.start_prepared(instance)
    }

    /// Captures what passes through a port of loopback, until what is returned is dropped.
    pub(crate) fn capture(&self, port: u16, file: &Path) -> Result<Process, String> {
        let log = file.with_extension("log");
        let mut command = process::tied(Path::new("/usr/bin/dumpcap"));
        command.args(["-i", "lo", "-f", &format!("tcp port {port}"), "-w"]).arg(file);
        let capture = self.spawner.spawn(command, &log).map_err(|error| error.to_string())?;
        let start = Instant::now();
        while !fs::read_to_string(&log).unwrap_or_default().contains("File: ") {
            if start.elapsed() > STARTUP {
                return Err(format!("dumpcap does not start; see {}", log.display()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(capture)
    }

    /// A certificate for a client to show.
    pub(crate) fn client(&self, kind: privydns_tests::ClientCertificate) -> ClientCertificate {
        let identity = self.authority.client(kind);
        ClientCertificate::from_pem(identity.chain_pem().as_bytes(), identity.key_pem().as_bytes())
            .expect("our own certificates parse")
    }

    /// Gives a server a folder, ports, a certificate and its configuration.
    fn prepare(&self, kind: &'static ServerKind, run: Run) -> Result<Instance, String> {
        let program =
            process::find(kind.program).ok_or_else(|| format!("{} is not installed", kind.program))?;
        let mut ports: BTreeMap<_, _> =
            kind.endpoints.iter().map(|endpoint| (endpoint.port, self.ports.next())).collect();
        ports.insert("UNUSED", self.ports.next());
        let first = ports.values().next().expect("there is at least one port");
        let folder = self.folder.join(format!("{}-{first}", kind.name));
        let identity = self.authority.server(run.certificate);
        let files =
            Files::new(folder, identity, self.authority.root_pem()).map_err(|error| error.to_string())?;

        let mut places = self.places.clone();
        places.extend(ports.iter().map(|(place, port)| (*place, port.to_string())));
        places.extend(files.places());
        places.insert("HIGHEST", if run.tls12 { "1.2" } else { "1.3" }.to_owned());
        fs::write(files.config(), fill(kind.config, &places)).map_err(|error| error.to_string())?;

        Ok(Instance {
            kind,
            program,
            arguments: kind.arguments.iter().map(|argument| fill(argument, &places)).collect(),
            environment: run.tls12.then(|| ("OPENSSL_CONF", files.openssl_config())),
            folder: files.folder,
            ports,
            process: Mutex::new(None),
            roots: Roots::from_pem(self.authority.root_pem().as_bytes()).expect("our own root parses"),
        })
    }

    fn start_prepared(&self, instance: &Instance) -> Result<(), String> {
        let mut command = process::tied(&instance.program);
        command.args(&instance.arguments).current_dir(&instance.folder).envs(instance.environment.clone());
        instance.start(&self.spawner, command)
    }

    fn wait_until_it_answers(&self, instance: &Instance) -> Result<(), String> {
        let Some(line) = Line::all(instance).into_iter().next() else { return Ok(()) };
        let upstream = line.upstream(self, instance).with_minimum_tls(TlsVersion::Tls12);
        let config = Config::builder().upstream(upstream).build().expect("a sound configuration");
        let resolver = MultiThread.resolver(config).expect("a sound configuration");
        let start = Instant::now();
        loop {
            match resolver.lookup("www.example.test", RecordType::A) {
                Ok(answer) if answer.outcome() == Outcome::Records => return Ok(()),
                result if start.elapsed() > STARTUP => {
                    return Err(format!("{} does not answer: {result:?}", instance.kind.name));
                }
                _ => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Instance {
    pub(crate) fn address(&self, endpoint: &Endpoint) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[endpoint.port]).into()
    }

    /// The upstream that a door is, whose certificate is for [`SERVER_NAME`].
    pub(crate) fn upstream(&self, endpoint: &Endpoint) -> Upstream {
        let upstream = match endpoint.speaks {
            Speaks::Dot => Upstream::tls(SERVER_NAME),
            Speaks::Http(_) => Upstream::https(SERVER_NAME),
        };
        let upstream = upstream.and_then(|upstream| upstream.with_port(self.address(endpoint).port()));
        let upstream = upstream.expect("the name is one").address(Ipv4Addr::LOCALHOST);
        upstream.roots(self.roots.clone())
    }

    /// The doors that this kind of server has.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &'static Endpoint> {
        self.kind.endpoints.iter()
    }

    fn start(&self, spawner: &Spawner, command: Command) -> Result<(), String> {
        let log = self.folder.join("log");
        let fail = |problem: String| format!("{}: {problem}; see {}", self.kind.name, log.display());
        let mut process = spawner.spawn(command, &log).map_err(|error| fail(error.to_string()))?;
        let start = Instant::now();
        let ports = self.ports.iter().filter(|(place, _)| **place != "UNUSED");
        for (_, port) in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err() {
                if process.has_ended() {
                    return Err(fail("ended at once".to_owned()));
                }
                if start.elapsed() > STARTUP {
                    return Err(fail(format!("does not listen at port {port}")));
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        *self.process.lock().expect("nothing panics with it in hand") = Some(process);
        Ok(())
    }
}

/// A server's own files.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn new(folder: PathBuf, identity: &Identity, root: String) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let (chain, key) = (identity.chain_pem(), identity.key_pem());
        fs::write(folder.join("both.pem"), format!("{chain}{key}"))?;
        fs::write(folder.join("chain.pem"), chain)?;
        fs::write(folder.join("key.pem"), key)?;
        fs::write(folder.join("root.pem"), root)?;
        fs::write(folder.join("openssl.conf"), include_str!("servers/openssl12.conf"))?;
        Ok(Self { folder })
    }

    fn places(&self) -> [(&'static str, String); 5] {
        let path = |name: &str| self.folder.join(name).display().to_string();
        [
            ("DIR", self.folder.display().to_string()),
            ("CHAIN", path("chain.pem")),
            ("KEY", path("key.pem")),
            ("BOTH", path("both.pem")),
            ("CONFIG", self.config().display().to_string()),
        ]
    }

    fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    fn openssl_config(&self) -> String {
        self.folder.join("openssl.conf").display().to_string()
    }
}

/// Puts everything into its `@PLACE@`.
fn fill(template: &str, places: &BTreeMap<&'static str, String>) -> String {
    places.iter().fold(template.to_owned(), |text, (place, value)| text.replace(&format!("@{place}@"), value))
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind.name)?;
        self.ports
            .iter()
            .filter(|(place, _)| **place != "UNUSED")
            .try_for_each(|(place, port)| write!(f, " {place} {port}"))
    }
}
