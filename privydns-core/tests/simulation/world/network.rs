//! The simulated network: everything in transit is an event with a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use privydns_core::Cause;
use privydns_core::engine::{ConnectionId, MAX_UNWRITTEN, Target};

use super::host::{Accepts, Act, Ask, Host};
use super::network_conditions::NetworkConditions;
use super::protocol::{ServerProtocol, Stream};

/// All hosts, connections and events.
#[derive(Default)]
pub(crate) struct Network {
    hosts: BTreeMap<SocketAddr, Host>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Events by time, and events of the same time in the order of their causes.
    events: BTreeMap<(Duration, u64), Event>,
    last_event: u64,
    /// Connections with unsent bytes.
    unsent: BTreeSet<ConnectionId>,
    /// `None` stands for ideal conditions.
    pub(crate) conditions: Option<NetworkConditions>,
    /// The fate of connections to addresses without a host. With `None`, a host appears there that answers every query.
    pub(crate) strangers: Option<Accepts>,
}

/// An event at one end of a connection.
enum Event {
    AtClient(Notice),
    AtServer(ConnectionId, AtServer),
}

enum AtServer {
    Arrives(Vec<u8>),
    Sends(Vec<u8>),
    Ends,
    ChecksIdle(Duration),
}

/// An event that the driver observes.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    Handshaking(ConnectionId),
    Connected(ConnectionId, Option<Vec<u8>>),
    Received(ConnectionId, Vec<u8>),
    Writable(ConnectionId),
    Ended(ConnectionId, Cause),
}

struct Connection {
    address: SocketAddr,
    /// The index among the connections to its host.
    number: usize,
    protocol: ServerProtocol,
    unsent: Vec<u8>,
    stalled: bool,
    client: Client,
    server: Server,
    /// When the server last received data.
    last_received: Duration,
    /// Data arrives in the order in which it was sent.
    reaches_client: Duration,
    reaches_server: Duration,
}

/// The engine's end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Connecting,
    Up,
    /// The engine has been told of the end.
    Ended,
    /// The engine has closed the connection.
    Closed,
}

/// The server's end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Open,
    /// The server reads no more, as after a half close, and still sends its pending answers.
    Deaf,
    /// The server has ended the connection, and the client is told.
    Ended,
    /// The server has forgotten the connection silently: later packets are answered with a reset.
    Vanished,
}

impl Network {
    /// The host at an address; a new host answers every query.
    pub(crate) fn host(&mut self, address: SocketAddr) -> &mut Host {
        self.hosts.entry(address).or_insert_with(Host::new)
    }

    /// The time of the next event.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// Handles the next event. Returns the notice for the driver, if there is one.
    pub(crate) fn happen(&mut self) -> Option<Notice> {
        let ((now, _), event) = self.events.pop_first()?;
        let (id, event) = match event {
            Event::AtServer(id, event) => (id, event),
            Event::AtClient(mut notice) => {
                self.join(now, &mut notice);
                return self.is_told(now, &notice).then_some(notice);
            }
        };
        match event {
            AtServer::Arrives(octets) => self.arrives(now, id, &octets),
            AtServer::Sends(octets) => self.sends(now, id, octets),
            AtServer::Ends => self.ends(now, id),
            AtServer::ChecksIdle(limit) => self.checks_idle(now, id, limit),
        }
        None
    }

    /// Opens a connection for the engine.
    pub(crate) fn connect(&mut self, now: Duration, id: ConnectionId, target: &Target) {
        if let (Some(accepts), false) = (&self.strangers, self.hosts.contains_key(&target.address)) {
            let accepts = accepts.clone();
            self.host(target.address).accepts(accepts);
        }
        let host = self.host(target.address);
        let protocol = ServerProtocol::new(host.speaks);
        let offered = &target.tls.alpn_protocols;
        let alpn = protocol.alpn(host.alpn, offered);
        let accepts = match &host.accepts {
            Accepts::WithoutAlpn if offered.is_empty() => Accepts::Everything,
            Accepts::WithoutAlpn => Accepts::Failing(Cause::NoApplicationProtocol),
            other => other.clone(),
        };
        host.dialled.push(now);
        host.tls = Some(target.tls.clone());
        let connection = Connection {
            address: target.address,
            number: host.dialled.len() - 1,
            protocol,
            unsent: Vec::new(),
            stalled: false,
            client: Client::Connecting,
            server: Server::Open,
            last_received: now,
            reaches_client: now,
            reaches_server: now,
        };
        let before = self.connections.insert(id, connection);
        assert!(before.is_none(), "{id:?} names another connection already");
        match accepts {
            Accepts::Silently => {}
            Accepts::Nothing => {
                self.tell(
                    now,
                    2,
                    id,
                    Notice::Ended(id, Cause::Connect(std::io::ErrorKind::ConnectionRefused.into())),
                );
            }
            Accepts::TcpAlone => self.tell(now, 2, id, Notice::Handshaking(id)),
            Accepts::Failing(cause) => {
                self.tell(now, 2, id, Notice::Handshaking(id));
                self.tell(now, 4, id, Notice::Ended(id, cause));
            }
            Accepts::Everything | Accepts::WithoutAlpn => {
                self.tell(now, 2, id, Notice::Handshaking(id));
                self.tell(now, 4, id, Notice::Connected(id, alpn));
            }
        }
    }

    /// Queues a message of the engine.
    pub(crate) fn transmit(&mut self, id: ConnectionId, message: &[u8]) {
        let connection = self.connections.get_mut(&id).expect("a transmit is for a connection asked for");
        assert_eq!(connection.client, Client::Up, "nothing is transmitted before TLS is up or after the end");
        assert!(!message.is_empty(), "a message has octets");
        assert!(connection.unsent.len() < MAX_UNWRITTEN, "nothing is transmitted without credit");
        connection.unsent.extend_from_slice(message);
        self.unsent.insert(id);
    }

    /// Sends queued data as far as possible. Returns the connections without unsent data.
    pub(crate) fn flush(&mut self, now: Duration) -> Vec<ConnectionId> {
        let mut written = Vec::new();
        for id in std::mem::take(&mut self.unsent) {
            let connection = self.connections.get_mut(&id).expect("it has something to send");
            if connection.stalled {
                continue;
            }
            let address = connection.address;
            let stall = self.conditions.as_mut().and_then(NetworkConditions::stall).unwrap_or_default();
            let until = self.hosts[&address].stalled_until.max(now + stall);
            if until > now {
                connection.stalled = true;
                self.schedule(until, Event::AtClient(Notice::Writable(id)));
                continue;
            }
            let octets = std::mem::take(&mut connection.unsent);
            for piece in self.pieces(octets) {
                let at = self.arrival(now, 1, address);
                let connection = self.connections.get_mut(&id).expect("it was there before");
                connection.reaches_server = connection.reaches_server.max(at);
                let at = connection.reaches_server;
                self.schedule(at, Event::AtServer(id, AtServer::Arrives(piece)));
            }
            written.push(id);
        }
        written
    }

    /// Closes a connection for the engine.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        let connection = self.connections.get_mut(&id).expect("a close is for a connection asked for");
        assert_ne!(connection.client, Client::Closed, "a connection is closed once");
        connection.client = Client::Closed;
        connection.unsent.clear();
        self.unsent.remove(&id);
    }

    /// The number of connections that are neither closed by the engine nor ended.
    pub(crate) fn open_connections(&self) -> usize {
        self.connections.values().filter(|connection| !connection.is_forgotten()).count()
    }

    /// The number of these connections to any of the given addresses.
    pub(crate) fn open_connections_to(&self, addresses: &[SocketAddr]) -> usize {
        let is_open =
            |connection: &&Connection| !connection.is_forgotten() && addresses.contains(&connection.address);
        self.connections.values().filter(is_open).count()
    }

    /// The server ends every connection to an address now.
    pub(crate) fn reset_all(&mut self, now: Duration, address: SocketAddr) {
        for id in self.connections_to(address) {
            self.ends(now, id);
        }
    }

    /// The server forgets every connection silently.
    pub(crate) fn forget_all(&mut self, address: SocketAddr) {
        for id in self.connections_to(address) {
            let connection = self.connections.get_mut(&id).expect("it is one of them");
            if matches!(connection.server, Server::Open | Server::Deaf) {
                connection.server = Server::Vanished;
            }
        }
    }

    /// The server half-closes every connection that it reads from: it answers the queries that arrived before, and ends
    /// the connection after a time, or never.
    pub(crate) fn deafen_all(&mut self, now: Duration, address: SocketAddr, ends_after: Option<Duration>) {
        for id in self.connections_to(address) {
            let connection = self.connections.get_mut(&id).expect("it is one of them");
            if connection.server == Server::Open {
                connection.server = Server::Deaf;
                if let Some(after) = ends_after {
                    self.schedule(now + after, Event::AtServer(id, AtServer::Ends));
                }
            }
        }
    }

    fn connections_to(&self, address: SocketAddr) -> Vec<ConnectionId> {
        let is_to_it = |(_, connection): &(&ConnectionId, &Connection)| connection.address == address;
        self.connections.iter().filter(is_to_it).map(|(id, _)| *id).collect()
    }

    fn arrives(&mut self, now: Duration, id: ConnectionId, octets: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match connection.server {
            Server::Open => {}
            Server::Ended | Server::Deaf => return,
            Server::Vanished => return self.ends(now, id),
        }
        connection.last_received = now;
        let heard = connection.protocol.receive(octets);
        let (address, number) = (connection.address, connection.number);
        if !heard.owed.is_empty() {
            self.sends(now, id, heard.owed);
        }
        if heard.is_foreign {
            return self.ends(now, id);
        }
        for (stream, question) in heard.questions {
            let host = self.host(address);
            let ask = Ask { at: now, connection: number, number: host.asked.len(), stream, question };
            let acts = (host.serve)(&ask);
            if ask.question.is_probe() {
                host.probed.push(now);
            } else {
                host.asked.push(ask);
            }
            for act in acts {
                self.act(now, id, stream, act);
            }
        }
    }

    fn act(&mut self, now: Duration, id: ConnectionId, stream: Stream, act: Act) {
        let protocol = &self.connections[&id].protocol;
        let (after, event) = match act {
            Act::Send(after, message) => (after, AtServer::Sends(protocol.frame(stream, &message))),
            Act::Refuse(after, refusal) => (after, AtServer::Sends(protocol.refuse(stream, &refusal))),
            Act::SendRaw(after, octets) => (after, AtServer::Sends(octets)),
            Act::Misframe(after, message, wrong) => (
                after,
                AtServer::Sends(protocol.frame_as(stream ^ wrong.stream, &message, wrong.length(&message))),
            ),
            Act::Mangle(after, message, mangle) => {
                (after, AtServer::Sends(mangle.done_to(protocol.frame(stream, &message))))
            }
            Act::Close(after) => (after, AtServer::Ends),
        };
        self.schedule(now + after, Event::AtServer(id, event));
    }

    fn sends(&mut self, now: Duration, id: ConnectionId, octets: Vec<u8>) {
        let speaks = |connection: &Connection| matches!(connection.server, Server::Open | Server::Deaf);
        if self.connections.get(&id).is_some_and(speaks) {
            for piece in self.pieces(octets) {
                self.tell(now, 1, id, Notice::Received(id, piece));
            }
        }
    }

    fn ends(&mut self, now: Duration, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if std::mem::replace(&mut connection.server, Server::Ended) != Server::Ended {
            self.tell(now, 1, id, Notice::Ended(id, Cause::Closed));
        }
    }

    fn checks_idle(&mut self, now: Duration, id: ConnectionId, limit: Duration) {
        let Some(connection) = self.connections.get(&id) else { return };
        let closes_at = connection.last_received + limit;
        if closes_at <= now {
            self.ends(now, id);
        } else {
            self.schedule(closes_at, Event::AtServer(id, AtServer::ChecksIdle(limit)));
        }
    }

    /// Whether the engine is told: a driver forgets a connection that it closed, or whose end it reported.
    fn is_told(&mut self, now: Duration, notice: &Notice) -> bool {
        let id = notice.connection();
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let is_forgotten = connection.is_forgotten();
        match notice {
            Notice::Connected(..) if !is_forgotten => {
                connection.client = Client::Up;
                self.server_is_up(now, id);
            }
            Notice::Ended(..) if !is_forgotten => connection.client = Client::Ended,
            Notice::Writable(_) => {
                connection.stalled = false;
                if !connection.unsent.is_empty() {
                    self.unsent.insert(id);
                }
            }
            _ => {}
        }
        !is_forgotten
            || self.conditions.as_mut().is_some_and(|conditions| conditions.draw.percent(conditions.echoes))
    }

    fn server_is_up(&mut self, now: Duration, id: ConnectionId) {
        let connection = self.connections.get_mut(&id).expect("it came up");
        connection.last_received = now;
        let (address, greeting) = (connection.address, connection.protocol.greeting());
        let host = self.host(address);
        host.connected += 1;
        if let Some(limit) = host.closes_when_idle {
            self.schedule(now + limit, Event::AtServer(id, AtServer::ChecksIdle(limit)));
        }
        if !greeting.is_empty() {
            // The data arrived together with the end of the handshake.
            self.tell(now, 0, id, Notice::Received(id, greeting));
        }
    }

    /// Bytes that arrive at the same time may be read together.
    fn join(&mut self, now: Duration, notice: &mut Notice) {
        let Notice::Received(id, octets) = notice else { return };
        while let Some(conditions) = &mut self.conditions
            && let Some(next) = self.events.first_entry()
            && next.key().0 == now
            && matches!(next.get(), Event::AtClient(Notice::Received(other, _)) if other == id)
            && conditions.draw.percent(conditions.joins)
        {
            if let Event::AtClient(Notice::Received(_, more)) = next.remove() {
                octets.extend_from_slice(&more);
            }
        }
    }

    fn pieces(&mut self, octets: Vec<u8>) -> Vec<Vec<u8>> {
        match &mut self.conditions {
            Some(conditions) => conditions.pieces(octets),
            None => vec![octets],
        }
    }

    /// The arrival time at the other end after a number of one-way delays.
    fn arrival(&mut self, now: Duration, ways: u32, address: SocketAddr) -> Duration {
        let late = self.conditions.as_mut().map_or(Duration::ZERO, NetworkConditions::delay);
        let host = self.host(address);
        (now + host.one_way * ways + late).max(host.unreachable_until)
    }

    /// Schedules a notice for the driver after a number of one-way delays.
    fn tell(&mut self, now: Duration, ways: u32, id: ConnectionId, notice: Notice) {
        let at = self.arrival(now, ways, self.connections[&id].address);
        let connection = self.connections.get_mut(&id).expect("it was there above");
        connection.reaches_client = connection.reaches_client.max(at);
        let at = connection.reaches_client;
        self.schedule(at, Event::AtClient(notice));
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.last_event += 1;
        self.events.insert((at, self.last_event), event);
    }
}

impl Connection {
    fn is_forgotten(&self) -> bool {
        matches!(self.client, Client::Ended | Client::Closed)
    }
}

impl Notice {
    fn connection(&self) -> ConnectionId {
        match self {
            Self::Handshaking(id)
            | Self::Connected(id, _)
            | Self::Received(id, _)
            | Self::Writable(id)
            | Self::Ended(id, _) => *id,
        }
    }
}
