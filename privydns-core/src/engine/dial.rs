//! A connection in the making: an upstream's addresses raced until TLS is up on one of them (RFC 8305).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};

use super::Engine;
use super::connection::{Connection, State};
use super::io::{ConnectionId, Output, Target};
use super::timers::Timer;
use crate::addresses::{Families, Family};
use crate::error::{Cause, Stage};
use crate::logging::{CONNECTION, UPSTREAM};
use crate::proxy::Tunnel;
use crate::tls::AlpnOffer;
use crate::upstream::{HttpVersion, Protocol};

/// A dial that has not won by then is lost, whether anybody waits for it or not.
const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// A dial that has taken so long is not relied on alone: whoever comes next has another begun beside it. TCP sends
/// again what was lost after 1, 3 and 7 s; where packets come through again, a new connection is there at once.
const SLOW_AFTER: Duration = Duration::from_secs(1);

/// A race of an upstream's addresses.
#[derive(Debug)]
pub(super) struct Dial {
    upstream: usize,
    /// Addresses that have not joined the race.
    addresses: VecDeque<SocketAddr>,
    /// Addresses that have.
    tried: Vec<SocketAddr>,
    /// Connections in the race, the latest last.
    racing: Vec<ConnectionId>,
    /// When the next address joins, though none has failed.
    next_address: Option<Instant>,
    pub(super) began: Instant,
    /// What the caller is told if all fail: the first failure that says more than "too slow".
    failure: Option<Failure>,
}

/// What went wrong in a race, and where.
#[derive(Debug)]
struct Failure {
    address: Option<SocketAddr>,
    stage: Stage,
    cause: Cause,
}

impl Dial {
    fn over(&self) -> Instant {
        self.began + DIAL_LIMIT
    }

    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.began + SLOW_AFTER <= now
    }

    /// No address joins that has not done so yet.
    pub(super) fn forget_addresses(&mut self) {
        self.addresses.clear();
        self.next_address = None;
    }
}

impl Engine {
    /// Begins a race for a connection to `upstream`.
    pub(super) fn dial(&mut self, now: Instant, upstream: usize) {
        let dial = self.dials.insert(Dial {
            upstream,
            addresses: VecDeque::new(),
            tried: Vec::new(),
            racing: Vec::new(),
            next_address: None,
            began: now,
            failure: None,
        });
        self.pools[upstream].dials.push(dial);
        let configured = &self.shared.config.upstreams[upstream].upstream;
        if configured.needs_bootstrap() {
            self.dial_by_name(now, upstream, dial);
        } else {
            let addresses = configured.ends().collect::<Vec<_>>();
            self.join_race(now, dial, &addresses);
        }
    }

    /// Addresses join a race, before those that have not joined it yet. The first goes at once.
    pub(super) fn join_race(&mut self, now: Instant, dial: usize, addresses: &[SocketAddr]) {
        let delay = self.shared.config.settings.address_delay;
        let state = &mut self.dials[dial];
        let new = addresses.iter().copied().filter(|address| !state.tried.contains(address));
        let mut order = race_order(new, self.pools[state.upstream].winner);
        order.append(&mut state.addresses);
        state.addresses = order;
        if state.racing.is_empty() {
            self.race_next(now, dial);
        } else if !state.addresses.is_empty() {
            state.next_address.get_or_insert(now + delay);
            self.set_dial_timer(dial);
        }
    }

    /// Addresses that begin the race if no better ones have by the time that an address is tried alone.
    pub(super) fn join_race_later(&mut self, now: Instant, dial: usize, addresses: Vec<SocketAddr>) {
        let state = &mut self.dials[dial];
        state.addresses = race_order(addresses.into_iter(), self.pools[state.upstream].winner);
        state.next_address =
            (!state.addresses.is_empty()).then_some(now + self.shared.config.settings.address_delay);
        self.set_dial_timer(dial);
    }

    /// No address will join that is not there by now.
    pub(super) fn no_more_addresses(&mut self, now: Instant, dial: usize, cause: &Cause) {
        let state = &mut self.dials[dial];
        if !state.racing.is_empty() {
            return;
        }
        if state.addresses.is_empty() {
            // Lost, but whoever asked for it is still being told that it began.
            let failure = || Failure { address: None, stage: Stage::Bootstrap, cause: cause.clone() };
            state.failure.get_or_insert_with(failure);
            self.lost_dials.push(dial);
        } else {
            self.race_next(now, dial);
        }
    }

    /// The next address joins the race.
    fn race_next(&mut self, now: Instant, dial: usize) {
        let state = &mut self.dials[dial];
        let address = state.addresses.pop_front();
        state.next_address =
            (!state.addresses.is_empty()).then_some(now + self.shared.config.settings.address_delay);
        if let Some(address) = address {
            self.connect(now, dial, address);
        }
        self.set_dial_timer(dial);
    }

    fn connect(&mut self, now: Instant, dial: usize, address: SocketAddr) {
        let upstream = self.dials[dial].upstream;
        self.pools[upstream].learned.forget_if_old(now);
        let offer = self.alpn_offer(upstream);
        let configured = &self.shared.config.upstreams[upstream];
        let tunnel = configured.upstream.tunnel(address);
        let target = Target {
            address: tunnel.as_ref().map_or(address, Tunnel::proxy),
            tunnel,
            server_name: configured.upstream.server_name().clone(),
            tls: configured.tls.client_config(offer),
        };
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        debug!(target: CONNECTION, upstream = %self.pools[upstream].label, %address, "connecting");
        let mut connection = Connection::dialing(upstream, address, target.first_stage(), dial, now);
        connection.offers_dot = offer == AlpnOffer::Dot;
        self.connections.insert(id, connection);
        let state = &mut self.dials[dial];
        state.tried.push(address);
        state.racing.push(id);
        self.outputs.push_back(Output::Connect { id, target });
    }

    fn alpn_offer(&self, upstream: usize) -> AlpnOffer {
        let learned = &self.pools[upstream].learned;
        let configured = &self.shared.config.upstreams[upstream].upstream;
        match (configured.protocol(), learned.http.unwrap_or(configured.http_version())) {
            (Protocol::Https, HttpVersion::Http2) => AlpnOffer::H2,
            (Protocol::Https, HttpVersion::Http1) => AlpnOffer::Http1,
            (Protocol::Https, _) => AlpnOffer::H2AndHttp1,
            _ if learned.refuses_alpn => AlpnOffer::None,
            _ => AlpnOffer::Dot,
        }
    }

    /// TLS is up: the race is won, and the others leave it.
    pub(super) fn dial_won(&mut self, dial: usize, winner: ConnectionId) {
        self.dials[dial].racing.retain(|id| *id != winner);
        let upstream = self.dials[dial].upstream;
        self.give_up(dial);
        self.pools[upstream].winner = self.connections.get(&winner).map(|connection| connection.address);
    }

    /// The dials for an upstream that have taken long, the oldest first.
    pub(super) fn slow_dials(&self, now: Instant, upstream: usize) -> Vec<usize> {
        let is_slow = |dial: &usize| self.dials[*dial].is_slow(now);
        self.pools[upstream].dials.iter().copied().filter(is_slow).collect()
    }

    /// Ends a dial that is not needed any more.
    pub(super) fn give_up(&mut self, dial: usize) {
        for id in self.remove_dial(dial).racing {
            self.connections.remove(&id);
            self.outputs.push_back(Output::Close(id));
        }
    }

    /// One address of the race failed: the next joins at once; with the last, the race is lost.
    pub(super) fn address_failed(&mut self, now: Instant, dial: usize, id: ConnectionId, cause: Cause) {
        let Some(connection) = self.connections.remove(&id) else { return };
        let upstream = connection.upstream;
        let label = &self.pools[upstream].label;
        let state = &mut self.dials[dial];
        state.racing.retain(|racing| *racing != id);
        if cause == Cause::NoApplicationProtocol && connection.offers_dot {
            info!(target: UPSTREAM, upstream = %label, "ALPN refused");
            self.pools[upstream].learned.learn(now, |learned| learned.refuses_alpn = true);
            return self.connect(now, dial, connection.address);
        }
        warn!(
            target: CONNECTION,
            upstream = %label,
            address = %connection.address,
            stage = %connection.stage,
            %cause,
            "connection failed"
        );
        let (address, stage) = (Some(connection.address), connection.stage);
        self.pools[upstream].last_dial = (address, stage);
        state.failure.get_or_insert(Failure { address, stage, cause });
        if !state.addresses.is_empty() {
            self.race_next(now, dial);
        } else if state.racing.is_empty() && !self.pools[upstream].bootstrap.is_pending() {
            self.dial_lost(now, dial);
        }
    }

    pub(super) fn dial_lost(&mut self, now: Instant, dial: usize) {
        let (address, stage) = self.progress(dial);
        let state = self.remove_dial(dial);
        let failure = state.failure.unwrap_or(Failure { address, stage, cause: Cause::Timeout });
        self.pools[state.upstream].last_dial = (failure.address, failure.stage);
        for id in state.racing {
            self.connections.remove(&id);
            self.outputs.push_back(Output::Close(id));
        }
        self.unreachable(now, state.upstream, &failure.cause);
    }

    pub(super) fn dial_timeout(&mut self, now: Instant, dial: usize) {
        let state = &self.dials[dial];
        if state.over() <= now {
            self.dial_lost(now, dial);
        } else if state.next_address.is_some_and(|time| time <= now) {
            self.race_next(now, dial);
        } else {
            self.set_dial_timer(dial);
        }
    }

    pub(super) fn close_dials(&mut self) {
        for dial in self.dials.iter().map(|(dial, _)| dial).collect::<Vec<_>>() {
            self.give_up(dial);
        }
    }

    fn remove_dial(&mut self, dial: usize) -> Dial {
        let state = self.dials.remove(dial);
        self.lost_dials.retain(|lost| *lost != dial);
        self.timers.set(Timer::Dial(dial), None);
        self.pools[state.upstream].dials.retain(|other| *other != dial);
        state
    }

    fn set_dial_timer(&mut self, dial: usize) {
        let state = &self.dials[dial];
        let at = state.next_address.map_or(state.over(), |time| time.min(state.over()));
        self.timers.set(Timer::Dial(dial), Some(at));
    }

    /// How far the upstream's dial has come, or came when it failed.
    pub(super) fn dial_progress(&self, upstream: usize) -> (Option<SocketAddr>, Stage) {
        let pool = &self.pools[upstream];
        pool.dials.first().map_or(pool.last_dial, |dial| self.progress(*dial))
    }

    fn progress(&self, dial: usize) -> (Option<SocketAddr>, Stage) {
        let dial = &self.dials[dial];
        let racing = dial.racing.iter().filter_map(|id| self.connections.get(id));
        match racing.max_by_key(|connection| connection.stage) {
            Some(furthest) => (Some(furthest.address), furthest.stage),
            None if dial.tried.is_empty() => (None, Stage::Bootstrap),
            None => self.pools[dial.upstream].last_dial,
        }
    }

    pub(super) fn handshaking(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id)
            && matches!(connection.state, State::Dialing(_))
        {
            connection.stage = Stage::Tls;
        }
    }
}

/// Families interleaved, the last winner first (RFC 8305 Section 4). Without a winner IPv6 goes first.
fn race_order(
    addresses: impl Iterator<Item = SocketAddr>,
    winner: Option<SocketAddr>,
) -> VecDeque<SocketAddr> {
    let (mut ipv6, mut ipv4): (VecDeque<_>, VecDeque<_>) = addresses.partition(SocketAddr::is_ipv6);
    let mut first = Family::Ipv6;
    if let Some(winner) = winner {
        first = if winner.is_ipv6() { Family::Ipv6 } else { Family::Ipv4 };
        let its = if winner.is_ipv6() { &mut ipv6 } else { &mut ipv4 };
        if let Some(query_key) = its.iter().position(|address| *address == winner) {
            its.make_contiguous()[..=query_key].rotate_right(1);
        }
    }
    let mut families = Families::new(ipv6, ipv4);
    std::iter::from_fn(|| families.next(first)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(addresses: &[&str], winner: Option<&str>) -> Vec<String> {
        let parse = |text: &str| text.parse::<SocketAddr>().expect("a test's address");
        race_order(addresses.iter().map(|text| parse(text)), winner.map(parse))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Conformance 45.
    #[test]
    fn families_are_interleaved_and_the_winner_is_remembered() {
        let all = ["1.1.1.1:1", "2.2.2.2:1", "[::1]:1", "[::2]:1", "[::3]:1"];
        assert_eq!(order(&all, None), ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(
            order(&all, Some("2.2.2.2:1")),
            ["2.2.2.2:1", "[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]
        );
    }
}
