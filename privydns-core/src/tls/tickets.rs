//! Session tickets of TLS 1.3, each used once.

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

/// The maximum number of tickets; the oldest ticket is dropped for a new one. rustls keeps this number of tickets per
/// server, and allocates servers in multiples of this number.
const MAX_TICKETS: usize = 8;

/// The tickets of one upstream. The store of rustls returns each ticket once and drops tickets after 7 days. Sessions of
/// TLS 1.2 are not stored: they can be resumed many times under an identifier that on-path observers can read.
/// `Tls12Resumption::Disabled` turns off the tickets of TLS 1.2, but not the session IDs.
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
