//! HPACK, the field compression of HTTP/2 (RFC 7541).
//!
//! The [`Decoder`] supports everything that the RFC allows a server. The [encoder](encode) uses the minimum that a
//! client may: static names and plain literals, without state.

mod decoder;
pub(super) mod encode;
mod huffman;
mod integer;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use decoder::Decoder;

/// A field block that cannot be decoded. The compression state is lost, so the connection ends (RFC 9113 Section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HpackError {
    /// The block ends inside a representation.
    Truncated,
    /// An integer is too large (RFC 7541 Section 5.1).
    IntegerTooLarge,
    /// An index is 0 or beyond both tables (RFC 7541 Sections 2.3.3 and 6.1).
    NoSuchIndex,
    /// A Huffman string contains the end-of-string symbol (RFC 7541 Section 5.2).
    EndOfString,
    /// A Huffman string is padded with more than 7 bits, or with bits other than ones (RFC 7541 Section 5.2).
    Padding,
    /// The dynamic table is resized beyond the limit (RFC 7541 Section 6.3).
    TableTooLarge,
    /// The dynamic table is resized after the beginning of the block (RFC 7541 Section 4.2).
    LateResize,
}

impl HpackError {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Truncated => "a truncated field block",
            Self::IntegerTooLarge => "a field block with an integer that is too large",
            Self::NoSuchIndex => "a field block with an index beyond the tables",
            Self::EndOfString => "a Huffman string with an end-of-string symbol",
            Self::Padding => "a Huffman string with wrong padding",
            Self::TableTooLarge => "a dynamic table over the limit",
            Self::LateResize => "a dynamic table resized in the middle of a field block",
        }
    }
}
