//! One connection: a TCP socket that never blocks, the way through the proxy where there is one, and TLS.

use std::io::{self, BufRead as _, ErrorKind, Read as _, Write as _};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use privydns_core::{Cause, ConnectionId, Input, Stage, Target, Tunnel, tls::cause_of};
use rustls::{ClientConnection, HandshakeKind};

/// Reads in a row from one socket, so that a peer that sends without end keeps nobody from the time.
const READS_A_ROUND: usize = 16;

/// Tells the engine what happened.
type Tell<'a> = dyn FnMut(Input<'_>) + 'a;

pub(crate) struct Stream {
    pub(crate) token: Token,
    target: Target,
    tcp: TcpStream,
    session: ClientConnection,
    phase: Phase,
    /// What the socket is ready for, as far as is known: mio tells a change once.
    incoming: Incoming,
    can_write: bool,
    /// What is still to be said to the proxy.
    message: Vec<u8>,
    /// Whether something was transmitted that the operating system has not taken yet.
    is_unwritten: bool,
    /// Why writing failed. It is told when the peer's last words have been read, unless they say better.
    write_error: Option<io::Error>,
    /// Whether something was read since the last acknowledgement.
    has_read: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Connecting,
    InTunnel,
    Handshaking,
    Open,
}

/// What there is to read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Incoming {
    Nothing,
    Something,
    /// Something, after which nothing more will come.
    TheLast,
}

impl Stream {
    pub(crate) fn open(target: Target, token: Token, registry: &Registry) -> Result<Self, Cause> {
        let connect = || {
            let mut tcp = TcpStream::connect(target.address)?;
            registry.register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(tcp)
        };
        let tcp = connect().map_err(|error| target.cause_of(&error))?;
        // The key shares are made while the first packet is on its way.
        let mut session = ClientConnection::new(target.tls.clone(), target.server_name.clone())
            .map_err(|error| cause_of(&io::Error::other(error), Stage::Tls))?;
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

    /// Whether there may be more to read than was read.
    pub(crate) fn can_read(&self) -> bool {
        self.incoming > Incoming::Nothing && self.phase > Phase::Connecting
    }

    /// Goes on as far as the socket is ready for, and tells what comes of it.
    pub(crate) fn advance(
        &mut self,
        id: ConnectionId,
        buffer: &mut [u8],
        tell: &mut Tell<'_>,
    ) -> Result<(), Cause> {
        if self.phase == Phase::Connecting && self.can_write {
            self.can_write = self.is_connected().map_err(|error| self.cause(&error))?;
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
                Err(error) => return Err(self.cause(&error)),
            }
        }
        Ok(())
    }

    /// As mio has it: a writable socket without an error and with a peer.
    fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.tcp.take_error()? {
            return Err(error);
        }
        match self.tcp.peer_addr() {
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            peer => peer?,
        };
        // Nagle's algorithm would hold a query back until the last one is acknowledged.
        self.tcp.set_nodelay(true)?;
        Ok(true)
    }

    /// Begins the handshake, as soon as there is nothing between this and the server.
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
            // A short read has emptied the socket, and what comes later is told anew; but not on Windows.
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

    /// Takes what was read; nothing at all is the end of the stream.
    fn take(&mut self, id: ConnectionId, mut bytes: &[u8], tell: &mut Tell<'_>) -> Result<(), Cause> {
        if let (Phase::InTunnel, Some(tunnel)) = (self.phase, &mut self.target.tunnel) {
            tunnel.handle_input(bytes)?;
            self.enter_tls(id, tell);
            return Ok(());
        }
        if bytes.is_empty() {
            return Err(self.cause(&ErrorKind::UnexpectedEof.into()));
        }
        while !bytes.is_empty() {
            self.session.read_tls(&mut bytes).map_err(|error| self.cause(&error))?;
            let processed = self.session.process_new_packets();
            if self.phase == Phase::Handshaking && processed.is_ok() && !self.session.is_handshaking() {
                self.phase = Phase::Open;
                let alpn = self.session.alpn_protocol();
                let resumed = self.session.handshake_kind() == Some(HandshakeKind::Resumed);
                tell(Input::Connected { id, alpn, resumed });
            }
            self.hand_over(id, tell).map_err(|error| self.cause(&error))?;
            if let Err(error) = processed {
                // An alert that says so is ready; whether it still goes out is the socket's affair.
                let _ = self.session.write_tls(&mut self.tcp);
                return Err(self.cause(&io::Error::other(error)));
            }
        }
        Ok(())
    }

    /// Tells what was decrypted.
    fn hand_over(&mut self, id: ConnectionId, tell: &mut Tell<'_>) -> io::Result<()> {
        let mut reader = self.session.reader();
        loop {
            match reader.fill_buf() {
                // The peer said goodbye (close_notify).
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

    /// Makes one TLS record of a message. It goes out with the others, by [`flush`](Self::flush).
    pub(crate) fn transmit(&mut self, message: &[u8]) {
        // Into rustls' own buffer, which has no limit here, and fails only where reading has failed before.
        let _ = self.session.writer().write_all(message);
        self.is_unwritten = true;
    }

    /// Writes what there is, as far as the socket takes it. Says whether that was the last of what was transmitted.
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

    /// Writes once. Says whether there was anything to write.
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

    /// Acknowledges at once what was read. A server that leaves Nagle's algorithm on, as Unbound and NSD do, holds back
    /// what it has to say until then, and Linux, which has to be told again after more was read, would take 40 ms.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn acknowledge(&mut self) {
        if std::mem::take(&mut self.has_read) {
            let _ = socket2::SockRef::from(&self.tcp).set_tcp_quickack(true);
        }
    }

    /// Other systems are not to be told.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn acknowledge(&mut self) {
        self.has_read = false;
    }

    /// Says goodbye, as far as the socket takes it at once.
    pub(crate) fn close(mut self) {
        if self.phase == Phase::Open {
            self.session.send_close_notify();
            self.flush();
        }
    }

    fn cause(&self, error: &io::Error) -> Cause {
        match self.phase {
            Phase::Connecting | Phase::InTunnel => self.target.cause_of(error),
            Phase::Handshaking => cause_of(error, Stage::Tls),
            Phase::Open => cause_of(error, Stage::Query),
        }
    }
}
