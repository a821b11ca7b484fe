//! Queries that were lost together more than once: one of them may be what the server drops its connections for.
//!
//! Servers close a connection for one query that they do not want to answer (Unbound does), and whatever else was on
//! its way there is lost. Sent again all together, it is lost again. So from the third time on only one of those is
//! on its way at any time: the others are answered, and the culprit is lost alone.

use super::Engine;
use super::attempt::Attempt;
use crate::connection::Key;

impl Engine {
    /// Puts an attempt in line for a connection.
    pub(super) fn enqueue(&mut self, key: Key) {
        let Some(attempt) = self.attempts.get(key) else { return };
        let (flight, upstream) = (attempt.flight, attempt.upstream);
        let is_quarantined = self.flights[flight].plan.is_quarantined(upstream);
        let pool = &mut self.pools[upstream];
        if is_quarantined && *pool.on_trial.get_or_insert(key) != key {
            pool.quarantined.insert(key);
        } else {
            pool.waiting.insert(key);
            self.dispatch_soon(upstream);
        }
    }

    /// Forgets an attempt that is over. If it was a suspect, it is the turn of the next.
    pub(super) fn forget_attempt(&mut self, key: Key) -> Option<Attempt> {
        let attempt = self.attempts.remove(key)?;
        let pool = &mut self.pools[attempt.upstream];
        pool.waiting.remove(&key);
        pool.quarantined.remove(&key);
        if pool.on_trial == Some(key) {
            pool.on_trial = pool.quarantined.pop_first();
            pool.waiting.extend(pool.on_trial);
            self.dispatch_soon(attempt.upstream);
        }
        Some(attempt)
    }
}
