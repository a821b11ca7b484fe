//! Strings in the static Huffman code (RFC 7541 Section 5.2 and Appendix B). Only decoding: the client sends literal
//! strings.

use super::HpackError;

/// The length of each symbol's code in bits (RFC 7541 Appendix B); the last symbol is the end of string. The code is
/// canonical: among codes of one length, and from one length to the next, codes grow with the symbol, so that the
/// lengths determine the codes.
#[rustfmt::skip]
pub(super) const CODE_LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const END_OF_STRING: u16 = 256;
const SHORTEST: u32 = 5;
const LONGEST: u32 = 30;

/// A table by the first byte of a code: the complete code for every letter, digit and mark that is usual in headers.
const SHORT_BITS: u32 = 8;

/// Appends the decoded `bytes` to `out`: at most 8/5 of their number.
pub(super) fn decode(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    let mut input = bytes.iter();
    // The upper `held` bits are not decoded yet.
    let mut bits = 0u64;
    let mut held = 0u32;
    loop {
        while held <= 56 {
            let Some(&byte) = input.next() else { break };
            bits |= u64::from(byte) << (56 - held);
            held += 8;
        }
        // A code that extends beyond the available bits is not a code but padding.
        match symbol(bits) {
            Some((symbol, length)) if length <= held => {
                let byte = u8::try_from(symbol).map_err(|_| HpackError::EndOfString)?;
                out.push(byte);
                bits <<= length;
                held -= length;
            }
            _ => break,
        }
    }
    // The padding is the beginning of the end-of-string symbol, which is all ones.
    if held > 7 || bits != ones(held) { Err(HpackError::Padding) } else { Ok(()) }
}

/// The symbol whose code is at the top of `bits`, and the code's length.
#[expect(clippy::cast_possible_truncation, reason = "no code is longer than 30 bits")]
fn symbol(bits: u64) -> Option<(u16, u32)> {
    let (symbol, length) = CODE.short[(bits >> (64 - SHORT_BITS)) as usize];
    if length > 0 {
        return Some((symbol, u32::from(length)));
    }
    (SHORT_BITS + 1..=LONGEST).find_map(|length| {
        let of_length = &CODE.by_length[length as usize];
        let state = (bits >> (64 - length)) as u32;
        let nth = state.wrapping_sub(of_length.first);
        (nth < of_length.count).then(|| (CODE.symbols[(of_length.index + nth) as usize], length))
    })
}

/// `count` ones at the top, for a count under 64.
fn ones(count: u32) -> u64 {
    !(u64::MAX >> count)
}

/// The code in the form used for decoding.
struct Code {
    /// By first byte: the symbol and the length of the code, or a length of 0 for a longer code.
    short: [(u16, u8); 1 << SHORT_BITS],
    by_length: [OfLength; LONGEST as usize + 1],
    /// All symbols, in the order of their codes.
    symbols: [u16; 257],
}

/// The codes of one length, which are consecutive.
#[derive(Clone, Copy)]
struct OfLength {
    /// The first code.
    first: u32,
    count: u32,
    /// The position of the codes' symbols.
    index: u32,
}

static CODE: Code = canonical_code();

#[expect(clippy::cast_possible_truncation, reason = "there are 257 symbols and 30 lengths")]
const fn canonical_code() -> Code {
    let mut code = Code {
        short: [(0, 0); 1 << SHORT_BITS],
        by_length: [OfLength { first: 0, count: 0, index: 0 }; LONGEST as usize + 1],
        symbols: [0; 257],
    };
    let mut next = 0u32;
    let mut index = 0u32;
    let mut length = SHORTEST;
    while length <= LONGEST {
        next <<= 1;
        code.by_length[length as usize] = OfLength { first: next, count: 0, index };
        let mut symbol = 0;
        while symbol <= END_OF_STRING {
            if CODE_LENGTHS[symbol as usize] as u32 == length {
                code.by_length[length as usize].count += 1;
                code.symbols[index as usize] = symbol;
                if length <= SHORT_BITS {
                    let spare = SHORT_BITS - length;
                    let mut byte = next << spare;
                    while byte < (next + 1) << spare {
                        code.short[byte as usize] = (symbol, length as u8);
                        byte += 1;
                    }
                }
                next += 1;
                index += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    code
}
