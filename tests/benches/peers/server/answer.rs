//! The answer of the server: every name has the same address.

const HEADER: usize = 12;

/// A pointer to the question's name; type A; class IN; a TTL of 300 s; four bytes of address.
const RECORD: [u8; 16] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 1];

/// An OPT record with a payload size of 1232 bytes and without options.
const OPT: [u8; 11] = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];

/// Appends the answer to a query with one question. Returns `None` if the bytes are not such a query.
pub(super) fn append(query: &[u8], answer: &mut Vec<u8>) -> Option<()> {
    let mut end = HEADER;
    while let length @ 1..=63 = *query.get(end)? {
        end += 1 + usize::from(length);
    }
    let question = query.get(HEADER..end + 5)?;
    let has_opt = query[11] == 1;
    answer.extend_from_slice(&query[..2]);
    // The flags of a recursive answer without an error; counts of one question and one record.
    answer.extend_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, u8::from(has_opt)]);
    answer.extend_from_slice(question);
    answer.extend_from_slice(&RECORD);
    if has_opt {
        answer.extend_from_slice(&OPT);
    }
    Some(())
}
