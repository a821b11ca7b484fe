//! A strict decoder of the chunked transfer coding (RFC 9112 Section 7.1).

use super::body::BodyError;

/// The longest line with a chunk size and extensions, in bytes.
const MAX_SIZE_LINE: usize = 256;

/// The longest trailer section, in bytes. Trailers are not used and not kept.
const MAX_TRAILERS: usize = 4096;

/// A decoder that accepts bytes in any pieces.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// The length of the current line or trailer section.
    length: usize,
    /// The remaining length of the current chunk.
    left: usize,
    body: Vec<u8>,
    /// The maximum length of the body.
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    Size,
    Digits,
    /// Whitespace after the size, which only an extension may follow.
    Space,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the start of a trailer field, or of the empty line that ends the trailer section.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Done,
}

impl Chunked {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: State::Size, length: 0, left: 0, body: Vec::new(), limit }
    }

    /// Decodes up to the end of the body, and returns the number of bytes consumed.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<usize, BodyError> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if self.state == State::Data {
                let length = self.left.min(bytes.len() - at);
                self.body.extend_from_slice(&bytes[at..at + length]);
                self.left -= length;
                at += length;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
            } else {
                self.state = self.step(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// The body, once it is complete.
    pub(super) fn body(&self) -> Option<&[u8]> {
        (self.state == State::Done).then_some(&self.body)
    }

    /// The number of bytes of the body that are kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.body.len()
    }

    /// Decodes one byte that is not chunk data.
    fn step(&mut self, byte: u8) -> Result<State, BodyError> {
        use State::{
            DataCr, DataLf, Digits, Done, Extension, LastLf, Size, SizeLf, Space, Trailer, TrailerLf,
            TrailerName, TrailerValue,
        };
        self.count()?;
        Ok(match (self.state, byte) {
            (Size | Digits, _) if byte.is_ascii_hexdigit() => self.digit(byte)?,
            (Digits | Extension, b'\r') => SizeLf,
            // "Bad" whitespace (BWS) is accepted before an extension (Section 7.1.1).
            (Digits | Space, b' ' | b'\t') => Space,
            (Digits | Space, b';') => Extension,
            (Extension, _) if is_text(byte) => Extension,
            (SizeLf, b'\n') => self.chunk(),
            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => self.line(Size),
            (Trailer, b'\r') => LastLf,
            (Trailer | TrailerName, _) if is_token(byte) => TrailerName,
            (TrailerName, b':') => TrailerValue,
            (TrailerValue, b'\r') => TrailerLf,
            (TrailerValue, _) if is_text(byte) => TrailerValue,
            (TrailerLf, b'\n') => Trailer,
            (LastLf, b'\n') => Done,
            (Size | Digits | Space | Extension | SizeLf, _) => {
                return Err(malformed("a malformed chunk size"));
            }
            (DataCr | DataLf, _) => return Err(malformed("chunk data that does not match the chunk size")),
            _ => return Err(malformed("a malformed trailer section")),
        })
    }

    fn digit(&mut self, byte: u8) -> Result<State, BodyError> {
        let value = char::from(byte).to_digit(16).unwrap_or_default() as usize;
        self.left = self.left.saturating_mul(16).saturating_add(value);
        if self.body.len().saturating_add(self.left) > self.limit {
            Err(BodyError::TooLong)
        } else {
            Ok(State::Digits)
        }
    }

    /// The state after a size line: the chunk, or the trailer section after the last chunk.
    fn chunk(&mut self) -> State {
        self.line(if self.left == 0 { State::Trailer } else { State::Data })
    }

    fn line(&mut self, next: State) -> State {
        self.length = 0;
        next
    }

    fn count(&mut self) -> Result<(), BodyError> {
        self.length += 1;
        match self.state {
            State::Size | State::Digits | State::Space | State::Extension if self.length > MAX_SIZE_LINE => {
                Err(malformed("a chunk extension that is too long"))
            }
            State::Trailer | State::TrailerName | State::TrailerValue if self.length > MAX_TRAILERS => {
                Err(malformed("a trailer section that is too long"))
            }
            _ => Ok(()),
        }
    }
}

fn malformed(what: &'static str) -> BodyError {
    BodyError::Malformed(what)
}

/// A byte of a field value or an extension: visible, whitespace, or beyond ASCII (RFC 9110 Section 5.5).
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// `tchar` (RFC 9110 Section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
