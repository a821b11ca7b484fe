//! Faults of HTTP/2 frames (RFC 9113).

use crate::frame::Frame;

/// A fault in the frames of one response. The `h2` crate writes the response, and the fault changes the frames
/// that `h2` wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http2Fault {
    /// A GOAWAY frame (RFC 9113 Section 6.8). Responses on streams above the last stream of the frame are not
    /// sent.
    GoAway {
        /// The position among the frames of the response.
        moment: Moment,
        /// The last stream that the frame reports as processed.
        last: LastStream,
        /// The error code.
        code: u32,
    },
    /// A `RST_STREAM` frame (RFC 9113 Section 6.4). The rest of the response is not sent.
    ResetStream {
        /// The position among the frames of the response.
        moment: Moment,
        /// The error code.
        code: u32,
    },
    /// An additional frame of any kind. [`Frame::THIS_STREAM`] stands for the stream of the response.
    Insert(Moment, Frame),
    /// The body is sent in DATA frames of this many bytes. 0 sends an empty DATA frame before the body.
    DataFrames(usize),
    /// The header block is sent in a HEADERS frame of this many bytes and as many CONTINUATION frames as
    /// necessary.
    Continuation(usize),
    /// HEADERS and DATA frames have this many bytes of padding.
    Padding(u8),
    /// The HEADERS frame has priority fields (RFC 9113 Section 6.2).
    Priority,
}

impl Http2Fault {
    /// A `RST_STREAM` with `REFUSED_STREAM` in place of the response: the query was not processed and can be
    /// retried.
    pub fn refused() -> Self {
        Self::ResetStream { moment: Moment::Instead, code: 7 }
    }

    /// Whether the fault removes the whole response on this stream.
    pub(crate) fn cuts_all(&self, stream: u32) -> bool {
        match self {
            Self::ResetStream { moment: Moment::Before, .. } => true,
            Self::GoAway { moment: Moment::Before, last, .. } => last.seen_from(stream) < stream,
            _ => self.moment() == Some(Moment::Instead),
        }
    }

    /// Whether the fault removes the second half of the body.
    pub(crate) fn cuts_body(&self, stream: u32) -> bool {
        match self {
            Self::ResetStream { moment: Moment::During, .. } => true,
            Self::GoAway { moment: Moment::During, last, .. } => last.seen_from(stream) < stream,
            _ => false,
        }
    }

    /// The position of the inserted frame, if the fault inserts one.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            Self::GoAway { moment, .. } | Self::ResetStream { moment, .. } | Self::Insert(moment, _) => {
                Some(*moment)
            }
            _ => None,
        }
    }
}

/// A position among the frames of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// Before the HEADERS frame.
    Before,
    /// In place of the whole response.
    Instead,
    /// After half of the first DATA frame.
    During,
    /// After the last frame.
    After,
}

/// The last stream of a GOAWAY frame, relative to the stream of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastStream {
    /// 0: no stream was processed.
    None,
    /// The client's previous stream: the stream of the response was not processed.
    Previous,
    /// The stream of the response.
    This,
    /// The largest stream identifier: another GOAWAY will follow.
    Any,
}

impl LastStream {
    pub(crate) fn seen_from(self, stream: u32) -> u32 {
        match self {
            Self::None => 0,
            Self::Previous => stream.saturating_sub(2),
            Self::This => stream,
            Self::Any => 0x7fff_ffff,
        }
    }
}
