//! TCP connections to a name, with its addresses raced as they arrive.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use privydns_core::handle::{ConnectStep, Connecting};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::timer::ResettableTimer;

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Connects to the first address that accepts.
pub(crate) async fn connect(connecting: Connecting<'_>) -> io::Result<TcpStream> {
    let mut race = Race { connecting, attempts: Vec::new(), timer: ResettableTimer::default() };
    poll_fn(|context| race.poll(context)).await
}

struct Race<'r> {
    connecting: Connecting<'r>,
    attempts: Vec<Attempt>,
    timer: ResettableTimer,
}

impl Race<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        loop {
            if let Some(winner) = self.poll_attempts(context) {
                return Poll::Ready(Ok(winner));
            }
            match self.connecting.poll(Instant::now().into_std(), context) {
                ConnectStep::Connect(address) => self.attempts.push(Box::pin(TcpStream::connect(address))),
                ConnectStep::Failed(error) => return Poll::Ready(Err(error)),
                ConnectStep::Wait(until) => ready!(self.timer.poll(context, Some(until))),
            }
        }
    }

    fn poll_attempts(&mut self, context: &mut Context<'_>) -> Option<TcpStream> {
        let (connecting, mut winner) = (&mut self.connecting, None);
        self.attempts.retain_mut(|attempt| match attempt.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(tcp)) => {
                winner.get_or_insert(tcp);
                false
            }
            Poll::Ready(Err(error)) => {
                connecting.failed(Instant::now().into_std(), error);
                false
            }
        });
        winner
    }
}
