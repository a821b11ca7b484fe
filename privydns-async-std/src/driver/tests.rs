use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Wake;

use privydns_core::engine::Shared;
use privydns_core::handle::Handle;
use privydns_core::{Config, Error};

use super::*;

thread_local! {
    static DRIVER: RefCell<Option<Driver>> = const { RefCell::new(None) };
}

#[expect(clippy::unnecessary_wraps, reason = "a start can fail, and this one does not")]
fn start(inbox: Inbox) -> Result<(), Error> {
    DRIVER.replace(Some(Driver::new(inbox, [0; 32])));
    Ok(())
}

#[derive(Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Neither async-std nor smol takes the thread from a task that always has something to do.
#[test]
fn flood_of_data_yields_to_the_executor() {
    // Nobody listens there.
    let upstream = "tls://127.0.0.1:1#dns.example".parse().expect("an upstream");
    let config = Config::builder().upstream(upstream).build().expect("a configuration");
    let handle = Handle::new(Shared::new(config, [0; 32]), start);
    handle.warm_up().expect("not closed");
    let mut driver = DRIVER.take().expect("it was started");
    for _ in 0..=INPUTS_A_ROUND {
        handle.network_changed();
    }
    let flag = Arc::new(WakeFlag::default());
    let waker = flag.clone().into();
    let mut context = Context::from_waker(&waker);
    assert!(Pin::new(&mut driver).poll(&mut context).is_pending());
    assert!(driver.inbox.poll_input(&mut context).is_ready(), "there is more to do");
    assert!(flag.0.load(Relaxed), "the driver asks to be polled again");
}
