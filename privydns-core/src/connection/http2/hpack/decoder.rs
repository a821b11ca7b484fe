//! Decoding of field blocks, field by field and in place.

use super::table::Table;
use super::{HpackError, huffman, integer};

/// The decompression state of one connection.
///
/// Every received field block must be decoded, also on streams that are no longer of interest: each block may change
/// the dynamic table (RFC 9113 Section 4.3).
#[derive(Debug)]
pub(crate) struct Decoder {
    table: Table,
    /// The maximum size of the dynamic table.
    limit: usize,
    /// Buffers for the name of a literal field and a Huffman-decoded value, kept to avoid allocations.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    /// Creates a decoder whose dynamic table has at most `limit` bytes, as announced by `SETTINGS_HEADER_TABLE_SIZE`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { table: Table::new(limit), limit, name: Vec::new(), value: Vec::new() }
    }

    /// Decodes a complete block, and passes the name and value of every field to `visit`.
    ///
    /// A visitor that needs no more fields should return quickly: a small block can represent many large fields of the
    /// dynamic table.
    pub(crate) fn decode(
        &mut self,
        mut block: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), HpackError> {
        let mut at_beginning = true;
        while let Some(&first) = block.first() {
            match first {
                0x80.. => {
                    let index = integer::decode(7, &mut block)?;
                    let (name, value) = self.table.field(index).ok_or(HpackError::NoSuchIndex)?;
                    visit(name, value);
                }
                0x40.. => self.literal(6, true, &mut block, &mut visit)?,
                0x20.. => {
                    let capacity = integer::decode(5, &mut block)?;
                    if !at_beginning {
                        return Err(HpackError::LateResize);
                    }
                    if capacity > self.limit {
                        return Err(HpackError::TableTooLarge);
                    }
                    self.table.resize(capacity);
                    continue;
                }
                // "Not indexed" and "never indexed" differ only for an intermediary that forwards fields.
                _ => self.literal(4, false, &mut block, &mut visit)?,
            }
            at_beginning = false;
        }
        Ok(())
    }

    /// Decodes a literal field, with the index of the name in the low `prefix_bits` (RFC 7541 Section 6.2).
    fn literal(
        &mut self,
        prefix_bits: u32,
        is_indexed: bool,
        block: &mut &[u8],
        visit: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), HpackError> {
        let Self { table, name, value, .. } = self;
        let index = integer::decode(prefix_bits, block)?;
        let name = if index == 0 {
            string(block, name)?
        } else {
            // Copied, because the insertion below may evict the entry that contains the name.
            let (indexed, _) = table.field(index).ok_or(HpackError::NoSuchIndex)?;
            name.clear();
            name.extend_from_slice(indexed);
            name
        };
        let value = string(block, value)?;
        visit(name, value);
        if is_indexed {
            table.insert(name, value);
        }
        Ok(())
    }

    /// The number of bytes that the dynamic table holds.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        self.table.bytes_held()
    }

    #[cfg(test)]
    pub(super) fn table(&self) -> &Table {
        &self.table
    }
}

/// A string, in place or Huffman-decoded into `scratch` (RFC 7541 Section 5.2).
fn string<'s, 'block: 's>(
    block: &mut &'block [u8],
    scratch: &'s mut Vec<u8>,
) -> Result<&'s [u8], HpackError> {
    let is_huffman = block.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer::decode(7, block)?;
    let (bytes, rest) = block.split_at_checked(length).ok_or(HpackError::Truncated)?;
    *block = rest;
    if !is_huffman {
        return Ok(bytes);
    }
    scratch.clear();
    huffman::decode(bytes, scratch)?;
    Ok(scratch)
}
