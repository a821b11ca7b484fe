use std::task::Waker;

use super::*;
use crate::error::RuntimeError;
use crate::shared::Shared;
use crate::testkit::{epoch, ms};
use crate::{Config, ErrorKind};

fn handle() -> Handle {
    let upstream = "tls://192.0.2.1#dns.example".parse().expect("an upstream");
    let config = Config::builder().upstream(upstream).build().expect("a configuration");
    Handle::new(Shared::new(config, [7; 32]), |_| Err(RuntimeError::NoRuntime.into()))
}

fn step(connecting: &mut Connecting<'_>, now: Instant) -> ConnectStep {
    connecting.poll(now, &mut Context::from_waker(Waker::noop()))
}

/// The address to connect to; panics at any other step.
fn attempt(step: &ConnectStep) -> &SocketAddr {
    let ConnectStep::Connect(address) = step else { panic!("{step:?}") };
    address
}

fn failure(step: ConnectStep) -> io::Error {
    let ConnectStep::Failed(error) = step else { panic!("{step:?}") };
    error
}

fn wait(step: &ConnectStep) -> Instant {
    let ConnectStep::Wait(until) = step else { panic!("{step:?}") };
    *until
}

/// Conformance 45.
#[test]
fn attempts_are_250_ms_apart_or_follow_a_failure_immediately() {
    let (handle, start) = (handle(), epoch());
    let mut connecting = handle.connect(start, "localhost", 80).unwrap();
    assert_eq!(attempt(&step(&mut connecting, start)).to_string(), "[::1]:80");
    assert_eq!(wait(&step(&mut connecting, start)), start + ms(250));
    assert_eq!(wait(&step(&mut connecting, start + ms(249))), start + ms(250));
    assert_eq!(attempt(&step(&mut connecting, start + ms(250))).to_string(), "127.0.0.1:80");
    // There are no further addresses.
    assert_eq!(wait(&step(&mut connecting, start + ms(500))), start + CONNECT_LIMIT);

    let mut connecting = handle.connect(start, "localhost", 80).unwrap();
    attempt(&step(&mut connecting, start));
    connecting.failed(start + ms(1), io::ErrorKind::ConnectionRefused.into());
    assert_eq!(attempt(&step(&mut connecting, start + ms(1))).to_string(), "127.0.0.1:80");
}

#[test]
fn reported_failure_is_of_a_reachable_address() {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NetworkUnreachable};
    for (failures, told) in [
        ([NetworkUnreachable, ConnectionRefused], ConnectionRefused),
        ([ConnectionRefused, NetworkUnreachable], ConnectionRefused),
        ([ConnectionRefused, ConnectionReset], ConnectionRefused),
        ([NetworkUnreachable, NetworkUnreachable], NetworkUnreachable),
    ] {
        let (handle, start) = (handle(), epoch());
        let mut connecting = handle.connect(start, "localhost", 80).unwrap();
        for failure in failures {
            attempt(&step(&mut connecting, start));
            connecting.failed(start, failure.into());
        }
        assert_eq!(failure(step(&mut connecting, start)).kind(), told);
    }
}

#[test]
fn name_without_addresses_fails_like_its_lookup() {
    let (handle, start) = (handle(), epoch());
    let error = failure(step(&mut handle.connect(start, "hidden.onion", 80).unwrap(), start));
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).unwrap();
    assert!(matches!(inner.kind(), ErrorKind::SpecialUse("onion")));

    let error = handle.connect(start, "not..a.name", 80).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn connecting_is_given_up_after_the_limit() {
    let (handle, start) = (handle(), epoch());
    let mut connecting = handle.connect(start, "127.0.0.1", 80).unwrap();
    assert_eq!(attempt(&step(&mut connecting, start)).to_string(), "127.0.0.1:80");
    let limit = wait(&step(&mut connecting, start + ms(250)));
    assert_eq!(failure(step(&mut connecting, limit)).kind(), io::ErrorKind::TimedOut);
}
