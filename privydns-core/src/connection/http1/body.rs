//! The body of a response, from where its head ends to where its framing says (RFC 9112 Section 6).

use super::chunked::Chunked;
use super::head::Framing;
use crate::connection::receive_buffer::ReceiveBuffer;
use crate::doh::MAX_BODY;

/// A body on its way. Unless it is chunked it stays in the input until all of it is there.
#[derive(Debug)]
pub(super) enum Body {
    Length(usize),
    Chunked(Chunked),
    /// Up to the end of the stream. That an attacker may have moved that end, which TLS does not always tell,
    /// does no harm: a DNS message with a part missing is malformed.
    UntilClose,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// No rule is broken, but the body is longer than any DNS message.
    TooLong,
    /// The rules of its framing are broken.
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

    /// The whole body, once it is there; taken from the input. `is_over` says that nothing will follow.
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
