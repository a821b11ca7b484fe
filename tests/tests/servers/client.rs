//! Minimal clients: TLS over a blocking socket, and DNS messages encoded by hand.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use privydns_tests::hickory_proto::op::{Message, MessageType, OpCode, Query};
use privydns_tests::hickory_proto::rr::{Name, RecordType};
use privydns_tests::{Authority, ClientCertificate, SERVER_NAME, Server};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// A query with RD and without EDNS.
pub(crate) fn query(id: u16, name: &str, record_type: RecordType) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
    message.to_vec().unwrap()
}

/// The message with its length prefix.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// The TLS configuration of a client: its roots, application protocols and certificate.
pub(crate) fn config(alpn: &[&[u8]], certificate: Option<ClientCertificate>) -> ClientConfig {
    let authority = Authority::shared();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.root_store());
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(kind) => {
            let identity = authority.client(kind);
            builder.with_client_auth_cert(identity.chain_der().to_vec(), identity.key_der()).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

/// A TLS connection on a blocking socket.
pub(crate) struct Client {
    pub(crate) tls: StreamOwned<ClientConnection, TcpStream>,
}

impl Client {
    /// Connects and completes the handshake.
    pub(crate) fn try_connect(server: &Server, config: impl Into<Arc<ClientConfig>>) -> io::Result<Self> {
        let tcp = TcpStream::connect(server.address())?;
        // A test that fails is more useful than a test that hangs.
        tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
        let tls = ClientConnection::new(config.into(), SERVER_NAME.try_into().unwrap()).unwrap();
        let mut tls = StreamOwned::new(tls, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(Self { tls })
    }

    pub(crate) fn connect(server: &Server) -> Self {
        Self::try_connect(server, config(&[b"dot"], None)).unwrap()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.tls.write_all(bytes).unwrap();
        self.tls.flush().unwrap();
    }

    /// Sends a query with its length prefix.
    pub(crate) fn ask(&mut self, id: u16, name: &str) {
        self.send(&framed(&query(id, name, RecordType::A)));
    }

    pub(crate) fn read_bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.tls.read_exact(&mut bytes).map(|()| bytes)
    }

    /// Reads a message with its length prefix.
    pub(crate) fn message(&mut self) -> io::Result<Vec<u8>> {
        let length = self.read_bytes(2)?;
        self.read_bytes(u16::from_be_bytes([length[0], length[1]]).into())
    }

    pub(crate) fn answer(&mut self) -> Message {
        Message::from_vec(&self.message().unwrap()).unwrap()
    }

    /// Reads once and expects no data: `Ok` after `close_notify`, an error after any other end.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self.tls.read(&mut [0; 1])? {
            0 => Ok(()),
            _ => panic!("received data instead of the end"),
        }
    }

    /// Sends `close_notify` and closes the socket.
    pub(crate) fn leave(mut self) {
        self.tls.conn.send_close_notify();
        self.tls.flush().unwrap();
    }
}

/// The text of the error of a handshake or a read.
pub(crate) fn reason<T>(result: io::Result<T>) -> String {
    result.err().expect("the operation must fail").to_string()
}
