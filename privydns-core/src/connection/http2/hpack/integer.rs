//! Integers with a prefix of N bits (RFC 7541 Section 5.1).

use super::HpackError;

/// The maximum number of bytes after a prefix: 4 bytes of 7 bits, or 28 bits, far more than the length of any field
/// block or table. The RFC requires a limit and leaves the value to the implementation.
const MAX_CONTINUATION: u32 = 4;

/// Takes an integer from the front of `bytes`, ignoring the bits above the prefix in the first byte.
pub(super) fn decode(prefix_bits: u32, bytes: &mut &[u8]) -> Result<usize, HpackError> {
    let (&first, mut rest) = bytes.split_first().ok_or(HpackError::Truncated)?;
    let full = (1usize << prefix_bits) - 1;
    let mut value = usize::from(first) & full;
    if value == full {
        let mut index = 0;
        loop {
            if index == MAX_CONTINUATION {
                return Err(HpackError::IntegerTooLarge);
            }
            let (&byte, after) = rest.split_first().ok_or(HpackError::Truncated)?;
            rest = after;
            value += usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                break;
            }
            index += 1;
        }
    }
    *bytes = rest;
    Ok(value)
}

/// Appends `value` with a prefix of `prefix_bits`, below the bits of `pattern`.
pub(super) fn encode(value: usize, prefix_bits: u32, pattern: u8, out: &mut Vec<u8>) {
    let full = (1usize << prefix_bits) - 1;
    if value < full {
        out.push(pattern | low_byte(value));
        return;
    }
    out.push(pattern | low_byte(full));
    let mut rest = value - full;
    while rest >= 0x80 {
        out.push(low_byte(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_byte(rest));
}

#[expect(clippy::cast_possible_truncation, reason = "the low byte is intended")]
fn low_byte(value: usize) -> u8 {
    value as u8
}
