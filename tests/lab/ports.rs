//! The allocation of ports. Several labs can run at the same time on one machine.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// The first port, below the range that the kernel assigns to clients.
const FIRST: u16 = 20_000;
/// The number of ports in a block. Each lab uses one block.
const BLOCK: u16 = 2_000;
const BLOCKS: u16 = 6;

/// A block of ports. A listener on the first port marks the block as in use.
#[derive(Debug)]
pub(crate) struct Ports {
    block: u16,
    _claim: TcpListener,
    next: AtomicU16,
}

impl Ports {
    /// Allocates a block that no other lab uses.
    pub(crate) fn claim() -> Option<Self> {
        (0..BLOCKS).map(|number| FIRST + number * BLOCK).find_map(|block| {
            let claim = TcpListener::bind((Ipv4Addr::LOCALHOST, block)).ok()?;
            Some(Self { block, _claim: claim, next: AtomicU16::new(block + 1) })
        })
    }

    /// The first port of the block, which identifies the block.
    pub(crate) fn block(&self) -> u16 {
        self.block
    }

    /// Returns a free port of the block. No port is returned twice.
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
