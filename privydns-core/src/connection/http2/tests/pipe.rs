//! A minimal runtime for `h2` in memory: a pipe, and tasks that are polled in turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

type Octets = Rc<RefCell<VecDeque<u8>>>;

/// One end of a pipe of unlimited length.
pub(super) struct End {
    incoming: Octets,
    outgoing: Octets,
}

pub(super) fn pipe() -> (End, End) {
    let (one, other) = (Octets::default(), Octets::default());
    (End { incoming: one.clone(), outgoing: other.clone() }, End { incoming: other, outgoing: one })
}

impl End {
    pub(super) fn write(&self, octets: &[u8]) {
        self.outgoing.borrow_mut().extend(octets);
    }

    pub(super) fn read(&self) -> Vec<u8> {
        self.incoming.borrow_mut().drain(..).collect()
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut incoming = self.incoming.borrow_mut();
        let length = incoming.len().min(buffer.remaining());
        if length == 0 {
            return Poll::Pending;
        }
        buffer.put_slice(&incoming.drain(..length).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.write(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Tasks without wakers: each call of [`poll`](Self::poll) polls all of them.
#[derive(Clone, Default)]
pub(super) struct Tasks {
    running: Rc<RefCell<Vec<Task>>>,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Tasks {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.running.borrow_mut().push(Box::pin(task));
    }

    /// Polls every task once; tasks spawned during the call are polled by the next call.
    pub(super) fn poll(&self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut tasks = self.running.take();
        tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
        self.running.borrow_mut().splice(0..0, tasks);
    }
}

/// Polls all tasks this many times.
pub(super) async fn pause(mut rounds: usize) {
    std::future::poll_fn(|_| {
        if rounds == 0 {
            return Poll::Ready(());
        }
        rounds -= 1;
        Poll::Pending
    })
    .await;
}
