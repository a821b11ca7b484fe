//! An HTTPS website on loopback, for clients that connect by name.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::authority::{Authority, SERVER_NAME, ServerCertificate};
use crate::zone::Zone;

/// How long the server waits for bytes of a client.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum length of a request in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// A running website, which has a separate thread: one page under the name [`SERVER_NAME`], over HTTPS, with a
/// certificate of [`Authority::shared`]. Dropping the website stops it.
///
/// Only a [`Server`](crate::Server) with the [`zone`](Self::zone) of the website resolves the name. An HTTP
/// client that fetches the page has therefore queried that server.
///
/// ```
/// use privydns_tests::{Server, Website};
///
/// let website = Website::start("good morning");
/// let server = Server::dot().zone(website.zone()).start();
/// println!("fetch {} with a resolver that asks {}", website.url(), server.upstream());
/// ```
#[derive(Debug)]
pub struct Website {
    address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Website {
    /// Starts a website that consists of this page.
    ///
    /// # Panics
    ///
    /// If the system provides no port or no thread.
    pub fn start(page: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (config, page, for_thread) = (Arc::new(config()), page.to_owned(), is_stopped.clone());
        let serve = move || {
            for client in listener.incoming().take_while(|_| !for_thread.load(Relaxed)) {
                // A failed request affects neither the website nor the next client.
                drop(client.and_then(|client| answer(client, &config, &page)));
            }
        };
        let thread = std::thread::Builder::new().name("website".to_owned()).spawn(serve);
        Self { address, is_stopped, thread: Some(thread.expect("a thread can be started")) }
    }

    /// The address that the website listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the page.
    pub fn url(&self) -> String {
        format!("https://{SERVER_NAME}:{}/", self.address.port())
    }

    /// [`Zone::example`] with the address of the website added.
    pub fn zone(&self) -> Zone {
        Zone::example().address(&format!("{SERVER_NAME}."), 300, self.address.ip())
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.is_stopped.store(true, Relaxed);
        // A connection ends the thread's wait for the next client.
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn config() -> ServerConfig {
    let authority = Authority::shared();
    let identity = authority.server(ServerCertificate::Good);
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(identity.chain_der().to_vec(), identity.key_der())
        })
        .expect("the authority's certificates are valid")
}

/// Reads one request of any kind and responds with the page.
fn answer(client: TcpStream, config: &Arc<ServerConfig>, page: &str) -> io::Result<()> {
    client.set_read_timeout(Some(TIMEOUT))?;
    let tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, client);
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            _ if request.len() > MAX_REQUEST => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let length = page.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}")?;
    stream.conn.send_close_notify();
    stream.flush()
}
