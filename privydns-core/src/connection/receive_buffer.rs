//! Received bytes that have not been decoded.

/// A queue of bytes that are decoded in place, so that an answer is copied once: into the allocation that the caller
/// keeps.
///
/// After a drain the buffer contains at most one incomplete message, whose length the machine limits. A call of
/// `handle_input` adds the bytes of that call.
#[derive(Default)]
pub(super) struct ReceiveBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl ReceiveBuffer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // At most one incomplete message is moved, and only once: afterwards the message begins at 0.
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

    /// Takes the next `length` bytes, or all if there are fewer.
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start = self.bytes.len().min(start + length);
        &self.bytes[start..self.start]
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.unread().len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }
}
