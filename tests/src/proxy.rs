//! A SOCKS5 or HTTP CONNECT proxy on loopback that records the requested targets and the bytes that clients
//! send.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A running proxy, which has a separate thread. Dropping the proxy stops it.
///
/// ```
/// use privydns_tests::{Proxy, SERVER_NAME, Server};
///
/// let server = Server::dot().start();
/// let proxy = Proxy::socks5().name(SERVER_NAME, server.address().ip()).start();
/// println!("reach {SERVER_NAME} through {}", proxy.address());
/// assert!(proxy.seen().is_empty());
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Tunnel>>>,
    /// `None` while the proxy is being dropped. Closing this channel tells the thread to stop.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One request to a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tunnel {
    /// The requested target: an address or a name, and a port.
    pub target: String,
    /// The bytes that the client sent through the proxy.
    pub sent: Vec<u8>,
}

/// The configuration of a proxy. [`start`](Self::start) starts the proxy.
#[derive(Clone, Debug)]
pub struct ProxySetup {
    protocol: Protocol,
    credentials: Option<(String, String)>,
    names: BTreeMap<String, IpAddr>,
    failure: Option<u16>,
    is_silent: bool,
}

#[derive(Clone, Copy, Debug)]
enum Protocol {
    Socks5,
    HttpConnect,
}

/// The SOCKS5 reply for an unknown name.
const HOST_UNREACHABLE: u8 = 4;
/// The SOCKS5 reply for a target that refuses the connection.
const CONNECTION_REFUSED: u8 = 5;

impl Proxy {
    /// A SOCKS5 proxy (RFC 1928).
    pub fn socks5() -> ProxySetup {
        ProxySetup::new(Protocol::Socks5)
    }

    /// An HTTP proxy that supports only CONNECT (RFC 9110 Section 9.3.6).
    pub fn http_connect() -> ProxySetup {
        ProxySetup::new(Protocol::HttpConnect)
    }

    /// The address that the proxy listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far, in the order of arrival.
    pub fn seen(&self) -> Vec<Tunnel> {
        lock(&self.seen).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop = None;
        let result = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking()
            && let Some(Err(panic)) = result
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl ProxySetup {
    fn new(protocol: Protocol) -> Self {
        Self { protocol, credentials: None, names: BTreeMap::new(), failure: None, is_silent: false }
    }

    /// Requires this user name and password. By default, clients do not authenticate.
    pub fn credentials(self, user: &str, password: &str) -> Self {
        Self { credentials: Some((user.to_owned(), password.to_owned())), ..self }
    }

    /// Adds a name that the proxy can resolve. By default, the proxy resolves only IP addresses.
    pub fn name(mut self, name: &str, address: IpAddr) -> Self {
        self.names.insert(name.to_owned(), address);
        self
    }

    /// Refuses all requests with this SOCKS5 reply (RFC 1928 Section 6) or this HTTP status.
    pub fn failure(self, code: u16) -> Self {
        Self { failure: Some(code), ..self }
    }

    /// Reads what clients send and never replies.
    pub fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// Starts the proxy.
    ///
    /// # Panics
    ///
    /// If the proxy cannot listen.
    pub fn start(self) -> Proxy {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let seen = Arc::<Mutex<Vec<Tunnel>>>::default();
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        let for_thread = seen.clone();
        let thread = std::thread::Builder::new()
            .name("privydns-tests proxy".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener).expect("this is a runtime's thread");
                    tokio::select! {
                        _ = stopped => {}
                        () = listen(listener, self.into(), for_thread) => {}
                    }
                });
            })
            .expect("a thread can be started");
        Proxy { address, seen, stop: Some(stop), thread: Some(thread) }
    }
}

async fn listen(listener: TcpListener, setup: Arc<ProxySetup>, seen: Arc<Mutex<Vec<Tunnel>>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (setup, seen) = (setup.clone(), seen.clone());
        // An error ends this client's connection only.
        tokio::spawn(async move { drop(serve(client, &setup, &seen).await) });
    }
}

async fn serve(mut client: TcpStream, setup: &ProxySetup, seen: &Mutex<Vec<Tunnel>>) -> io::Result<()> {
    if setup.is_silent {
        tokio::io::copy(&mut client, &mut tokio::io::sink()).await?;
        return Ok(());
    }
    let record = |target| {
        let mut seen = lock(seen);
        seen.push(Tunnel { target, sent: Vec::new() });
        seen.len() - 1
    };
    let (index, server) = match setup.protocol {
        Protocol::Socks5 => serve_socks5(&mut client, setup, record).await?,
        Protocol::HttpConnect => serve_http(&mut client, setup, record).await?,
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let carried = |bytes: &[u8]| lock(seen)[index].sent.extend_from_slice(bytes);
    tokio::try_join!(upload(from_client, to_server, carried), download(from_server, to_client)).map(drop)
}

async fn download(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}

async fn upload(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut record: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        record(&buffer[..length]);
        to.write_all(&buffer[..length]).await?;
    }
}

/// Performs the SOCKS5 handshake and connects to the requested target.
async fn serve_socks5(
    client: &mut TcpStream,
    setup: &ProxySetup,
    record: impl FnOnce(String) -> usize,
) -> io::Result<(usize, TcpStream)> {
    client.read_u8().await?;
    let methods = read_counted(client).await?;
    let method = if setup.credentials.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xff]).await?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = &setup.credentials {
        client.read_u8().await?;
        let received = (read_counted(client).await?, read_counted(client).await?);
        let is_right = received == (user.clone().into_bytes(), password.clone().into_bytes());
        client.write_all(&[1, u8::from(!is_right)]).await?;
        if !is_right {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => {
            let mut bytes = [0; 4];
            client.read_exact(&mut bytes).await?;
            Ipv4Addr::from(bytes).to_string()
        }
        4 => {
            let mut bytes = [0; 16];
            client.read_exact(&mut bytes).await?;
            Ipv6Addr::from(bytes).to_string()
        }
        _ => String::from_utf8_lossy(&read_counted(client).await?).into_owned(),
    };
    let port = client.read_u16().await?;
    let index = record(format!("{host}:{port}"));
    let reply = |code| [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
    let connected = match (setup.failure, setup.address_of(&host)) {
        (Some(code), _) => Err(u8::try_from(code).expect("a reply of SOCKS5 is an byte")),
        (None, None) => Err(HOST_UNREACHABLE),
        (None, Some(address)) => TcpStream::connect((address, port)).await.map_err(|_| CONNECTION_REFUSED),
    };
    match connected {
        Ok(server) => client.write_all(&reply(0)).await.map(|()| (index, server)),
        Err(code) => {
            client.write_all(&reply(code)).await?;
            Err(io::ErrorKind::ConnectionRefused.into())
        }
    }
}

/// Reads the CONNECT request and connects to the requested target.
async fn serve_http(
    client: &mut TcpStream,
    setup: &ProxySetup,
    record: impl FnOnce(String) -> usize,
) -> io::Result<(usize, TcpStream)> {
    let mut head = Vec::new();
    // Read byte by byte: the bytes after the head belong to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let target = lines.next().and_then(|line| line.strip_prefix("CONNECT ")?.strip_suffix(" HTTP/1.1"));
    let target = target.ok_or(io::ErrorKind::InvalidData)?;
    let (host, port) = target.rsplit_once(':').ok_or(io::ErrorKind::InvalidData)?;
    let index = record(target.to_owned());
    let is_allowed = setup.credentials.as_ref().is_none_or(|(user, password)| {
        let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
        lines.any(|line| line == format!("Proxy-Authorization: Basic {pair}"))
    });
    let address = setup.address_of(host.trim_matches(['[', ']']));
    let port = port.parse::<u16>().map_err(io::Error::other)?;
    let connected = match (setup.failure, address) {
        (Some(status), _) => Err(format!("{status} Failed")),
        (None, _) if !is_allowed => Err("407 Proxy Authentication Required".to_owned()),
        (None, None) => Err("502 Unknown Host".to_owned()),
        (None, Some(address)) => {
            TcpStream::connect((address, port)).await.map_err(|_| "502 Bad Gateway".to_owned())
        }
    };
    match connected {
        Ok(server) => {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            Ok((index, server))
        }
        Err(status) => {
            let response = format!("HTTP/1.1 {status}\r\nContent-Length: 7\r\n\r\nSorry.\n");
            client.write_all(response.as_bytes()).await?;
            Err(io::ErrorKind::ConnectionRefused.into())
        }
    }
}

impl ProxySetup {
    fn address_of(&self, host: &str) -> Option<IpAddr> {
        host.parse().ok().or_else(|| self.names.get(host).copied())
    }
}

async fn read_counted(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
