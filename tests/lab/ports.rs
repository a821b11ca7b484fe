//! Ports for the servers, so that two labs at the same time do not get in each other's way.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// Where ports are taken from: below those that the kernel gives to clients.
const FIRST: u16 = 20_000;
/// A lab takes a block of so many.
const BLOCK: u16 = 2_000;
const BLOCKS: u16 = 6;

/// A block of ports. The first of it is listened on, which says that the block is taken.
#[derive(Debug)]
pub(crate) struct Ports {
    block: u16,
    _claim: TcpListener,
    next: AtomicU16,
}

impl Ports {
    /// Takes a block that no other lab has.
    pub(crate) fn claim() -> Option<Self> {
        (0..BLOCKS).map(|number| FIRST + number * BLOCK).find_map(|block| {
            let claim = TcpListener::bind((Ipv4Addr::LOCALHOST, block)).ok()?;
            Some(Self { block, _claim: claim, next: AtomicU16::new(block + 1) })
        })
    }

    /// What the block is called by.
    pub(crate) fn block(&self) -> u16 {
        self.block
    }

    /// A port of the block that nobody listens on. No port is given twice.
    pub(crate) fn next(&self) -> u16 {
        loop {
            let port = self.next.fetch_add(1, Relaxed);
            assert!(port < self.block + BLOCK, "the lab has more servers than ports");
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return port;
            }
        }
    }
}
