//! The directory of a lab and its running servers.

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

/// The directory, the files that all servers share, and the servers' backends.
#[derive(Debug)]
pub(crate) struct Lab {
    folder: PathBuf,
    spawner: Spawner,
    ports: Ports,
    /// The values of the placeholders that are the same for all servers.
    placeholders: BTreeMap<&'static str, String>,
    pub(crate) authority: Authority,
    pub(crate) zone: Zone,
    /// Receives queries and never answers.
    _silent: (TcpListener, UdpSocket),
    /// The backends of other servers.
    backends: Vec<Instance>,
}

/// A running server. Dropping it stops the server.
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

/// Options for running a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    pub(crate) certificate: ServerCertificate,
    /// Whether the server is restricted to TLS 1.2.
    pub(crate) tls12: bool,
}

impl Lab {
    /// Writes certificates and zones into an empty directory, and starts the backends.
    pub(crate) fn new(parent: &Path) -> Result<Self, String> {
        let ports = Ports::claim().ok_or("no block of ports is free: too many labs are running")?;
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
            placeholders: BTreeMap::new(),
            authority: Authority::new(),
            zone: Zone::new(),
            _silent: (silent, UdpSocket::bind(silent_at).map_err(fail)?),
            backends: Vec::new(),
        };
        lab.placeholders.insert("SILENT", silent_at.port().to_string());
        fs::write(zones.join("example.test.zone"), &lab.zone.text).map_err(|error| error.to_string())?;
        let root = folder.join("root.pem");
        fs::write(&root, lab.authority.root_pem()).map_err(|error| error.to_string())?;
        lab.placeholders.insert("ZONES", zones.display().to_string());
        lab.placeholders.insert("ROOT", root.display().to_string());
        for (kind, port) in [(&servers::KNOT, "PLAIN"), (&servers::HTTP, "HTTP")] {
            let number = lab.ports.next();
            lab.placeholders.insert(port, number.to_string());
            let mut instance = lab.prepare(kind, Run::default())?;
            instance.ports.insert(port, number);
            lab.start_prepared(&instance)?;
            lab.backends.push(instance);
        }
        Ok(lab)
    }

    /// Starts a server and waits until it answers queries; with an invalid certificate, until it accepts
    /// connections.
    pub(crate) fn start(&self, kind: &'static ServerKind, run: Run) -> Result<Instance, String> {
        let instance = self.prepare(kind, run)?;
        self.start_prepared(&instance)?;
        if matches!(run.certificate, ServerCertificate::Good | ServerCertificate::Intermediate) {
            self.wait_until_it_answers(&instance)?;
        }
        Ok(instance)
    }

    /// Stops a server and starts it again with the same configuration.
    pub(crate) fn restart(&self, instance: &Instance) -> Result<(), String> {
        drop(instance.process.lock().expect("no thread panics while it holds the lock").take());
        self.start_prepared(instance)
    }

    /// Captures the packets of a loopback port until the returned process is dropped.
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

    /// A client certificate.
    pub(crate) fn client(&self, kind: privydns_tests::ClientCertificate) -> ClientCertificate {
        let identity = self.authority.client(kind);
        ClientCertificate::from_pem(identity.chain_pem().as_bytes(), identity.key_pem().as_bytes())
            .expect("the generated certificates can be parsed")
    }

    /// Creates a server's directory, ports, certificate and configuration.
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

        let mut placeholders = self.placeholders.clone();
        placeholders.extend(ports.iter().map(|(name, port)| (*name, port.to_string())));
        placeholders.extend(files.placeholders());
        placeholders.insert("HIGHEST", if run.tls12 { "1.2" } else { "1.3" }.to_owned());
        fs::write(files.config(), fill(kind.config, &placeholders)).map_err(|error| error.to_string())?;

        Ok(Instance {
            kind,
            program,
            arguments: kind.arguments.iter().map(|argument| fill(argument, &placeholders)).collect(),
            environment: run.tls12.then(|| ("OPENSSL_CONF", files.openssl_config())),
            folder: files.folder,
            ports,
            process: Mutex::new(None),
            roots: Roots::from_pem(self.authority.root_pem().as_bytes())
                .expect("the generated root can be parsed"),
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
        let config = Config::builder().upstream(upstream).build().expect("the configuration is valid");
        let resolver = MultiThread.resolver(config).expect("the configuration is valid");
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

    /// The upstream for an endpoint. The certificate is for [`SERVER_NAME`].
    pub(crate) fn upstream(&self, endpoint: &Endpoint) -> Upstream {
        let upstream = match endpoint.speaks {
            Speaks::Dot => Upstream::tls(SERVER_NAME),
            Speaks::Http(_) => Upstream::https(SERVER_NAME),
        };
        let upstream = upstream.and_then(|upstream| upstream.with_port(self.address(endpoint).port()));
        let upstream = upstream.expect("the name is valid").address(Ipv4Addr::LOCALHOST);
        upstream.roots(self.roots.clone())
    }

    /// The endpoints of the server.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &'static Endpoint> {
        self.kind.endpoints.iter()
    }

    fn start(&self, spawner: &Spawner, command: Command) -> Result<(), String> {
        let log = self.folder.join("log");
        let fail = |problem: String| format!("{}: {problem}; see {}", self.kind.name, log.display());
        let mut process = spawner.spawn(command, &log).map_err(|error| fail(error.to_string()))?;
        let start = Instant::now();
        let ports = self.ports.iter().filter(|(name, _)| **name != "UNUSED");
        for (_, port) in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err() {
                if process.has_ended() {
                    return Err(fail("the program ended at once".to_owned()));
                }
                if start.elapsed() > STARTUP {
                    return Err(fail(format!("does not listen on port {port}")));
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        *self.process.lock().expect("no thread panics while it holds the lock") = Some(process);
        Ok(())
    }
}

/// The files of one server.
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

    fn placeholders(&self) -> [(&'static str, String); 5] {
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

/// Replaces the `@NAME@` placeholders in a template.
fn fill(template: &str, placeholders: &BTreeMap<&'static str, String>) -> String {
    placeholders
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind.name)?;
        self.ports
            .iter()
            .filter(|(name, _)| **name != "UNUSED")
            .try_for_each(|(name, port)| write!(f, " {name} {port}"))
    }
}
