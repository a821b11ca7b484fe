//! What came from the peer and is not decoded yet.

/// A queue of octets that are read in place, so that an answer is copied once, into its own allocation.
///
/// It holds one unfinished message of its machine, which has a limit of its own, and what one call of
/// `handle_input` brought.
#[derive(Default)]
pub(super) struct ReceiveBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl ReceiveBuffer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // At most one unfinished message is moved, and once: from then on it begins at 0.
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unread().is_empty()
    }

    /// Takes the next `length` octets, or all if there are fewer.
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start = self.bytes.len().min(start + length);
        &self.bytes[start..self.start]
    }

    /// Octets that are kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.unread().len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }
}
