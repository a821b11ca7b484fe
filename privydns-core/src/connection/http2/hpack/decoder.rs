//! Field blocks, decoded field by field in place.

use super::table::Table;
use super::{HpackError, huffman, integer};

/// The decompression state of one connection.
///
/// Every field block that comes must pass through it, also those of streams that nobody waits for: each may
/// change the dynamic table (RFC 9113 Section 4.3).
#[derive(Debug)]
pub(crate) struct Decoder {
    table: Table,
    /// What the dynamic table may grow to.
    limit: usize,
    /// The name of a literal field, and a value out of its Huffman code; kept to allocate once.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    /// A decoder whose dynamic table holds at most `limit`, as announced by `SETTINGS_HEADER_TABLE_SIZE`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { table: Table::new(limit), limit, name: Vec::new(), value: Vec::new() }
    }

    /// Decodes a whole block, handing every field's name and value to `visit`.
    ///
    /// A visitor that has seen enough should pass over the rest at once: a small block can stand for many
    /// large fields of the dynamic table.
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
                // Not indexed and never indexed differ only for one who passes fields on.
                _ => self.literal(4, false, &mut block, &mut visit)?,
            }
            at_beginning = false;
        }
        Ok(())
    }

    /// A literal field, its name's index in the low `prefix_bits` (RFC 7541 Section 6.2).
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
            // Copied, since the insertion below may evict the entry that it is taken from.
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

    /// Octets of fields that are kept.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        self.table.octets_held()
    }

    #[cfg(test)]
    pub(super) fn table(&self) -> &Table {
        &self.table
    }
}

/// A string, in place or out of its Huffman code into `scratch` (RFC 7541 Section 5.2).
fn string<'s, 'block: 's>(
    block: &mut &'block [u8],
    scratch: &'s mut Vec<u8>,
) -> Result<&'s [u8], HpackError> {
    let is_huffman = block.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer::decode(7, block)?;
    let (octets, rest) = block.split_at_checked(length).ok_or(HpackError::Truncated)?;
    *block = rest;
    if !is_huffman {
        return Ok(octets);
    }
    scratch.clear();
    huffman::decode(octets, scratch)?;
    Ok(scratch)
}
