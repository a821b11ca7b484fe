//! The dialogue with a proxy, from the first byte to the way through.

use std::net::SocketAddr;
use std::{fmt, io};

use super::http_connect::HttpConnect;
use super::socks5::Socks5;
use super::{Kind, Proxy};
use crate::error::Cause;

/// What is said to a proxy so that it connects to an upstream, and what it answers. Part of a
/// [`Target`](crate::Target); does no I/O.
///
/// A driver that has connected to the proxy carries it on, and begins TLS on the same stream when it is open:
///
/// ```no_run
/// use std::io::{self, Read, Write};
/// use std::net::TcpStream;
///
/// use privydns_core::{Cause, Target};
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
    /// To be sent.
    output: Vec<u8>,
    /// Came, and is not a whole reply yet. The dialogues say how much they take.
    input: Vec<u8>,
}

/// Where a proxy is to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Address(SocketAddr),
    /// A name, in ASCII and at most 253 octets long, and a port: the proxy resolves it.
    Name(Box<str>, u16),
}

#[derive(Clone)]
enum Dialogue {
    Socks5(Socks5),
    HttpConnect(HttpConnect),
}

/// What reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The reply is not whole.
    Pending,
    /// So many octets were a reply, and another one follows.
    Took(usize),
    /// So many octets were the last reply: the way is open.
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

    /// Where the proxy is.
    pub(crate) fn proxy(&self) -> SocketAddr {
        self.proxy
    }

    /// Overwrites `message` with what to send to the proxy. `false` if there is nothing to send now.
    pub fn poll_transmit(&mut self, message: &mut Vec<u8>) -> bool {
        message.clear();
        message.append(&mut self.output);
        !message.is_empty()
    }

    /// Takes what came from the proxy, as much or little as it is; nothing at all is the end of the stream, as it
    /// is for [`Read`](std::io::Read).
    ///
    /// # Errors
    /// [`Cause::Proxy`], in the proxy's words where it has any. What comes after the reply that opens the way is
    /// such an error, too: it would be lost to TLS, in which the client speaks first.
    pub fn handle_input(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.input.extend_from_slice(bytes);
        let result = if bytes.is_empty() { Err("closed the connection".into()) } else { self.read() };
        let failed = |what| Cause::Proxy(io::Error::other(format!("{} {what}", self.proxy)).into());
        result.map_err(failed)
    }

    /// Whether the proxy has connected to the upstream: whatever the stream carries from now on, it carries to it.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Octets that are kept for later.
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
        if self.input.is_empty() { Ok(()) } else { Err("sent something ahead of the upstream".into()) }
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
