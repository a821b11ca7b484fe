//! Flow control (RFC 9113 Sections 5.2 and 6.9).

use super::frame::MAX_31_BITS;

/// The window for data sent by this side.
#[derive(Clone, Copy, Debug)]
pub(super) struct SendWindow(i64);

/// A window beyond 2^31-1 (RFC 9113 Section 6.9.1).
#[derive(Debug)]
pub(super) struct Overflow;

impl SendWindow {
    pub(super) fn new(size: u32) -> Self {
        Self(size.into())
    }

    /// Also 0 if the server has reduced the window below what was used already (RFC 9113 Section 6.9.2).
    pub(super) fn available(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    /// Uses a part of the window.
    pub(super) fn spend(&mut self, octets: usize) {
        debug_assert!(octets <= self.available());
        self.0 -= i64::try_from(octets).unwrap_or(i64::MAX);
    }

    /// Grows by the increment of a `WINDOW_UPDATE`, or moves by a change of the initial size.
    pub(super) fn shift(&mut self, by: i64) -> Result<(), Overflow> {
        self.0 += by;
        if self.0 > MAX_31_BITS.into() { Err(Overflow) } else { Ok(()) }
    }
}

/// The window for data sent by the server, and the credit returned to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReceiveWindow {
    left: u32,
    /// Credit that is free again and has not been returned.
    free: u32,
}

impl ReceiveWindow {
    pub(super) fn new(size: u32) -> Self {
        Self { left: size, free: 0 }
    }

    /// The server sent this much. The credit is free again at once, unless the data is [held](Self::hold).
    pub(super) fn receive(&mut self, octets: usize) -> Result<(), Overflow> {
        let octets = u32::try_from(octets).map_err(|_| Overflow)?;
        self.left = self.left.checked_sub(octets).ok_or(Overflow)?;
        self.free += octets;
        Ok(())
    }

    /// This much of the data just received is held.
    pub(super) fn hold(&mut self, octets: usize) {
        self.free = self.free.saturating_sub(u32::try_from(octets).unwrap_or(u32::MAX));
    }

    /// This much of the held data was released.
    pub(super) fn release(&mut self, octets: usize) {
        self.free += u32::try_from(octets).unwrap_or(0);
    }

    /// Returns the free credit once it is as much as the remaining window: seldom while the window is wide, and at once
    /// when the window is exhausted.
    pub(super) fn credit(&mut self) -> Option<u32> {
        if self.free == 0 || self.free < self.left {
            return None;
        }
        let credit = std::mem::take(&mut self.free);
        self.left += credit;
        Some(credit)
    }
}
