//! A TLS client that does what PrivyDNS avoids, to show why PrivyDNS avoids it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use privydns_tests::SERVER_NAME;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::instance::{Instance, Lab};
use crate::servers::Endpoint;

/// The read timeout after which the server counts as silent.
const SILENCE: Duration = Duration::from_secs(1);

/// A connection whose TLS handshake is complete.
pub(crate) struct Raw(StreamOwned<ClientConnection, TcpStream>);

impl Raw {
    /// Connects with these application protocols in ALPN.
    pub(crate) fn connect(
        lab: &Lab,
        instance: &Instance,
        endpoint: &Endpoint,
        alpn: &[&str],
    ) -> io::Result<Self> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider supports the versions")
            .with_root_certificates(lab.authority.root_store())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = SERVER_NAME.try_into().expect("the name is valid");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("the configuration is valid");
        let mut tcp = TcpStream::connect(instance.address(endpoint))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(SILENCE))?;
        while session.is_handshaking() {
            session.complete_io(&mut tcp)?;
        }
        Ok(Self(StreamOwned::new(session, tcp)))
    }

    /// The application protocol that the server selected.
    pub(crate) fn alpn(&self) -> String {
        let selected = self.0.conn.alpn_protocol().unwrap_or(b"no protocol");
        String::from_utf8_lossy(selected).into_owned()
    }

    /// Writes all bytes in one TLS record.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Sends batches of fifty queries, each query in a separate record, with or without `TCP_QUICKACK` after each
    /// read. Returns the time until the first answer, and the number of answers per second.
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

    fn read_exact(&mut self, mut bytes: &mut [u8], is_quick: bool) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.0.read(bytes)?;
            if is_quick {
                acknowledge(&self.0.sock);
            }
            bytes = bytes.get_mut(count..).filter(|_| count > 0).ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        Ok(())
    }

    /// Reads DNS messages with length prefixes until the server is silent, and returns their number.
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

/// A query for the A record of a name, with its length prefix.
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
