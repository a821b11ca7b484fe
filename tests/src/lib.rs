//! Loopback DNS servers for DNS over TLS and DNS over HTTPS that misbehave on command.
//!
//! PrivyDNS is tested against these servers. They do not depend on PrivyDNS: any client of encrypted DNS, and
//! any application that uses such a client, can be tested against them. All traffic stays on the loopback
//! interface, all ports are chosen by the system, and all certificates are generated when the process starts.
//!
//! - [`Server`]: a server that runs on its own thread, started by [`Server::dot`], [`Server::https`],
//!   [`Server::http2`] or [`Server::http1`], each with or without mutual TLS ([`Setup::mutual`]).
//! - [`Zone`]: the records that a server answers from. [The built-in zone](zone) has a name for every kind of
//!   answer.
//! - [`Script`]: the faults, and the connections or queries that have them: [`ConnectionFault`],
//!   [`QueryFault`].
//! - [`observe`]: what the server received, down to the TLS records.
//! - [`Proxy`]: a SOCKS5 or HTTP proxy between a client and a server.
//! - [`Website`]: a page under a name that only these servers resolve.
//! - [`Authority`]: valid and invalid certificates for servers and clients.
//!
//! The [`guide`] shows how to test your own application with these servers.
//!
//! Tests do not sleep. They wait until the server has received what they expect:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use privydns_tests::{ConnectionFault, End, Script, Server};
//!
//! // The first connection is closed as soon as it is accepted.
//! let script = Script::new().on_connection(1, ConnectionFault::Close(End::Fin));
//! let server = Server::dot().script(script).start();
//!
//! let mut client = TcpStream::connect(server.address())?;
//! assert_eq!(client.read(&mut [0; 1])?, 0);
//! drop(client);
//!
//! let seen = server.wait_until(|seen| seen.connections.len() == 1 && seen.open() == 0);
//! assert_eq!(seen.connections[0].ended_by_server, Some(End::Fin));
//! # std::io::Result::Ok(())
//! ```

#![forbid(unsafe_code)]

mod authority;
pub mod frame;
pub mod guide;
pub mod observe;
mod proxy;
mod script;
mod server;
mod website;
mod wire;
pub mod zone;

/// The library whose types a [`Zone`] uses for names and records.
pub use hickory_proto;

pub use authority::{Authority, ClientCertificate, Identity, SERVER_NAME, ServerCertificate, WRONG_NAME};
pub use proxy::{Proxy, ProxySetup, Tunnel};
pub use script::{
    ConnectionFault, End, Http1Fault, Http2Fault, HttpFault, LastStream, MessageFault, Moment, QueryFault,
    Response, Script, Step, Turns, When,
};
pub use server::{Alpn, ClientAuthentication, Http, Http2Settings, Refusal, Server, Setup, TlsVersions};
pub use website::Website;
pub use zone::{Manner, Padding, Zone};

/// Compiles the examples of the repository's README as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Compiles the example of this crate's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct OwnReadme;
