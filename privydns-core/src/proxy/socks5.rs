//! SOCKS5 (RFC 1928) with user and password (RFC 1929).

use std::net::SocketAddr;

use super::Credentials;
use super::tunnel::{Destination, Step};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;
/// The version of the subnegotiation with user and password.
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const SUCCEEDED: u8 = 0;

/// The client. The maximum length of a reply is 262 bytes.
#[derive(Clone)]
pub(super) struct Socks5 {
    credentials: Option<Credentials>,
    destination: Destination,
    awaited: Reply,
}

#[derive(Clone, Copy)]
enum Reply {
    Method,
    Password,
    Connect,
}

impl Socks5 {
    /// Offers one method. If there are credentials, the method is user and password: the credentials may isolate streams, as
    /// with Tor, which a proxy without authentication would not do.
    pub(super) fn begin(
        credentials: Option<Credentials>,
        destination: Destination,
        out: &mut Vec<u8>,
    ) -> Self {
        let method = if credentials.is_some() { USER_AND_PASSWORD } else { NO_AUTHENTICATION };
        out.extend([VERSION, 1, method]);
        Self { credentials, destination, awaited: Reply::Method }
    }

    pub(super) fn read(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Step, String> {
        match self.awaited {
            Reply::Method => self.read_method(input, out),
            Reply::Password => self.read_password(input, out),
            Reply::Connect => read_connect(input),
        }
    }

    fn read_method(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Step, String> {
        check_version(input)?;
        let [_, method, ..] = *input else { return Ok(Step::Pending) };
        match (method, &self.credentials) {
            (NO_AUTHENTICATION, None) => self.ask_to_connect(out),
            (USER_AND_PASSWORD, Some(credentials)) => {
                out.push(PASSWORD_VERSION);
                put_counted(&credentials.user, out);
                put_counted(&credentials.password, out);
                self.awaited = Reply::Password;
            }
            (NO_ACCEPTABLE_METHOD, None) => return Err("requires authentication: set credentials".into()),
            (NO_ACCEPTABLE_METHOD, Some(_)) => return Err("does not support a user and a password".into()),
            (method, _) => {
                return Err(format!("selected authentication method {method}, not offered"));
            }
        }
        Ok(Step::Took(2))
    }

    /// Reads the status of the subnegotiation; a status other than 0 is a failure. The version is ignored, because proxies
    /// send either of the two versions.
    fn read_password(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Step, String> {
        match *input {
            [_, 0, ..] => {
                self.ask_to_connect(out);
                Ok(Step::Took(2))
            }
            [_, _, ..] => Err("refused the user or the password".into()),
            _ => Ok(Step::Pending),
        }
    }

    fn ask_to_connect(&mut self, out: &mut Vec<u8>) {
        out.extend([VERSION, CONNECT, 0]);
        let port = match &self.destination {
            Destination::Address(SocketAddr::V4(address)) => {
                out.push(IPV4);
                out.extend(address.ip().octets());
                address.port()
            }
            Destination::Address(SocketAddr::V6(address)) => {
                out.push(IPV6);
                out.extend(address.ip().octets());
                address.port()
            }
            Destination::Name(name, port) => {
                out.push(NAME);
                put_counted(name, out);
                *port
            }
        };
        out.extend(port.to_be_bytes());
        self.awaited = Reply::Connect;
    }
}

/// Reads the reply to CONNECT. A failure is reported before the end of the reply, because some proxies truncate it. The
/// address in a successful reply is the proxy's own and is ignored.
fn read_connect(input: &[u8]) -> Result<Step, String> {
    check_version(input)?;
    match *input {
        [_, reply, ..] if reply != SUCCEEDED => return Err(format!("answered: {}", meaning(reply))),
        _ => {}
    }
    let address = match *input {
        [_, _, _, IPV4, ..] => 4,
        [_, _, _, IPV6, ..] => 16,
        [_, _, _, NAME, length, ..] => 1 + usize::from(length),
        [_, _, _, NAME] | [] | [_] | [_, _] | [_, _, _] => return Ok(Step::Pending),
        [_, _, _, other, ..] => return Err(format!("answered with an address of unknown type {other}")),
    };
    let length = 4 + address + 2;
    Ok(if input.len() < length { Step::Pending } else { Step::Open(length) })
}

fn check_version(input: &[u8]) -> Result<(), String> {
    match input.first() {
        Some(&VERSION) | None => Ok(()),
        Some(_) => Err("does not speak SOCKS5".into()),
    }
}

/// The meaning of a reply code (RFC 1928 Section 6).
fn meaning(reply: u8) -> String {
    match reply {
        1 => "general failure".into(),
        2 => "not allowed by its rules".into(),
        3 => "network unreachable".into(),
        4 => "host unreachable".into(),
        5 => "connection refused".into(),
        6 => "TTL expired".into(),
        7 => "command not supported".into(),
        8 => "address type not supported".into(),
        other => format!("failure {other}"),
    }
}

/// Writes a text after its length. The length fits into one byte: credentials and names are checked before.
fn put_counted(text: &str, out: &mut Vec<u8>) {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}
