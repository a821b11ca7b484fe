//! The network between the engine and its servers: everything on the way is an event with its time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use privydns_core::{Cause, ConnectionId, Target};

use super::host::{Accepts, Act, Ask, Host};
use super::speech::Speech;

/// All hosts, all connections, and what is on its way.
#[derive(Default)]
pub(crate) struct Network {
    hosts: BTreeMap<SocketAddr, Host>,
    connections: BTreeMap<ConnectionId, Connection>,
    events: BTreeMap<(Duration, u64), Event>,
    last_event: u64,
}

/// Something that happens at one end of a connection.
enum Event {
    AtClient(Notice),
    AtServer(ConnectionId, AtServer),
}

enum AtServer {
    Arrives(Vec<u8>),
    Sends(Vec<u8>),
    Ends(Cause),
    ChecksIdle(Duration),
}

/// What the engine is to be told.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    Handshaking(ConnectionId),
    Connected(ConnectionId, Option<&'static [u8]>),
    Received(ConnectionId, Vec<u8>),
    Ended(ConnectionId, Cause),
}

struct Connection {
    address: SocketAddr,
    /// The how manieth to its host.
    number: usize,
    speech: Speech,
    unsent: Vec<u8>,
    is_up: bool,
    server_is_gone: bool,
    client_is_gone: bool,
    last_heard: Duration,
}

impl Network {
    /// The host at an address; a new one answers everything.
    pub(crate) fn host(&mut self, address: SocketAddr) -> &mut Host {
        self.hosts.entry(address).or_insert_with(Host::new)
    }

    /// When something happens next.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// Lets the next event happen; what the engine is to be told of it, if anything.
    pub(crate) fn happen(&mut self) -> Option<Notice> {
        let ((now, _), event) = self.events.pop_first()?;
        let (id, event) = match event {
            Event::AtServer(id, event) => (id, event),
            Event::AtClient(notice) => return self.is_wanted(&notice).then_some(notice),
        };
        match event {
            AtServer::Arrives(octets) => self.arrives(now, id, &octets),
            AtServer::Sends(octets) => self.sends(now, id, octets),
            AtServer::Ends(cause) => self.ends(now, id, cause),
            AtServer::ChecksIdle(limit) => self.checks_idle(now, id, limit),
        }
        None
    }

    /// The engine asks for a connection.
    pub(crate) fn connect(&mut self, now: Duration, id: ConnectionId, target: &Target) {
        let host = self.hosts.entry(target.address).or_insert_with(Host::new);
        let round_trip = host.one_way * 2;
        let (tcp_up, tls_up) = (now + round_trip, now + round_trip * 2);
        let speech = Speech::new(host.speaks);
        let offered = &target.tls.alpn_protocols;
        let alpn = speech.alpn(offered);
        let accepts = match &host.accepts {
            Accepts::WithoutAlpn if offered.is_empty() => Accepts::Everything,
            Accepts::WithoutAlpn => Accepts::Failing(Cause::NoApplicationProtocol),
            other => other.clone(),
        };
        host.dialled.push(now);
        let connection = Connection {
            address: target.address,
            number: host.dialled.len() - 1,
            speech,
            unsent: Vec::new(),
            is_up: false,
            server_is_gone: false,
            client_is_gone: false,
            last_heard: tls_up,
        };
        let before = self.connections.insert(id, connection);
        assert!(before.is_none(), "{id:?} names another connection already");
        match accepts {
            Accepts::Silently => {}
            Accepts::Nothing => {
                self.tell(tcp_up, Notice::Ended(id, Cause::Connect("connection refused".into())));
            }
            Accepts::TcpAlone => self.tell(tcp_up, Notice::Handshaking(id)),
            Accepts::Failing(cause) => {
                self.tell(tcp_up, Notice::Handshaking(id));
                self.tell(tls_up, Notice::Ended(id, cause));
            }
            Accepts::Everything | Accepts::WithoutAlpn => {
                self.tell(tcp_up, Notice::Handshaking(id));
                self.tell(tls_up, Notice::Connected(id, alpn));
            }
        }
    }

    /// The engine has a message for a connection.
    pub(crate) fn transmit(&mut self, id: ConnectionId, message: &[u8]) {
        let connection = self.connections.get_mut(&id).expect("a transmit is for a connection asked for");
        assert!(connection.is_up, "nothing is transmitted before TLS is up");
        assert!(!connection.client_is_gone, "nothing is transmitted after the close");
        connection.unsent.extend_from_slice(message);
    }

    /// What was transmitted leaves; the connections on which it did.
    pub(crate) fn flush(&mut self, now: Duration) -> Vec<ConnectionId> {
        let mut written = Vec::new();
        let mut leaving = Vec::new();
        for (id, connection) in &mut self.connections {
            if !connection.unsent.is_empty() {
                written.push(*id);
                leaving.push((*id, connection.address, std::mem::take(&mut connection.unsent)));
            }
        }
        for (id, address, octets) in leaving {
            let at = now + self.host(address).one_way;
            self.schedule(at, Event::AtServer(id, AtServer::Arrives(octets)));
        }
        written
    }

    /// The engine closes a connection.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        let connection = self.connections.get_mut(&id).expect("a close is for a connection asked for");
        let before = std::mem::replace(&mut connection.client_is_gone, true);
        assert!(!before, "a connection is closed once");
    }

    /// Connections that neither end has given up.
    pub(crate) fn open_connections(&self) -> usize {
        self.connections.values().filter(|connection| !connection.client_is_gone).count()
    }

    /// Every connection to an address is reset now.
    pub(crate) fn reset_all(&mut self, now: Duration, address: SocketAddr) {
        let is_to_it = |(_, connection): &(&ConnectionId, &Connection)| connection.address == address;
        for id in self.connections.iter().filter(is_to_it).map(|(id, _)| *id).collect::<Vec<_>>() {
            self.ends(now, id, Cause::Closed);
        }
    }

    fn arrives(&mut self, now: Duration, id: ConnectionId, octets: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.server_is_gone {
            return;
        }
        connection.last_heard = now;
        let questions = connection.speech.receive(octets);
        let (address, number) = (connection.address, connection.number);
        for question in questions {
            let host = self.host(address);
            let ask = Ask { at: now, connection: number, number: host.asked.len(), question };
            let acts = (host.serve)(&ask);
            host.asked.push(ask);
            for act in acts {
                self.act(now, id, act);
            }
        }
    }

    fn act(&mut self, now: Duration, id: ConnectionId, act: Act) {
        let (after, event) = match act {
            Act::Send(after, message) => {
                (after, AtServer::Sends(self.connections[&id].speech.frame(&message)))
            }
            Act::SendRaw(after, octets) => (after, AtServer::Sends(octets)),
            Act::Close(after) | Act::Reset(after) => (after, AtServer::Ends(Cause::Closed)),
        };
        self.schedule(now + after, Event::AtServer(id, event));
    }

    fn sends(&mut self, now: Duration, id: ConnectionId, octets: Vec<u8>) {
        let Some(connection) = self.connections.get(&id) else { return };
        if !connection.server_is_gone {
            let at = now + self.hosts[&connection.address].one_way;
            self.tell(at, Notice::Received(id, octets));
        }
    }

    fn ends(&mut self, now: Duration, id: ConnectionId, cause: Cause) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !std::mem::replace(&mut connection.server_is_gone, true) {
            let at = now + self.hosts[&connection.address].one_way;
            self.tell(at, Notice::Ended(id, cause));
        }
    }

    fn checks_idle(&mut self, now: Duration, id: ConnectionId, limit: Duration) {
        let Some(connection) = self.connections.get(&id) else { return };
        let closes_at = connection.last_heard + limit;
        if closes_at <= now {
            self.ends(now, id, Cause::Closed);
        } else {
            self.schedule(closes_at, Event::AtServer(id, AtServer::ChecksIdle(limit)));
        }
    }

    /// A driver forgets a connection that it closed, or whose end it has told.
    fn is_wanted(&mut self, notice: &Notice) -> bool {
        let (Notice::Handshaking(id)
        | Notice::Connected(id, _)
        | Notice::Received(id, _)
        | Notice::Ended(id, _)) = notice;
        let Some(connection) = self.connections.get_mut(id) else { return false };
        if connection.client_is_gone {
            return false;
        }
        if matches!(notice, Notice::Connected(..)) {
            connection.is_up = true;
            let (address, heard) = (connection.address, connection.last_heard);
            let host = self.host(address);
            host.connected += 1;
            if let Some(limit) = host.closes_when_idle {
                self.schedule(heard + limit, Event::AtServer(*id, AtServer::ChecksIdle(limit)));
            }
        }
        true
    }

    fn tell(&mut self, at: Duration, notice: Notice) {
        self.schedule(at, Event::AtClient(notice));
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.last_event += 1;
        self.events.insert((at, self.last_event), event);
    }
}
