//! A client of TLS that does what PrivyDNS does not: what it finds out is why.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use privydns_tests::SERVER_NAME;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::instance::{Instance, Lab};
use crate::kinds::Door;

/// How long silence lasts before it is taken for silence.
const SILENCE: Duration = Duration::from_secs(1);

/// A connection with TLS up.
pub(crate) struct Raw(StreamOwned<ClientConnection, TcpStream>);

impl Raw {
    /// Connects, and offers these application protocols.
    pub(crate) fn connect(lab: &Lab, instance: &Instance, door: &Door, alpn: &[&str]) -> io::Result<Self> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the versions")
            .with_root_certificates(lab.authority.root_store())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = SERVER_NAME.try_into().expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("a sound configuration");
        let mut tcp = TcpStream::connect(instance.address(door))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(SILENCE))?;
        while session.is_handshaking() {
            session.complete_io(&mut tcp)?;
        }
        Ok(Self(StreamOwned::new(session, tcp)))
    }

    /// What the server picked of the application protocols.
    pub(crate) fn alpn(&self) -> String {
        let picked = self.0.conn.alpn_protocol().unwrap_or(b"nothing");
        String::from_utf8_lossy(picked).into_owned()
    }

    /// Writes all of this as one TLS record.
    pub(crate) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.0.write_all(octets)?;
        self.0.flush()
    }

    /// Reads DNS messages, each after its length, until there is silence.
    pub(crate) fn read_messages(&mut self) -> usize {
        let (mut count, mut length) = (0, [0; 2]);
        while self.0.read_exact(&mut length).is_ok() {
            let mut message = vec![0; u16::from_be_bytes(length).into()];
            if self.0.read_exact(&mut message).is_err() {
                break;
            }
            count += 1;
        }
        count
    }
}

/// A query for the address of a name, after its length.
pub(crate) fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = vec![0; 14];
    message[2..4].copy_from_slice(&id.to_be_bytes());
    message[4] = 1; // recursion desired
    message[7] = 1; // one question
    for label in name.trim_end_matches('.').split('.') {
        message.push(u8::try_from(label.len()).expect("a label is short"));
        message.extend_from_slice(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    let length = u16::try_from(message.len() - 2).expect("a query is short");
    message[..2].copy_from_slice(&length.to_be_bytes());
    message
}
