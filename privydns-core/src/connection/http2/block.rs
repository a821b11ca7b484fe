//! A field block that spans several frames (RFC 9113 Section 4.3).

use super::error::H2Error;
use super::limits::{MAX_CONTINUATIONS, MAX_FIELD_BLOCK};

/// The HEADERS whose CONTINUATION frames are awaited, and the payload so far.
#[derive(Debug, Default)]
pub(super) struct FieldBlock {
    stream: Option<u32>,
    is_end_of_stream: bool,
    continuations: u32,
    fragments: Vec<u8>,
}

impl FieldBlock {
    /// The stream that the next frame must continue.
    pub(super) fn stream(&self) -> Option<u32> {
        self.stream
    }

    /// Begins with a HEADERS frame that does not end the block.
    pub(super) fn begin(&mut self, stream: u32, is_end_of_stream: bool, fragment: &[u8]) {
        self.fragments.clear();
        self.fragments.extend_from_slice(fragment);
        (self.stream, self.is_end_of_stream, self.continuations) = (Some(stream), is_end_of_stream, 0);
    }

    pub(super) fn add(&mut self, fragment: &[u8]) -> Result<(), H2Error> {
        self.continuations += 1;
        if self.continuations > MAX_CONTINUATIONS {
            return Err(H2Error::too_much("too many CONTINUATION frames"));
        }
        if self.fragments.len() + fragment.len() > MAX_FIELD_BLOCK {
            return Err(H2Error::too_much("a field block over the limit"));
        }
        self.fragments.extend_from_slice(fragment);
        Ok(())
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.fragments.len()
    }

    /// Completes the block. Returns whether the block ends the stream, and the payload.
    pub(super) fn finish(&mut self) -> (bool, Vec<u8>) {
        self.stream = None;
        (self.is_end_of_stream, std::mem::take(&mut self.fragments))
    }
}
