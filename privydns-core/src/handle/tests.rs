#![expect(clippy::unnecessary_wraps, reason = "the signature of a start, which these never fail")]

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::Wake;

use super::*;
use crate::testkit::epoch;
use crate::{Config, RecordType};

thread_local! {
    /// The inboxes of the running drivers.
    static DRIVERS: RefCell<Vec<Inbox>> = const { RefCell::new(Vec::new()) };
    static STARTS: Cell<usize> = const { Cell::new(0) };
}

fn start(inbox: Inbox) -> Result<(), Error> {
    STARTS.set(STARTS.get() + 1);
    DRIVERS.with_borrow_mut(|drivers| drivers.push(inbox));
    Ok(())
}

/// Like a runtime that is shutting down: accepts the task and drops it.
fn start_and_drop(inbox: Inbox) -> Result<(), Error> {
    STARTS.set(STARTS.get() + 1);
    drop(inbox);
    Ok(())
}

fn fail_to_start(_: Inbox) -> Result<(), Error> {
    Err(RuntimeError::NoRuntime.into())
}

fn handle(start: Start) -> Handle {
    let upstream = "tls://192.0.2.1#dns.example".parse().expect("an upstream");
    let config = Config::builder().upstream(upstream).build().expect("a configuration");
    Handle::new(Shared::new(config, [7; 32]), start)
}

fn query(name: &str) -> Query {
    Query::new(name, RecordType::A).expect("a name")
}

fn answer() -> Answer {
    crate::message::local_answer(&query("localhost")).expect("a local answer")
}

fn driver() -> Inbox {
    DRIVERS.with_borrow_mut(Vec::pop).expect("a driver was started")
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn inputs(inbox: &mut Inbox) -> Vec<Input<'static>> {
    let mut context = Context::from_waker(Waker::noop());
    std::iter::from_fn(|| match inbox.poll_input(&mut context) {
        Poll::Ready(input) => Some(input),
        Poll::Pending => None,
    })
    .collect()
}

fn kind(result: Poll<Result<Answer, Error>>) -> ErrorKind {
    match result {
        Poll::Ready(Err(error)) => error.kind().clone(),
        other => panic!("not an error: {other:?}"),
    }
}

fn driver_done(inbox: &mut Inbox, id: u64) {
    inbox.done(LookupId(id), Ok(answer()));
}

#[derive(Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl WakeFlag {
    fn was_woken(&self) -> bool {
        self.0.swap(false, Relaxed)
    }
}

#[test]
fn first_miss_starts_the_driver_and_the_next_wakes_it() {
    let handle = handle(start);
    let first = handle.begin(epoch(), query("one.example"));
    let mut inbox = driver();
    assert!(matches!(inputs(&mut inbox)[..], [Input::Miss { id: LookupId(1), .. }]));

    let flag = Arc::new(WakeFlag::default());
    assert!(inbox.poll_input(&mut Context::from_waker(&flag.clone().into())).is_pending());
    let second = handle.begin(epoch(), query("two.example"));
    assert!(flag.was_woken());
    let third = handle.begin(epoch(), query("three.example"));
    assert!(!flag.was_woken(), "the driver is awake already");
    assert!(matches!(
        inputs(&mut inbox)[..],
        [Input::Miss { id: LookupId(2), .. }, Input::Miss { id: LookupId(3), .. }]
    ));
    assert_eq!(STARTS.get(), 1);
    drop((first, second, third));
}

#[test]
fn local_answers_need_no_driver() {
    let handle = handle(fail_to_start);
    let mut known = handle.begin(epoch(), query("localhost"));
    assert!(matches!(poll(Pin::new(&mut known)), Poll::Ready(Ok(_))));
    let mut refused = handle.begin(epoch(), query("hidden.onion"));
    assert!(matches!(kind(poll(Pin::new(&mut refused))), ErrorKind::SpecialUse(_)));
    let transfer = Query::new("example.com", RecordType::AXFR).expect("a name");
    let mut refused = handle.begin(epoch(), transfer);
    assert!(matches!(kind(poll(Pin::new(&mut refused))), ErrorKind::MetaType(252)));
}

#[test]
fn result_wakes_only_its_caller() {
    let handle = handle(start);
    let (mine, theirs) = (Arc::new(WakeFlag::default()), Arc::new(WakeFlag::default()));
    let mut first = handle.begin(epoch(), query("one.example"));
    let mut second = handle.begin(epoch(), query("two.example"));
    assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&mine.clone().into())).is_pending());
    assert!(Pin::new(&mut second).poll(&mut Context::from_waker(&theirs.clone().into())).is_pending());
    let mut inbox = driver();
    driver_done(&mut inbox, 1);
    assert!(mine.was_woken() && !theirs.was_woken());
    assert!(matches!(poll(Pin::new(&mut first)), Poll::Ready(Ok(_))));
}

#[test]
fn dropping_a_lookup_cancels_it_unless_it_has_a_result() {
    let handle = handle(start);
    let dropped = handle.begin(epoch(), query("one.example"));
    let answered = handle.begin(epoch(), query("two.example"));
    let mut inbox = driver();
    drop(dropped);
    driver_done(&mut inbox, 2);
    drop(answered);
    // A result for a dropped lookup is ignored.
    driver_done(&mut inbox, 1);
    assert!(matches!(
        inputs(&mut inbox)[..],
        [Input::Miss { .. }, Input::Miss { .. }, Input::Cancel(LookupId(1))]
    ));
    assert!(handle.mailbox.lock().lookups.is_empty());
}

#[test]
fn lookup_fails_if_the_driver_cannot_start() {
    let handle = handle(fail_to_start);
    let mut lookup = handle.begin(epoch(), query("one.example"));
    assert_eq!(kind(poll(Pin::new(&mut lookup))), RuntimeError::NoRuntime.into());
    assert!(handle.mailbox.lock().lookups.is_empty());
}

#[test]
fn new_driver_continues_the_lookups_of_a_lost_one() {
    let handle = handle(start);
    let flag = Arc::new(WakeFlag::default());
    let mut first = handle.begin(epoch(), query("one.example"));
    let mut second = handle.begin(epoch(), query("two.example"));
    assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&flag.clone().into())).is_pending());
    let mut lost = driver();
    assert_eq!(inputs(&mut lost).len(), 2);
    drop(lost);
    assert!(flag.was_woken());
    assert_eq!(STARTS.get(), 1, "a driver is started only where a lookup is polled");

    assert!(poll(Pin::new(&mut first)).is_pending());
    assert!(poll(Pin::new(&mut second)).is_pending());
    assert_eq!(STARTS.get(), 2);
    let mut next = driver();
    assert_eq!(inputs(&mut next).len(), 2);
    driver_done(&mut next, 2);
    assert!(matches!(poll(Pin::new(&mut second)), Poll::Ready(Ok(_))));
}

/// A runtime that shuts down drops its tasks in any order.
#[test]
fn lookup_dropped_after_its_driver_is_not_restarted() {
    let handle = handle(start);
    let dropped = handle.begin(epoch(), query("one.example"));
    drop(driver());
    drop(dropped);
    let _lookup = handle.begin(epoch(), query("two.example"));
    assert!(matches!(inputs(&mut driver())[..], [Input::Miss { id: LookupId(2), .. }]));
}

/// A runtime that shuts down accepts tasks and drops them. A lookup must not loop in this case.
#[test]
fn lookup_fails_after_losing_two_drivers() {
    let handle = handle(start_and_drop);
    let mut lookup = handle.begin(epoch(), query("one.example"));
    assert!(poll(Pin::new(&mut lookup)).is_pending());
    assert_eq!(kind(poll(Pin::new(&mut lookup))), RuntimeError::ShutDown.into());
    assert_eq!(STARTS.get(), 2);
    assert!(handle.mailbox.lock().lookups.is_empty());
}

#[test]
fn close_returns_when_the_driver_has_ended() {
    let handle = handle(start);
    let mut lookup = handle.begin(epoch(), query("one.example"));
    let mut inbox = driver();
    let mut close = pin!(handle.close());
    let flag = Arc::new(WakeFlag::default());
    assert!(close.as_mut().poll(&mut Context::from_waker(&flag.clone().into())).is_pending());
    assert!(matches!(inputs(&mut inbox)[..], [Input::Miss { .. }, Input::Close]));
    inbox.done(LookupId(1), Err(ErrorKind::Closed.into()));
    assert!(poll(close.as_mut()).is_pending());
    drop(inbox);
    assert!(flag.was_woken());
    assert!(poll(close.as_mut()).is_ready());
    assert!(matches!(kind(poll(Pin::new(&mut lookup))), ErrorKind::Closed));

    // After this, every lookup fails, cached or not, and no driver is started.
    for name in ["two.example", "localhost"] {
        assert!(matches!(kind(poll(Pin::new(&mut handle.begin(epoch(), query(name))))), ErrorKind::Closed));
    }
    assert!(poll(pin!(handle.close())).is_ready());
    assert_eq!(STARTS.get(), 1);
}

#[test]
fn close_ends_lookups_without_a_driver() {
    let handle = handle(start);
    let mut before_close = handle.begin(epoch(), query("one.example"));
    drop(driver());
    assert!(poll(pin!(handle.close())).is_ready());
    assert!(matches!(kind(poll(Pin::new(&mut before_close))), ErrorKind::Closed));

    let handle = self::handle(start);
    let mut during_close = handle.begin(epoch(), query("one.example"));
    let mut close = pin!(handle.close());
    assert!(poll(close.as_mut()).is_pending());
    drop(driver());
    assert!(poll(close.as_mut()).is_ready());
    assert!(matches!(kind(poll(Pin::new(&mut during_close))), ErrorKind::Closed));
}

#[test]
fn network_change_starts_no_driver_and_is_passed_to_the_next() {
    let handle = handle(start);
    handle.network_changed();
    handle.network_changed();
    assert_eq!(STARTS.get(), 0);
    handle.warm_up().expect("not closed");
    let mut inbox = driver();
    assert!(matches!(inputs(&mut inbox)[..], [Input::NetworkChanged, Input::WarmUp]));
    handle.network_changed();
    assert!(matches!(inputs(&mut inbox)[..], [Input::NetworkChanged]));
}

#[test]
fn dropping_the_handle_closes_the_driver() {
    let handle = handle(start);
    drop(handle.begin(epoch(), query("one.example")));
    let mut inbox = driver();
    let flag = Arc::new(WakeFlag::default());
    assert_eq!(inputs(&mut inbox).len(), 2);
    assert!(inbox.poll_input(&mut Context::from_waker(&flag.clone().into())).is_pending());
    drop(handle);
    assert!(flag.was_woken());
    assert!(matches!(inputs(&mut inbox)[..], [Input::Close]));
}

/// An executor may drop a task, and a lookup with it, while a waker is called.
#[test]
fn wakers_are_called_and_dropped_without_the_lock() {
    struct Dropping(Mutex<Option<Lookup<'static>>>);
    impl Wake for Dropping {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().expect("not poisoned").take());
        }
    }
    let handle: &'static Handle = Box::leak(Box::new(handle(start)));
    let dropping = || -> Waker {
        let lookup = handle.begin(epoch(), query("held.example"));
        Arc::new(Dropping(Mutex::new(Some(lookup)))).into()
    };
    // Dropped by the result, by replacement with another waker, and by dropping the lookup.
    let mut lookup = handle.begin(epoch(), query("one.example"));
    let mut inbox = driver();
    assert!(Pin::new(&mut lookup).poll(&mut Context::from_waker(&dropping())).is_pending());
    driver_done(&mut inbox, 1);
    let mut lookup = handle.begin(epoch(), query("two.example"));
    assert!(Pin::new(&mut lookup).poll(&mut Context::from_waker(&dropping())).is_pending());
    assert!(poll(Pin::new(&mut lookup)).is_pending());
    assert!(Pin::new(&mut lookup).poll(&mut Context::from_waker(&dropping())).is_pending());
    drop(lookup);
    // Dropped with the driver's waker, and at the loss of the driver.
    inputs(&mut inbox);
    assert!(inbox.poll_input(&mut Context::from_waker(&dropping())).is_ready());
    inputs(&mut inbox);
    let asleep = dropping();
    inputs(&mut inbox);
    assert!(inbox.poll_input(&mut Context::from_waker(&asleep)).is_pending());
    drop(asleep);
    let mut lookup = handle.begin(epoch(), query("three.example"));
    assert!(Pin::new(&mut lookup).poll(&mut Context::from_waker(&dropping())).is_pending());
    drop(inbox);
    assert!(!handle.mailbox.lock().lookups.is_empty());
}
