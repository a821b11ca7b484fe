//! The environment of a test: the backend that drives the resolver, and the protocol of the servers.

use std::thread;
use std::time::Duration;

use privydns_core::ResolverBuilder;
use privydns_core::{Answer, Cause, ClientCertificate, Config, Error, ErrorKind, Roots, Transport, Upstream};
use privydns_tests::{Script, Server, Setup};

use crate::backend::{Backend, TestResolver};

/// The timeout of lookups that should succeed. Long, because machines can be slow.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The protocol between resolver and servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Dot,
    Http2,
    Http1,
}

/// A backend and a protocol.
#[derive(Clone, Copy)]
pub(crate) struct Bench {
    pub(crate) backend: &'static dyn Backend,
    pub(crate) carrier: Carrier,
    /// Whether servers require a client certificate, and upstreams have one.
    pub(crate) is_mutual: bool,
}

impl Bench {
    pub(crate) fn setup(&self) -> Setup {
        let setup = match self.carrier {
            Carrier::Dot => Server::dot(),
            Carrier::Http2 => Server::http2(),
            Carrier::Http1 => Server::http1(),
        };
        if self.is_mutual { setup.mutual() } else { setup }
    }

    /// Starts a server with a script, and a resolver with this server as its only upstream.
    pub(crate) fn start(&self, script: Script) -> (Server, Box<dyn TestResolver>) {
        let server = self.setup().script(script).start();
        let resolver = self.resolver(&[&server]);
        (server, resolver)
    }

    pub(crate) fn upstream(&self, server: &Server) -> Upstream {
        self.upstream_of(server, &server.upstream())
    }

    /// An upstream for a server, with a name or address other than its default.
    pub(crate) fn upstream_of(&self, server: &Server, text: &str) -> Upstream {
        let upstream: Upstream = text.parse().unwrap();
        let upstream = upstream.roots(Roots::from_pem(server.authority().root_pem().as_bytes()).unwrap());
        if !self.is_mutual {
            return upstream;
        }
        upstream.client_certificate(client_certificate(privydns_tests::ClientCertificate::Good))
    }

    /// A configuration with these upstreams and a timeout longer than the default.
    pub(crate) fn config(&self, servers: &[&Server]) -> ResolverBuilder {
        Config::builder().upstreams(servers.iter().map(|server| self.upstream(server))).timeout(TIMEOUT)
    }

    pub(crate) fn resolver(&self, servers: &[&Server]) -> Box<dyn TestResolver> {
        self.build(self.config(servers))
    }

    pub(crate) fn build(&self, builder: ResolverBuilder) -> Box<dyn TestResolver> {
        self.backend.resolver(builder.build().unwrap()).unwrap()
    }

    pub(crate) fn is_http(&self) -> bool {
        self.carrier != Carrier::Dot
    }

    /// Whether a connection carries one query at a time.
    pub(crate) fn is_serial(&self) -> bool {
        self.carrier == Carrier::Http1
    }

    pub(crate) fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::Dot if self.is_mutual => Transport::MutualTls,
            Carrier::Dot => Transport::Tls,
            Carrier::Http2 => Transport::Http2,
            Carrier::Http1 => Transport::Http1,
        }
    }
}

pub(crate) fn client_certificate(kind: privydns_tests::ClientCertificate) -> ClientCertificate {
    let authority = privydns_tests::Authority::shared();
    let identity = authority.client(kind);
    ClientCertificate::from_pem(identity.chain_pem().as_bytes(), identity.key_pem().as_bytes()).unwrap()
}

/// Calls `act` on all items in parallel, for tests that mostly wait.
pub(crate) fn in_parallel<T: Send>(all: impl IntoIterator<Item = T>, act: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for item in all {
            scope.spawn(|| act(item));
        }
    });
}

/// The cause of an error whose kind is `Upstream`.
pub(crate) fn cause(result: Result<Answer, Error>) -> Cause {
    match result.unwrap_err().kind() {
        ErrorKind::Upstream(cause) => cause.clone(),
        other => panic!("not an error of an upstream: {other}"),
    }
}
