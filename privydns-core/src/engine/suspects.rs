//! Queries that were lost together more than once: one of them may be what the server drops its connections for.
//!
//! Servers close a connection for one query that they do not want to answer (Unbound does), and whatever else was on
//! its way there is lost. Sent again all together, it is lost again. So from the third time on only one of those is
//! on its way at any time: the others are answered, and the culprit is lost alone.

use super::Engine;
use super::exchange::Exchange;
use crate::connection::Key;

impl Engine {
    /// Puts an attempt in line for a connection.
    pub(super) fn stand_in_line(&mut self, key: Key) {
        let Some(exchange) = self.exchanges.get(key) else { return };
        let (flight, upstream) = (exchange.flight, exchange.upstream);
        let is_suspect = self.flights[flight].plan.is_suspect(upstream);
        let pool = &mut self.pools[upstream];
        if is_suspect && *pool.suspect.get_or_insert(key) != key {
            pool.suspects.insert(key);
        } else {
            pool.waiting.insert(key);
            self.pump_soon(upstream);
        }
    }

    /// Forgets an attempt that is over. If it was a suspect, it is the turn of the next.
    pub(super) fn forget_exchange(&mut self, key: Key) -> Option<Exchange> {
        let exchange = self.exchanges.remove(key)?;
        let pool = &mut self.pools[exchange.upstream];
        pool.waiting.remove(&key);
        pool.suspects.remove(&key);
        if pool.suspect == Some(key) {
            pool.suspect = pool.suspects.pop_first();
            pool.waiting.extend(pool.suspect);
            self.pump_soon(exchange.upstream);
        }
        Some(exchange)
    }
}
