//! What goes wrong with HTTP/2 frames (RFC 9113).

use crate::frame::Frame;

/// What is wrong with the frames of one response. The response itself is made by the `h2` crate; these change
/// what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http2Fault {
    /// A GOAWAY (RFC 9113 Section 6.8). Responses on streams above its last one are not sent any more.
    GoAway {
        /// Where among the response's frames.
        moment: Moment,
        /// The last stream that it says was processed.
        last: LastStream,
        /// The error code.
        code: u32,
    },
    /// A `RST_STREAM` (RFC 9113 Section 6.4). Nothing more of the response is sent.
    ResetStream {
        /// Where among the response's frames.
        moment: Moment,
        /// The error code.
        code: u32,
    },
    /// Any frame at all. One with [`Frame::THIS_STREAM`] is on the stream of the response.
    Insert(Moment, Frame),
    /// The body in DATA frames of this many octets; 0 puts one empty DATA frame in front of it.
    DataFrames(usize),
    /// The header block in a HEADERS frame of this many octets and as many CONTINUATION frames as it takes.
    Continuation(usize),
    /// HEADERS and DATA frames have this many octets of padding.
    Padding(u8),
    /// The HEADERS frame has priority fields (RFC 9113 Section 6.2).
    Priority,
}

impl Http2Fault {
    /// `RST_STREAM` with `REFUSED_STREAM` in place of the response: not processed, safe to send again.
    pub fn refused() -> Self {
        Self::ResetStream { moment: Moment::Instead, code: 7 }
    }

    /// Whether it leaves nothing of a response on this stream.
    pub(crate) fn cuts_all(&self, stream: u32) -> bool {
        match self {
            Self::ResetStream { moment: Moment::Before, .. } => true,
            Self::GoAway { moment: Moment::Before, last, .. } => last.seen_from(stream) < stream,
            _ => self.moment() == Some(Moment::Instead),
        }
    }

    /// Whether it leaves half of the body.
    pub(crate) fn cuts_body(&self, stream: u32) -> bool {
        match self {
            Self::ResetStream { moment: Moment::During, .. } => true,
            Self::GoAway { moment: Moment::During, last, .. } => last.seen_from(stream) < stream,
            _ => false,
        }
    }

    /// When it happens, where it is a frame that is put in.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            Self::GoAway { moment, .. } | Self::ResetStream { moment, .. } | Self::Insert(moment, _) => {
                Some(*moment)
            }
            _ => None,
        }
    }
}

/// Where among the frames of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// Before its HEADERS.
    Before,
    /// In place of it all.
    Instead,
    /// When half of its first DATA frame is out.
    During,
    /// After its last frame.
    After,
}

/// The last stream of a GOAWAY, seen from the response's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastStream {
    /// No stream at all: 0.
    None,
    /// The client's stream before this one: this one was not processed.
    Previous,
    /// This one.
    This,
    /// The largest there is: a warning of a GOAWAY to come.
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
