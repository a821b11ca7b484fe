//! The stream client of the domain crate, which has one connection at a time. The cache is used in the lines
//! that measure caches.

use std::io;
use std::sync::Arc;

use domain::base::{MessageBuilder, Name, Rtype};
use domain::net::client::protocol::TlsConnect;
use domain::net::client::request::{RequestMessage, SendRequest};
use domain::net::client::{cache, multi_stream};

use super::on_tokio::{Ask, OnTokio};
use super::{Client, Scene, server_name};

type Request = RequestMessage<Vec<u8>>;

type Connection = multi_stream::Connection<Request>;

struct Domain<C>(Arc<C>);

impl<C> Clone for Domain<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub(super) fn start(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let connect = TlsConnect::new(scene.tls(), server_name(), scene.server.dot);
    let run = |connect| {
        let (connection, transport): (Connection, _) = multi_stream::Connection::new(connect);
        tokio::spawn(transport.run());
        connection
    };
    let Some(entries) = scene.cache_entries else {
        return OnTokio::start(scene.threads, async || Ok(Domain(Arc::new(run(connect)))));
    };
    let mut config = cache::Config::new();
    config.set_max_cache_entries(2 * entries as u64);
    OnTokio::start(scene.threads, async || {
        Ok(Domain(Arc::new(cache::Connection::with_config(run(connect), config))))
    })
}

impl<C: SendRequest<Request> + Send + Sync + 'static> Ask for Domain<C> {
    async fn ask(&self, name: &str) -> bool {
        let request = request(name);
        self.0
            .send_request(request)
            .get_response()
            .await
            .is_ok_and(|answer| answer.header_counts().ancount() > 0)
    }
}

fn request(name: &str) -> Request {
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_rd(true);
    let mut message = message.question();
    let name = Name::vec_from_str(name).expect("a name");
    message.push((name, Rtype::A)).expect("there is room");
    RequestMessage::new(message).expect("a query")
}
