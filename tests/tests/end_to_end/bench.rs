//! Where a suite runs: which backend carries the resolver, and what it speaks to its servers.

use std::thread;
use std::time::Duration;

use privydns_core::config::ResolverBuilder;
use privydns_core::{Answer, Cause, ClientCertificate, Config, Error, ErrorKind, Roots, Transport, Upstream};
use privydns_tests::{Script, Server, Setup};

use crate::backend::{Backend, TestResolver};

/// As long as a lookup may take that is meant to come to its end. Long, since machines can be slow.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is spoken between resolver and servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Dot,
    Http2,
    Http1,
}

/// A backend and a carrier.
#[derive(Clone, Copy)]
pub(crate) struct Bench {
    pub(crate) backend: &'static dyn Backend,
    pub(crate) carrier: Carrier,
    /// Whether servers require a client's certificate, and upstreams have one.
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

    /// A server with a script, and a resolver that asks it alone.
    pub(crate) fn start(&self, script: Script) -> (Server, Box<dyn TestResolver>) {
        let server = self.setup().script(script).start();
        let resolver = self.resolver(&[&server]);
        (server, resolver)
    }

    pub(crate) fn upstream(&self, server: &Server) -> Upstream {
        self.upstream_of(server, &server.upstream())
    }

    /// A server under another name or address than its usual ones.
    pub(crate) fn upstream_of(&self, server: &Server, text: &str) -> Upstream {
        let upstream: Upstream = text.parse().unwrap();
        let upstream = upstream.roots(Roots::from_pem(server.authority().root_pem().as_bytes()).unwrap());
        if !self.is_mutual {
            return upstream;
        }
        upstream.client_certificate(client_certificate(privydns_tests::ClientCertificate::Good))
    }

    /// A configuration with these upstreams, and more patience than users have.
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

    pub(crate) fn spoken(&self) -> Transport {
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

/// Does the same with everything at once, where doing it takes time that is spent waiting.
pub(crate) fn at_once<T: Send>(all: impl IntoIterator<Item = T>, act: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for one in all {
            scope.spawn(|| act(one));
        }
    });
}

/// The cause that an error of the upstreams comes down to.
pub(crate) fn cause(result: Result<Answer, Error>) -> Cause {
    match result.unwrap_err().kind() {
        ErrorKind::Upstream(cause) => cause.clone(),
        other => panic!("no upstream's fault: {other}"),
    }
}
