//! The body of a response, from the end of its head to the end given by its framing (RFC 9112 Section 6).

use super::chunked::Chunked;
use super::head::Framing;
use crate::connection::receive_buffer::ReceiveBuffer;
use crate::doh::MAX_BODY;

/// The state of a body that is being received. Only a chunked body is decoded piece by piece; other bodies stay in the
/// receive buffer until they are complete.
#[derive(Debug)]
pub(super) enum Body {
    Length(usize),
    Chunked(Chunked),
    /// The body extends to the end of the stream. An attacker may have moved that end, which TLS does not always
    /// detect; this does no harm, because a truncated DNS message is malformed.
    UntilClose,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// The framing is valid, but the body is longer than any DNS message.
    TooLong,
    /// The framing is invalid.
    Malformed(&'static str),
}

impl Body {
    pub(super) fn new(framing: Framing) -> Result<Self, BodyError> {
        Ok(match framing {
            Framing::Length(length) => match usize::try_from(length) {
                Ok(length) if length <= MAX_BODY => Self::Length(length),
                _ => return Err(BodyError::TooLong),
            },
            Framing::Chunked => Self::Chunked(Chunked::new(MAX_BODY)),
            Framing::UntilClose => Self::UntilClose,
        })
    }

    /// Takes the complete body from the receive buffer, or returns `None` until then. `is_over` says that no more data
    /// follows.
    pub(super) fn read<'a>(
        &'a mut self,
        input: &'a mut ReceiveBuffer,
        is_over: bool,
    ) -> Result<Option<&'a [u8]>, BodyError> {
        match self {
            Self::Length(length) if input.unread().len() >= *length => Ok(Some(input.take(*length))),
            Self::Chunked(chunked) => {
                let length = chunked.read(input.unread())?;
                input.take(length);
                Ok(chunked.body())
            }
            Self::UntilClose if input.unread().len() > MAX_BODY => Err(BodyError::TooLong),
            Self::UntilClose if is_over => Ok(Some(input.take(MAX_BODY))),
            Self::Length(_) | Self::UntilClose => Ok(None),
        }
    }
}
