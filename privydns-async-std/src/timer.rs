//! A resettable timer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use async_io::Timer;

/// Expires at a time that can change between polls.
#[derive(Debug, Default)]
pub(crate) struct ResettableTimer(Option<(Instant, Timer)>);

impl ResettableTimer {
    /// Ready when `at` has come; pending for ever without a time.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        let Some(at) = at else {
            self.0 = None;
            return Poll::Pending;
        };
        let (set_to, timer) = self.0.get_or_insert_with(|| (at, Timer::at(at)));
        if *set_to != at {
            timer.set_at(at);
            *set_to = at;
        }
        ready!(Pin::new(timer).poll(context));
        self.0 = None;
        Poll::Ready(())
    }
}
