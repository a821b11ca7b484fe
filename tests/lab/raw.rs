//! A client of TLS that does what PrivyDNS does not: what it finds out is why.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use privydns_tests::SERVER_NAME;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::instance::{Instance, Lab};
use crate::servers::Endpoint;

/// How long silence lasts before it is taken for silence.
const SILENCE: Duration = Duration::from_secs(1);

/// A connection with TLS up.
pub(crate) struct Raw(StreamOwned<ClientConnection, TcpStream>);

impl Raw {
    /// Connects, and offers these application protocols.
    pub(crate) fn connect(
        lab: &Lab,
        instance: &Instance,
        endpoint: &Endpoint,
        alpn: &[&str],
    ) -> io::Result<Self> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the versions")
            .with_root_certificates(lab.authority.root_store())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = SERVER_NAME.try_into().expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("a sound configuration");
        let mut tcp = TcpStream::connect(instance.address(endpoint))?;
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

    /// Asks in batches of fifty, each query in a record of its own, with or without acknowledging at once what is read.
    /// Gives how long the first answer took, and how many came in a second.
    pub(crate) fn race(&mut self, batches: u16, is_quick: bool) -> io::Result<(Duration, f64)> {
        const BATCH: u16 = 50;
        let start = Instant::now();
        self.write(&query(0, "n0.example.test"))?;
        self.read_message(is_quick)?;
        let (first, start) = (start.elapsed(), Instant::now());
        for _ in 0..batches {
            for number in 0..BATCH {
                self.0.conn.writer().write_all(&query(number, &format!("n{number}.example.test")))?;
            }
            self.0.flush()?;
            (0..BATCH).try_for_each(|_| self.read_message(is_quick))?;
        }
        Ok((first, f64::from(batches * BATCH) / start.elapsed().as_secs_f64()))
    }

    fn read_message(&mut self, is_quick: bool) -> io::Result<()> {
        let mut length = [0; 2];
        self.read_exact(&mut length, is_quick)?;
        self.read_exact(&mut vec![0; u16::from_be_bytes(length).into()], is_quick)
    }

    fn read_exact(&mut self, mut octets: &mut [u8], is_quick: bool) -> io::Result<()> {
        while !octets.is_empty() {
            let count = self.0.read(octets)?;
            if is_quick {
                acknowledge(&self.0.sock);
            }
            octets = octets.get_mut(count..).filter(|_| count > 0).ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        Ok(())
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

#[cfg(target_os = "linux")]
fn acknowledge(tcp: &TcpStream) {
    _ = socket2::SockRef::from(tcp).set_tcp_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn acknowledge(_: &TcpStream) {}

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
