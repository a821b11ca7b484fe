//! Sessions to resume: TLS 1.3 tickets, each once.

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

/// Tickets kept; the oldest makes room. This is how many rustls keeps for one server, and it counts servers by
/// as many.
const MAX_TICKETS: usize = 8;

/// One upstream's tickets. rustls' own store gives each of them out once and lets none become older than 7 days;
/// what it would keep of TLS 1.2 is dropped here. Such a session is resumed many times under one identifier that
/// everyone on the way can read, and `Tls12Resumption::Disabled` does away with its tickets, but not with its
/// session IDs.
#[derive(Debug)]
pub(super) struct Tickets(ClientSessionMemoryCache);

impl Tickets {
    pub(super) fn new() -> Self {
        Self(ClientSessionMemoryCache::new(MAX_TICKETS))
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(server_name)
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(server_name)
    }
}
