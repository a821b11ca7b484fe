//! The dialogue with a proxy, up to the open tunnel.

use std::net::SocketAddr;
use std::{fmt, io};

use super::http_connect::HttpConnect;
use super::socks5::Socks5;
use super::{Kind, Proxy};
use crate::error::Cause;

/// The state machine that asks a proxy to connect to an upstream. Part of a [`Target`](crate::engine::Target); does no I/O.
///
/// After connecting to the proxy, a driver runs the tunnel until it is open. Then the driver begins TLS on the same
/// stream:
///
/// ```no_run
/// use std::io::{self, Read, Write};
/// use std::net::TcpStream;
///
/// use privydns_core::engine::Target;
/// use privydns_core::Cause;
///
/// fn connect(target: &Target) -> Result<TcpStream, Cause> {
///     let failed = |error: io::Error| target.cause_of(error);
///     let mut stream = TcpStream::connect(target.address).map_err(failed)?;
///     if let Some(mut tunnel) = target.tunnel.clone() {
///         let (mut message, mut buffer) = (Vec::new(), [0; 512]);
///         while !tunnel.is_open() {
///             if tunnel.poll_transmit(&mut message) {
///                 stream.write_all(&message).map_err(failed)?;
///             } else {
///                 let length = stream.read(&mut buffer).map_err(failed)?;
///                 tunnel.handle_input(&buffer[..length])?;
///             }
///         }
///     }
///     Ok(stream)
/// }
/// ```
#[derive(Clone)]
pub struct Tunnel {
    proxy: SocketAddr,
    dialogue: Dialogue,
    is_open: bool,
    /// Bytes to be sent.
    output: Vec<u8>,
    /// Received bytes of an incomplete reply.
    input: Vec<u8>,
}

/// The destination of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Address(SocketAddr),
    /// A name in ASCII of at most 253 bytes, which the proxy resolves, and a port.
    Name(Box<str>, u16),
}

#[derive(Clone)]
enum Dialogue {
    Socks5(Socks5),
    HttpConnect(HttpConnect),
}

/// The result of reading a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The reply is incomplete.
    Pending,
    /// A reply of this length in bytes was read, and another reply follows.
    Took(usize),
    /// The last reply, of this length in bytes, was read: the tunnel is open.
    Open(usize),
}

impl Tunnel {
    pub(crate) fn new(proxy: &Proxy, destination: Destination) -> Self {
        let credentials = proxy.credentials.as_ref();
        let mut output = Vec::new();
        let dialogue = match proxy.kind {
            Kind::Socks5 => Dialogue::Socks5(Socks5::begin(credentials.cloned(), destination, &mut output)),
            Kind::HttpConnect => {
                Dialogue::HttpConnect(HttpConnect::begin(credentials, &destination, &mut output))
            }
        };
        Self { proxy: proxy.address, dialogue, is_open: false, output, input: Vec::new() }
    }

    /// The address of the proxy.
    pub(crate) fn proxy(&self) -> SocketAddr {
        self.proxy
    }

    /// Overwrites `message` with bytes for the proxy. Returns `false` if there are no bytes to send.
    pub fn poll_transmit(&mut self, message: &mut Vec<u8>) -> bool {
        message.clear();
        message.append(&mut self.output);
        !message.is_empty()
    }

    /// Handles bytes from the proxy, which may end anywhere in a reply. An empty slice is the end of the stream, as with
    /// [`Read`](std::io::Read).
    ///
    /// # Errors
    /// [`Cause::Proxy`] with the proxy's reason, if there is one. Bytes after the reply that opens the tunnel are an
    /// error, too: TLS would not receive them, and the client sends first in TLS.
    pub fn handle_input(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.input.extend_from_slice(bytes);
        let result = if bytes.is_empty() { Err("closed the connection".into()) } else { self.read() };
        let failed = |what| Cause::Proxy(io::Error::other(format!("{} {what}", self.proxy)).into());
        result.map_err(failed)
    }

    /// Whether the proxy has connected to the upstream. From then on, the stream leads to the upstream.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        self.input.len()
    }

    fn read(&mut self) -> Result<(), String> {
        while !self.is_open {
            let step = match &mut self.dialogue {
                Dialogue::Socks5(dialogue) => dialogue.read(&self.input, &mut self.output)?,
                Dialogue::HttpConnect(dialogue) => dialogue.read(&self.input)?,
            };
            let taken = match step {
                Step::Pending => return Ok(()),
                Step::Took(length) | Step::Open(length) => length,
            };
            self.input.drain(..taken);
            self.is_open = matches!(step, Step::Open(_));
        }
        if self.input.is_empty() { Ok(()) } else { Err("sent bytes before the upstream".into()) }
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel")
            .field("proxy", &self.proxy)
            .field("is_open", &self.is_open)
            .finish_non_exhaustive()
    }
}
