//! A resettable timer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// Expires at a time that can change between polls.
#[derive(Debug, Default)]
pub(crate) struct ResettableTimer(Option<Pin<Box<Sleep>>>);

impl ResettableTimer {
    /// Ready when `at` has come; pending for ever without a time.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        let Some(at) = at else {
            self.0 = None;
            return Poll::Pending;
        };
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at.into())));
        if sleep.deadline() != at.into() {
            sleep.as_mut().reset(at.into());
        }
        sleep.as_mut().poll(context)
    }
}
