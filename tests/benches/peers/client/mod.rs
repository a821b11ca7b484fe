//! Those that are compared: each a way to ask the server for an address.

mod domain;
mod floor_h2;
mod floor_mux;
mod floor_query;
mod floor_raw;
mod hickory;
mod multiplexer;
mod on_tokio;
mod privydns;
mod reqwest;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use privydns_tests::SERVER_NAME;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::server::Remote;

/// What is spoken with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Dot,
    Http2,
}

/// One that can be compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// Makes a client that has no connection yet.
    pub(crate) start: fn(&Scene<'_>) -> io::Result<Box<dyn Client>>,
}

/// What a client is made for.
pub(crate) struct Scene<'a> {
    pub(crate) server: &'a Remote,
    pub(crate) carrier: Carrier,
    /// The threads that ask.
    pub(crate) threads: usize,
    /// What the cache has room for, if that is not the client's default.
    pub(crate) cache_entries: Option<usize>,
}

/// A client, and what its runtime makes of it. Every method blocks.
pub(crate) trait Client {
    /// Asks for one name after the other. Gives the time that each took.
    ///
    /// # Panics
    /// Without an answer.
    fn one_by_one(&self, names: &[String]) -> Vec<Duration>;

    /// Asks for all names, with so many on their way at once.
    fn at_once(&self, names: &Arc<[String]>, in_flight: usize) -> Vec<Lookup>;

    /// Asks for names whose answers are in the cache, so often, on each of the threads. Gives the time.
    fn hits(&self, names: &Arc<[String]>, count: usize) -> Duration;

    /// Lets the client notice that its connection was closed.
    fn notice(&self) {}
}

/// What became of a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup {
    pub(crate) took: Duration,
    pub(crate) is_answered: bool,
}

impl Lookup {
    fn new(begun: Instant, is_answered: bool) -> Self {
        Self { took: begun.elapsed(), is_answered }
    }
}

/// The names in an order in which neighbours are far from each other, again and again.
fn scattered(names: &[String]) -> impl Iterator<Item = &String> {
    /// A prime greater than any number of names.
    const STRIDE: usize = 1_000_003;

    (0..).map(|place: usize| &names[place.wrapping_mul(STRIDE) % names.len()])
}

/// Those that speak a protocol. The first is the floor of lookups one by one, the second that of many at once.
pub(crate) fn contestants(carrier: Carrier) -> &'static [Contestant] {
    const TOKIO: Contestant = Contestant { name: "privydns-tokio", start: privydns::tokio };
    const BLOCKING: Contestant = Contestant { name: "privydns-blocking", start: privydns::blocking };
    const SMOL: Contestant = Contestant { name: "privydns-smol", start: privydns::smol };
    const HICKORY: Contestant = Contestant { name: "hickory", start: hickory::start };
    match carrier {
        Carrier::Dot => &[
            Contestant { name: "floor-raw", start: floor_raw::start },
            Contestant { name: "floor-mux", start: floor_mux::start },
            TOKIO,
            BLOCKING,
            SMOL,
            HICKORY,
            Contestant { name: "domain", start: domain::start },
        ],
        Carrier::Http2 => &[
            Contestant { name: "floor-h2", start: floor_h2::start },
            TOKIO,
            BLOCKING,
            SMOL,
            HICKORY,
            Contestant { name: "reqwest", start: reqwest::start },
        ],
    }
}

impl Scene<'_> {
    /// TLS for those that have none of their own: with our provider, and so with the same key exchange.
    fn tls(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.server.root.clone())).expect("the server's root parses");
        let mut config = ClientConfig::builder_with_provider(privydns_core::crypto_provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = match self.carrier {
            Carrier::Dot => vec![b"dot".to_vec()],
            Carrier::Http2 => vec![b"h2".to_vec()],
        };
        config
    }
}

fn server_name() -> ServerName<'static> {
    ServerName::try_from(SERVER_NAME).expect("a name")
}
