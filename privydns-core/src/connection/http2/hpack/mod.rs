//! HPACK, the field compression of HTTP/2 (RFC 7541).
//!
//! The [`Decoder`] does all that the RFC allows a server to do. The [encoder](encode) does the least that a
//! client may: static names and plain literals, with no state to keep.

mod decoder;
pub(super) mod encode;
mod huffman;
mod integer;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use decoder::Decoder;

/// A field block that cannot be decoded. The connection's compression state is lost with it, so that it ends
/// the connection (RFC 9113 Section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HpackError {
    /// The block ends inside a representation.
    Truncated,
    /// An integer is larger than anything that could be meant (RFC 7541 Section 5.1).
    IntegerTooLarge,
    /// An index is 0 or beyond both tables (RFC 7541 Sections 2.3.3 and 6.1).
    NoSuchIndex,
    /// A Huffman code holds the end-of-string symbol (RFC 7541 Section 5.2).
    EndOfString,
    /// A Huffman code is padded with more than 7 bits, or with bits other than ones (RFC 7541 Section 5.2).
    Padding,
    /// The dynamic table is resized beyond the limit that was set (RFC 7541 Section 6.3).
    TableTooLarge,
    /// The dynamic table is resized after the block's beginning (RFC 7541 Section 4.2).
    LateResize,
}

impl HpackError {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Truncated => "a field block that ends early",
            Self::IntegerTooLarge => "a field block with an integer that is too large",
            Self::NoSuchIndex => "a field block with an index beyond the tables",
            Self::EndOfString => "a Huffman code with an end-of-string symbol",
            Self::Padding => "a Huffman code with wrong padding",
            Self::TableTooLarge => "a dynamic table over the limit",
            Self::LateResize => "a dynamic table resized in the middle of a field block",
        }
    }
}
