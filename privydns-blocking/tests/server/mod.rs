//! A DNS over TLS server for these tests, with a thread for each connection and no runtime.

#![allow(dead_code, reason = "each test program uses a part")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use privydns_blocking::{Resolver, Roots, Upstream, crypto_provider};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Far longer than any step of these tests; a test that waits this long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A deadline that expires during the test.
pub(crate) const SHORT: Duration = Duration::from_secs(1);

/// A query as the server received it.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    id: [u8; 2],
    /// Name, type and class.
    question: Vec<u8>,
}

/// The server's steps after a query, in order.
pub(crate) enum Step {
    Answer(Query),
    /// Answers with a keepalive timeout in tenths of a second.
    AnswerAndKeep(Query, u16),
    /// Waits for a message, or for the end of the channel.
    Wait(Receiver<()>),
    /// Closes the connection without `close_notify`.
    Close,
}

type Script = Mutex<dyn FnMut(Query) -> Vec<Step> + Send>;

/// An event of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// TLS is up.
    Opened,
    /// A query with this number arrived.
    Asked(u32),
    /// The client sent `close_notify`.
    Goodbye,
    /// The connection ended, from either side, without the client's `close_notify`.
    Lost,
}

pub(crate) struct Server {
    address: SocketAddr,
    root: Vec<u8>,
    /// The events, in order.
    pub(crate) events: Receiver<Event>,
}

impl Query {
    /// The number in the first label: `n` followed by the number.
    pub(crate) fn number(&self) -> u32 {
        let label = &self.question[1..=usize::from(self.question[0])];
        std::str::from_utf8(&label[1..]).unwrap().parse().unwrap()
    }

    /// One record with the number in its data: the address or, for AAAA, its last four bytes.
    fn response(&self, keepalive: Option<u16>) -> Vec<u8> {
        let is_aaaa = self.question.ends_with(&[0, 28, 0, 1]);
        let mut data = vec![0; if is_aaaa { 12 } else { 0 }];
        data.extend(self.number().to_be_bytes());

        let mut message = self.id.to_vec();
        message.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, u8::from(keepalive.is_some())]);
        message.extend(&self.question);
        message.extend([0xc0, 12]);
        message.extend(&self.question[self.question.len() - 4..]);
        message.extend([0, 0, 1, 44, 0, u8::try_from(data.len()).unwrap()]);
        message.extend(data);
        if let Some(time) = keepalive {
            message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6, 0, 11, 0, 2]);
            message.extend(time.to_be_bytes());
        }
        message
    }
}

impl Server {
    /// A server that answers every query at once.
    pub(crate) fn prompt() -> Self {
        Self::start(|query| vec![Step::Answer(query)])
    }

    /// A server that follows `script`, which is called for one query at a time. The server ends with the process.
    pub(crate) fn start(script: impl FnMut(Query) -> Vec<Step> + Send + 'static) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["server.test".to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.serialize_der().try_into().unwrap())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, events) = channel();
        let script: Arc<Script> = Arc::new(Mutex::new(script));
        std::thread::spawn(move || {
            for tcp in listener.incoming() {
                let (config, script, events) = (config.clone(), script.clone(), sender.clone());
                std::thread::spawn(move || serve(tcp.unwrap(), config, &script, &events));
            }
        });
        Self { address, root: cert.pem().into_bytes(), events }
    }

    pub(crate) fn upstream(&self) -> Upstream {
        let upstream = Upstream::tls("server.test").unwrap().address(self.address.ip());
        upstream.with_port(self.address.port()).unwrap().roots(Roots::from_pem(&self.root).unwrap())
    }

    pub(crate) fn builder(&self) -> privydns_blocking::ResolverBuilder<Resolver> {
        // A generous timeout, so that a slow machine does not look like a silent server.
        Resolver::builder().upstream(self.upstream()).timeout(LONG).attempt_timeout(LONG)
    }

    pub(crate) fn resolver(&self) -> Resolver {
        self.builder().build().unwrap()
    }

    /// Waits until this event has happened.
    pub(crate) fn wait_for(&self, event: &Event) {
        while self.events.recv_timeout(LONG).unwrap() != *event {}
    }
}

/// A name whose address contains the number.
pub(crate) fn name(number: u32) -> String {
    format!("n{number}.test")
}

/// A query for that name's address.
pub(crate) fn query(number: u32) -> privydns_blocking::Query {
    privydns_blocking::Query::new(&name(number), privydns_blocking::RecordType::A).unwrap()
}

/// The number that an answer belongs to.
pub(crate) fn number(answer: &privydns_blocking::Answer) -> u32 {
    let [std::net::IpAddr::V4(address)] = answer.addresses().collect::<Vec<_>>()[..] else {
        panic!("{answer:?}")
    };
    address.to_bits()
}

fn serve(tcp: TcpStream, config: Arc<ServerConfig>, script: &Script, events: &Sender<Event>) {
    tcp.set_nodelay(true).unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
    if tls.conn.complete_io(&mut tls.sock).is_ok() {
        let _ = events.send(Event::Opened);
    }
    let end = converse(&mut tls, script, events);
    drop(tls);
    let _ = events.send(end);
}

fn converse(
    tls: &mut StreamOwned<ServerConnection, TcpStream>,
    script: &Script,
    events: &Sender<Event>,
) -> Event {
    loop {
        let query = match read(tls) {
            Ok(query) => query,
            Err(ErrorKind::WriteZero) => return Event::Goodbye,
            Err(_) => return Event::Lost,
        };
        let _ = events.send(Event::Asked(query.number()));
        // The steps run without the lock.
        let steps = (script.lock().unwrap())(query);
        for step in steps {
            let message = match step {
                Step::Answer(query) => query.response(None),
                Step::AnswerAndKeep(query, time) => query.response(Some(time)),
                Step::Wait(gate) => {
                    let _ = gate.recv();
                    continue;
                }
                Step::Close => return Event::Lost,
            };
            let length = u16::try_from(message.len()).unwrap().to_be_bytes();
            // The next read notices a closed connection.
            let _ = tls.write_all(&[&length[..], &message].concat());
        }
    }
}

/// The next query, or [`ErrorKind::WriteZero`] for `close_notify`.
fn read(tls: &mut StreamOwned<ServerConnection, TcpStream>) -> Result<Query, ErrorKind> {
    let mut length = [0; 2];
    match tls.read(&mut length[..1]) {
        Ok(0) => return Err(ErrorKind::WriteZero),
        Ok(_) => tls.read_exact(&mut length[1..]).map_err(|error| error.kind())?,
        Err(error) => return Err(error.kind()),
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    tls.read_exact(&mut message).map_err(|error| error.kind())?;
    let name_end = 12 + message[12..].iter().position(|byte| *byte == 0).unwrap();
    Ok(Query { id: [message[0], message[1]], question: message[12..name_end + 5].to_vec() })
}
