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

    /// The number of bytes that may be sent. 0 also if the server has reduced the window below what was used already
    /// (RFC 9113 Section 6.9.2).
    pub(super) fn available(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    /// Subtracts sent bytes from the window.
    pub(super) fn spend(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.available());
        self.0 -= i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// Grows by the increment of a `WINDOW_UPDATE`, or moves by a change of the initial size.
    pub(super) fn shift(&mut self, by: i64) -> Result<(), Overflow> {
        self.0 += by;
        if self.0 > MAX_31_BITS.into() { Err(Overflow) } else { Ok(()) }
    }
}

/// The window for data sent by the server, and the credit that is returned to the server.
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

    /// Subtracts received bytes from the window. Their credit is free again at once, unless the data is
    /// [held](Self::hold).
    pub(super) fn receive(&mut self, bytes: usize) -> Result<(), Overflow> {
        let bytes = u32::try_from(bytes).map_err(|_| Overflow)?;
        self.left = self.left.checked_sub(bytes).ok_or(Overflow)?;
        self.free += bytes;
        Ok(())
    }

    /// Takes back the credit of received bytes that are kept.
    pub(super) fn hold(&mut self, bytes: usize) {
        self.free = self.free.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Frees the credit of kept bytes that were dropped.
    pub(super) fn release(&mut self, bytes: usize) {
        self.free += u32::try_from(bytes).unwrap_or(0);
    }

    /// Takes the free credit once the credit is at least the remaining window: seldom while the window is wide, and at
    /// once when the window is exhausted.
    pub(super) fn credit(&mut self) -> Option<u32> {
        if self.free == 0 || self.free < self.left {
            return None;
        }
        let credit = std::mem::take(&mut self.free);
        self.left += credit;
        Some(credit)
    }
}
