//! One connection: a non-blocking TCP socket, the optional proxy tunnel, and TLS.

use std::io::{self, BufRead as _, ErrorKind, Read as _, Write as _};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use privydns_core::engine::{ConnectionId, Input, Target, Tunnel, cause_of};
use privydns_core::{Cause, Stage};
use rustls::{ClientConnection, HandshakeKind};

/// The maximum number of consecutive reads from one socket, so that a peer that sends endlessly does not delay timers
/// and callers.
const READS_A_ROUND: usize = 16;

/// Passes an input to the engine.
type Tell<'a> = dyn FnMut(Input<'_>) + 'a;

pub(crate) struct Stream {
    pub(crate) token: Token,
    target: Target,
    tcp: TcpStream,
    session: ClientConnection,
    phase: Phase,
    /// The readiness of the socket: mio reports each change once.
    incoming: Incoming,
    can_write: bool,
    /// Bytes to be sent to the proxy.
    message: Vec<u8>,
    /// Whether transmitted data has not been written to the socket completely.
    is_unwritten: bool,
    /// The error of a failed write. It is reported after the peer's remaining data has been read, unless that data
    /// contains a better cause (a TLS alert).
    write_error: Option<io::Error>,
    /// Whether data was read since the last acknowledgement.
    has_read: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Connecting,
    InTunnel,
    Handshaking,
    Open,
}

/// The read readiness of the socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Incoming {
    Nothing,
    Something,
    /// Readable, and the peer sends nothing more after that.
    TheLast,
}

impl Stream {
    pub(crate) fn open(target: Target, token: Token, registry: &Registry) -> Result<Self, Cause> {
        let connect = || {
            let mut tcp = TcpStream::connect(target.address)?;
            registry.register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(tcp)
        };
        let tcp = connect().map_err(|error| target.cause_of(error))?;
        // The key shares are generated while the SYN is in transit.
        let mut session = ClientConnection::new(target.tls.clone(), target.server_name.clone())
            .map_err(|error| cause_of(io::Error::other(error), Stage::Tls))?;
        session.set_buffer_limit(None);
        Ok(Self {
            token,
            target,
            tcp,
            session,
            phase: Phase::Connecting,
            incoming: Incoming::Nothing,
            can_write: false,
            message: Vec::new(),
            is_unwritten: false,
            write_error: None,
            has_read: false,
        })
    }

    pub(crate) fn notice(&mut self, event: &Event) {
        if event.is_read_closed() || event.is_error() {
            self.incoming = Incoming::TheLast;
        } else if event.is_readable() {
            self.incoming = self.incoming.max(Incoming::Something);
        }
        self.can_write |= event.is_writable() || event.is_write_closed() || event.is_error();
    }

    /// Whether the socket may have more data to read.
    pub(crate) fn can_read(&self) -> bool {
        self.incoming > Incoming::Nothing && self.phase > Phase::Connecting
    }

    /// Advances the connection as far as the socket is ready, and reports the resulting inputs.
    pub(crate) fn advance(
        &mut self,
        id: ConnectionId,
        buffer: &mut [u8],
        tell: &mut Tell<'_>,
    ) -> Result<(), Cause> {
        if self.phase == Phase::Connecting && self.can_write {
            self.can_write = self.is_connected().map_err(|error| self.cause(error))?;
            if self.can_write {
                self.phase = Phase::InTunnel;
                self.enter_tls(id, tell);
            }
        }
        for _ in 0..READS_A_ROUND {
            if !self.can_read() {
                break;
            }
            match self.read(buffer) {
                Ok(length) => self.take(id, &buffer[..length], tell)?,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(self.cause(error)),
            }
        }
        Ok(())
    }

    /// As mio documents: a socket is connected if it is writable, has no error and has a peer.
    fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.tcp.take_error()? {
            return Err(error);
        }
        match self.tcp.peer_addr() {
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            peer => peer?,
        };
        // Nagle's algorithm would hold a query back until the previous one is acknowledged.
        self.tcp.set_nodelay(true)?;
        Ok(true)
    }

    /// Begins the handshake when the tunnel, if there is one, is open.
    fn enter_tls(&mut self, id: ConnectionId, tell: &mut Tell<'_>) {
        if self.target.tunnel.as_ref().is_none_or(Tunnel::is_open) {
            self.phase = Phase::Handshaking;
            tell(Input::Handshaking(id));
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.tcp.read(buffer);
        self.has_read = true;
        match &read {
            // A short read has emptied the socket, and mio reports later data as a new event; not on Windows.
            Ok(length) if *length < buffer.len() && self.incoming < Incoming::TheLast && !cfg!(windows) => {
                self.incoming = Incoming::Nothing;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.incoming = Incoming::Nothing;
                return Err(self.write_error.take().unwrap_or_else(|| ErrorKind::WouldBlock.into()));
            }
            _ => {}
        }
        read
    }

    /// Handles the bytes that were read; no bytes mean the end of the stream.
    fn take(&mut self, id: ConnectionId, mut bytes: &[u8], tell: &mut Tell<'_>) -> Result<(), Cause> {
        if let (Phase::InTunnel, Some(tunnel)) = (self.phase, &mut self.target.tunnel) {
            tunnel.handle_input(bytes)?;
            self.enter_tls(id, tell);
            return Ok(());
        }
        if bytes.is_empty() {
            return Err(self.cause(ErrorKind::UnexpectedEof.into()));
        }
        while !bytes.is_empty() {
            self.session.read_tls(&mut bytes).map_err(|error| self.cause(error))?;
            let processed = self.session.process_new_packets();
            if self.phase == Phase::Handshaking && processed.is_ok() && !self.session.is_handshaking() {
                self.phase = Phase::Open;
                let alpn = self.session.alpn_protocol();
                let resumed = self.session.handshake_kind() == Some(HandshakeKind::Resumed);
                tell(Input::Connected { id, alpn, resumed });
            }
            self.hand_over(id, tell).map_err(|error| self.cause(error))?;
            if let Err(error) = processed {
                // The alert that reports the error is ready to be sent; a failed write of the alert is ignored.
                let _ = self.session.write_tls(&mut self.tcp);
                return Err(self.cause(io::Error::other(error)));
            }
        }
        Ok(())
    }

    /// Passes the decrypted bytes to the engine.
    fn hand_over(&mut self, id: ConnectionId, tell: &mut Tell<'_>) -> io::Result<()> {
        let mut reader = self.session.reader();
        loop {
            match reader.fill_buf() {
                // The peer sent close_notify.
                Ok([]) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => {
                    let length = bytes.len();
                    tell(Input::Received { id, bytes });
                    reader.consume(length);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Encrypts a message as one TLS record. [`flush`](Self::flush) writes the record together with others.
    pub(crate) fn transmit(&mut self, message: &[u8]) {
        // The writer of rustls has no size limit here, and fails only after a failed read.
        let _ = self.session.writer().write_all(message);
        self.is_unwritten = true;
    }

    /// Writes as much as the socket accepts. Returns whether that completed the transmitted data.
    pub(crate) fn flush(&mut self) -> bool {
        while self.can_write && self.phase > Phase::Connecting {
            match self.write() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.can_write = false;
                    if error.kind() != ErrorKind::WouldBlock {
                        self.incoming = Incoming::TheLast;
                        self.write_error = Some(error);
                    }
                }
            }
        }
        !self.session.wants_write() && std::mem::take(&mut self.is_unwritten)
    }

    /// Writes once. Returns whether there was data to write.
    fn write(&mut self) -> io::Result<bool> {
        if let (Phase::InTunnel, Some(tunnel)) = (self.phase, &mut self.target.tunnel) {
            if self.message.is_empty() && !tunnel.poll_transmit(&mut self.message) {
                return Ok(false);
            }
            let written = self.tcp.write(&self.message)?;
            self.message.drain(..written);
            return Ok(true);
        }
        if !self.session.wants_write() {
            return Ok(false);
        }
        self.session.write_tls(&mut self.tcp)?;
        Ok(true)
    }

    /// Acknowledges read data at once. A server with Nagle's algorithm enabled (Unbound, NSD) holds its next answer
    /// back until then; Linux would delay the acknowledgement by 40 ms, and has to be told again after every read.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn acknowledge(&mut self) {
        if std::mem::take(&mut self.has_read) {
            let _ = socket2::SockRef::from(&self.tcp).set_tcp_quickack(true);
        }
    }

    /// Other systems have no such option.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn acknowledge(&mut self) {
        self.has_read = false;
    }

    /// Sends `close_notify`, as far as the socket accepts it at once.
    pub(crate) fn close(mut self) {
        if self.phase == Phase::Open {
            self.session.send_close_notify();
            self.flush();
        }
    }

    fn cause(&self, error: io::Error) -> Cause {
        match self.phase {
            Phase::Connecting | Phase::InTunnel => self.target.cause_of(error),
            Phase::Handshaking => cause_of(error, Stage::Tls),
            Phase::Open => cause_of(error, Stage::Query),
        }
    }
}
