//! Lookups through a client's public API, over a connection to the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use privydns_core::{RecordType, Roots, Upstream, crypto_provider};
use privydns_tokio::Resolver;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use super::multiplexer::Multiplexer;
use super::{Server, names};

/// Lookups in flight, where there are many.
pub(crate) const IN_FLIGHT: usize = 100;

/// Names in the cache before the first hit.
pub(crate) const CACHED: usize = 100;

/// A client that asks for the A record of a name, and says whether the answer came.
pub(super) trait Ask: Clone + Send + Sync + 'static {
    fn ask(&self, name: &str) -> impl Future<Output = bool> + Send;
}

impl Ask for Resolver {
    async fn ask(&self, name: &str) -> bool {
        self.lookup(name, RecordType::A).await.is_ok_and(|answer| answer.addresses().next().is_some())
    }
}

impl Ask for Multiplexer {
    async fn ask(&self, name: &str) -> bool {
        self.lookup(name).await
    }
}

/// A resolver with every default.
pub(super) fn privydns(server: &Server, scheme: &str) -> impl FnOnce() -> Resolver {
    let Server { address, name, root } = server;
    let upstream = match scheme {
        "tls" => format!("tls://{address}#{name}"),
        _ => format!("https://{name}:{}/dns-query#ip={}", address.port(), address.ip()),
    };
    let roots = Roots::from_der([root.clone()]).expect("the server's root parses");
    let upstream = upstream.parse::<Upstream>().expect("an upstream").roots(roots);
    move || Resolver::builder().upstream(upstream).build().expect("a configuration")
}

pub(super) fn floor(server: &Server) -> impl FnOnce() -> Multiplexer {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(server.root.clone())).expect("the server's root parses");
    let mut config = ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"dot".to_vec()];
    let (connector, address) = (TlsConnector::from(Arc::new(config)), server.address);
    let server_name = ServerName::try_from(server.name.clone()).expect("a name");
    move || Multiplexer::start(connector, address, server_name)
}

/// One lookup after the other.
pub(super) fn one_by_one<A: Ask>(runtime: &Runtime, count: usize, connect: impl FnOnce() -> A) {
    let names: Vec<_> = names().collect();
    runtime.block_on(async {
        let client = connect();
        for name in &names[..count] {
            assert!(client.ask(name).await, "no answer");
        }
    });
}

/// As many tasks as lookups are in flight, each of which asks for the next name when its last is answered.
pub(super) fn at_once<A: Ask>(runtime: &Runtime, count: usize, connect: impl FnOnce() -> A) {
    let names: Arc<[String]> = names().collect();
    let next = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let client = connect();
        let callers: Vec<_> = (0..IN_FLIGHT)
            .map(|_| {
                let (client, names, next) = (client.clone(), names.clone(), next.clone());
                tokio::spawn(async move {
                    while let Some(name) = names[..count].get(next.fetch_add(1, Relaxed)) {
                        assert!(client.ask(name).await, "no answer");
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("no caller panics");
        }
    });
}

/// Lookups of names that were looked up before.
pub(super) fn hits<A: Ask>(runtime: &Runtime, count: usize, connect: impl FnOnce() -> A) {
    let names: Vec<_> = names().take(CACHED).collect();
    runtime.block_on(async {
        let client = connect();
        for name in &names {
            assert!(client.ask(name).await, "no answer");
        }
        for name in names.iter().cycle().take(count) {
            assert!(client.ask(name).await, "no answer");
        }
    });
}
