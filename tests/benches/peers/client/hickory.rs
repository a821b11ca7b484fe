//! hickory-resolver with its default settings.

use std::io;
use std::sync::Arc;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;
use privydns_tests::SERVER_NAME;

use super::on_tokio::{Ask, OnTokio};
use super::{Carrier, Client, Scene};

#[derive(Clone)]
struct Hickory(TokioResolver);

pub(super) fn start(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let name: Arc<str> = Arc::from(SERVER_NAME);
    let (address, mut connection) = match scene.carrier {
        Carrier::Dot => (scene.server.dot, ConnectionConfig::tls(name)),
        Carrier::Http2 => (scene.server.http2, ConnectionConfig::https(name, None)),
    };
    connection.port = address.port();
    let server = NameServerConfig::new(address.ip(), true, vec![connection]);
    let config = ResolverConfig::from_name_servers(vec![server]);
    let mut tls = scene.tls();
    // hickory-resolver sets the application protocols.
    tls.alpn_protocols.clear();
    let cache_entries = scene.cache_entries;
    OnTokio::start(scene.threads, async || {
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        if let Some(entries) = cache_entries {
            builder.options_mut().cache_size = 2 * entries as u64;
        }
        Ok(Hickory(builder.with_tls_config(tls).build().map_err(io::Error::other)?))
    })
}

impl Ask for Hickory {
    async fn ask(&self, name: &str) -> bool {
        self.0.lookup(name, RecordType::A).await.is_ok_and(|lookup| !lookup.answers().is_empty())
    }
}
