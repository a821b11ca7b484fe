//! Loopback DNS servers that speak DNS over TLS and DNS over HTTPS, and that misbehave on command.
//!
//! They are what PrivyDNS tests itself against, and they know nothing of PrivyDNS: any client of encrypted DNS, and
//! any application that uses one, can be tested against them. Nothing leaves the machine, every port is a free one,
//! and every certificate is made when the process starts.
//!
//! - [`Server`]: a server on a thread of its own, started by [`Server::dot`], [`Server::https`], [`Server::http2`] or
//!   [`Server::http1`], each with or without mutual TLS ([`Setup::mutual`]).
//! - [`Zone`]: what it answers from. [The built-in one](zone) has a name for every kind of answer.
//! - [`Script`]: what goes wrong, with which connection or query: [`ConnectionFault`], [`QueryFault`].
//! - [`observe`]: what the server saw, to the TLS record.
//! - [`Proxy`]: a SOCKS5 or HTTP proxy to reach them through.
//! - [`Website`]: a page to fetch by a name that no other resolver knows.
//! - [`Authority`]: the certificates, good and bad, of servers and clients.
//!
//! The [`guide`] shows how to test your own application with them.
//!
//! A test does not sleep: it waits for what the server is to see.
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

/// The library that a [`Zone`]'s names and records are made with.
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

/// The programs of the repository's README, which are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The program of this crate's own.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct OwnReadme;
