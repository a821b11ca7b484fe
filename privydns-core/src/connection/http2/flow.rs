//! Flow control (RFC 9113 Sections 5.2 and 6.9).

use super::frame::MAX_31_BITS;

/// How much this side may send.
#[derive(Clone, Copy, Debug)]
pub(super) struct SendWindow(i64);

/// A window beyond 2^31-1 (RFC 9113 Section 6.9.1).
#[derive(Debug)]
pub(super) struct Overflow;

impl SendWindow {
    pub(super) fn new(size: u32) -> Self {
        Self(size.into())
    }

    /// 0 also where the server took back what was used already (RFC 9113 Section 6.9.2).
    pub(super) fn available(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    /// Uses up some of what is available.
    pub(super) fn spend(&mut self, octets: usize) {
        debug_assert!(octets <= self.available());
        self.0 -= i64::try_from(octets).unwrap_or(i64::MAX);
    }

    /// Grows by what a `WINDOW_UPDATE` says, or moves by what a change of the initial size says.
    pub(super) fn shift(&mut self, by: i64) -> Result<(), Overflow> {
        self.0 += by;
        if self.0 > MAX_31_BITS.into() { Err(Overflow) } else { Ok(()) }
    }
}

/// How much the server may send, and what it gets back for what it has sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReceiveWindow {
    left: u32,
    /// What was used and is free again, but not yet given back.
    free: u32,
}

impl ReceiveWindow {
    pub(super) fn new(size: u32) -> Self {
        Self { left: size, free: 0 }
    }

    /// The server sent this much. It is free again at once, unless it is [held](Self::hold).
    pub(super) fn receive(&mut self, octets: usize) -> Result<(), Overflow> {
        let octets = u32::try_from(octets).map_err(|_| Overflow)?;
        self.left = self.left.checked_sub(octets).ok_or(Overflow)?;
        self.free += octets;
        Ok(())
    }

    /// This much of what was just received is kept.
    pub(super) fn hold(&mut self, octets: usize) {
        self.free = self.free.saturating_sub(u32::try_from(octets).unwrap_or(u32::MAX));
    }

    /// This much of what was kept is kept no longer.
    pub(super) fn release(&mut self, octets: usize) {
        self.free += u32::try_from(octets).unwrap_or(0);
    }

    /// Gives back what is free, once it is as much as is left: seldom while the window is wide, and at once
    /// when it is shut.
    pub(super) fn credit(&mut self) -> Option<u32> {
        if self.free == 0 || self.free < self.left {
            return None;
        }
        let credit = std::mem::take(&mut self.free);
        self.left += credit;
        Some(credit)
    }
}
