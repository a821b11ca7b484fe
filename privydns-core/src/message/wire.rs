//! The octets of a message: numbers, names with compression, and resource records.
//!
//! [`RawRecord::check`] and [`check_name`] make every check. What has passed them once is walked again by
//! [`RawRecords`], [`Labels`] as an iterator and [`same_name`], which take no account of errors: there are none.

use std::ops::Range;

use super::HEADER;
use super::error::MessageError;
use super::name::MAX_NAME;

pub(super) const CLASS_IN: u16 = 1;
pub(super) const TYPE_A: u16 = 1;
pub(super) const TYPE_CNAME: u16 = 5;
pub(super) const TYPE_SOA: u16 = 6;
pub(super) const TYPE_AAAA: u16 = 28;
pub(super) const TYPE_OPT: u16 = 41;
pub(super) const TYPE_RRSIG: u16 = 46;
pub(super) const TYPE_ANY: u16 = 255;

/// The most pointers followed within one name. Each leads to the end of a name that was written before, which may
/// lead on in its turn; a message whose names build on each other so deep is made to cost time.
pub(super) const MAX_POINTERS: u8 = 16;
/// The two highest bits of a length octet that is the first of a pointer (RFC 1035 Section 4.1.4).
const POINTER: u8 = 0xc0;
/// The rest of a pointer: where it leads, counted from the start of the message.
const OFFSET: u16 = 0x3fff;
/// Type, class, TTL and data length: what stands between a record's owner and its data.
const RECORD_FIXED: usize = 10;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, MessageError> {
    let octets = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(MessageError::UnexpectedEnd)?;
    Ok(u16::from_be_bytes(*octets))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, MessageError> {
    let octets = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(MessageError::UnexpectedEnd)?;
    Ok(u32::from_be_bytes(*octets))
}

/// The labels of a name in a message, its pointers followed (RFC 1035 Section 4.1.4).
#[derive(Clone)]
pub(super) struct Labels<'m> {
    /// The message as far as the name may reach. A pointer leads to a name that was written before this one, and
    /// all of it; so each takes away what begins with the run of labels that it ends, and every chain of them ends.
    bytes: &'m [u8],
    /// Where the next length octet is.
    at: usize,
    /// Where the run of labels being read began.
    run: usize,
    /// Where the name ends in its own place, once a pointer led away from there.
    end: Option<usize>,
    /// Octets of the name so far, were it written without compression.
    length: usize,
    pointers: u8,
}

impl<'m> Labels<'m> {
    pub(super) fn new(bytes: &'m [u8], at: usize) -> Self {
        Self { bytes, at, run: at, end: None, length: 1, pointers: 0 }
    }

    /// The next label, or none at the root.
    pub(super) fn next_label(&mut self) -> Result<Option<&'m [u8]>, MessageError> {
        loop {
            let &first = self.bytes.get(self.at).ok_or(MessageError::UnexpectedEnd)?;
            match first & POINTER {
                POINTER => self.follow_pointer()?,
                0 if first == 0 => return Ok(None),
                0 => {
                    let start = self.at + 1;
                    let end = start + usize::from(first);
                    self.length += 1 + usize::from(first);
                    if self.length > MAX_NAME {
                        return Err(MessageError::NameTooLong);
                    }
                    self.at = end;
                    return self.bytes.get(start..end).map(Some).ok_or(MessageError::UnexpectedEnd);
                }
                _ => return Err(MessageError::LabelType(first)),
            }
        }
    }

    fn follow_pointer(&mut self) -> Result<(), MessageError> {
        let target = usize::from(u16_at(self.bytes, self.at)? & OFFSET);
        self.pointers += 1;
        if !(HEADER..self.run).contains(&target) || self.pointers > MAX_POINTERS {
            return Err(MessageError::Pointer);
        }
        self.end.get_or_insert(self.at + 2);
        self.bytes = &self.bytes[..self.run];
        self.at = target;
        self.run = target;
        Ok(())
    }

    /// Where the name ends in its own place. Only after [`next_label`](Self::next_label) has come to the root.
    fn end(&self) -> usize {
        self.end.unwrap_or(self.at + 1)
    }
}

/// The labels of a name known to be well formed.
impl<'m> Iterator for Labels<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        self.next_label().ok().flatten()
    }
}

/// Checks the name at `at` with all that it points to, and says where it ends.
pub(super) fn check_name(bytes: &[u8], at: usize) -> Result<usize, MessageError> {
    let mut labels = Labels::new(bytes, at);
    while labels.next_label()?.is_some() {}
    Ok(labels.end())
}

/// How many records the header announces for each section.
pub(super) fn counts(bytes: &[u8]) -> [usize; 3] {
    [6, 8, 10].map(|at| u16_at(bytes, at).map_or(0, usize::from))
}

/// Records of the whole message, octets of a name and of data being skipped unseen. What is malformed ends them.
pub(super) fn skim(bytes: &[u8]) -> impl Iterator<Item = RawRecord> {
    let answers = match u16_at(bytes, 4) {
        Ok(0) => Some(HEADER),
        _ => skip_name(bytes, HEADER).map(|name_end| name_end + 4),
    };
    RawRecords::new(bytes, answers.unwrap_or(bytes.len()), counts(bytes).iter().sum())
}

/// Where a name ends that is known to be well formed.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & POINTER == POINTER => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

/// Whether two names known to be well formed are the same, upper and lower case being alike (RFC 4343).
pub(super) fn same_name(bytes: &[u8], one: usize, other: usize) -> bool {
    if first_label(bytes, one) == first_label(bytes, other) {
        return true;
    }
    let (mut one, mut other) = (Labels::new(bytes, one), Labels::new(bytes, other));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(label), Some(its)) if label.eq_ignore_ascii_case(its) => {
                // From here on both are read from the same place.
                if one.at == other.at {
                    return true;
                }
            }
            _ => return false,
        }
    }
}

/// Where the first label of a name is, unless it takes more than one pointer to get there.
fn first_label(bytes: &[u8], at: usize) -> usize {
    match u16_at(bytes, at) {
        Ok(pointer) if pointer >= u16::from(POINTER) << 8 => usize::from(pointer & OFFSET),
        _ => at,
    }
}

/// One resource record: where its parts are.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRecord {
    /// Where the owner's name is.
    pub(super) owner: usize,
    /// Where type, class, TTL and data length are.
    pub(super) fixed: usize,
    pub(super) record_type: u16,
    pub(super) class: u16,
    /// As sent, age and all else aside.
    pub(super) ttl: u32,
    pub(super) data_len: u16,
}

impl RawRecord {
    /// Where the TTL is.
    pub(super) fn ttl_at(&self) -> Range<usize> {
        self.fixed + 4..self.fixed + 8
    }

    pub(super) fn data(&self) -> Range<usize> {
        let start = self.fixed + RECORD_FIXED;
        start..start + usize::from(self.data_len)
    }

    /// Reads a record that is known to be well formed at its fixed part, where its owner is of no interest.
    pub(super) fn at(bytes: &[u8], fixed: usize) -> Option<Self> {
        Self::read(bytes, fixed, fixed).ok()
    }

    /// Reads the record whose owner ends where `fixed` begins.
    fn read(bytes: &[u8], owner: usize, fixed: usize) -> Result<Self, MessageError> {
        let parts: &[u8; RECORD_FIXED] =
            bytes.get(fixed..).and_then(<[u8]>::first_chunk).ok_or(MessageError::UnexpectedEnd)?;
        let &[type_0, type_1, class_0, class_1, ttl_0, ttl_1, ttl_2, ttl_3, len_0, len_1] = parts;
        let record = Self {
            owner,
            fixed,
            record_type: u16::from_be_bytes([type_0, type_1]),
            class: u16::from_be_bytes([class_0, class_1]),
            ttl: u32::from_be_bytes([ttl_0, ttl_1, ttl_2, ttl_3]),
            data_len: u16::from_be_bytes([len_0, len_1]),
        };
        if record.data().end > bytes.len() { Err(MessageError::UnexpectedEnd) } else { Ok(record) }
    }

    /// Reads a record at its owner, every octet of which is checked.
    pub(super) fn check(bytes: &[u8], owner: usize) -> Result<Self, MessageError> {
        Self::read(bytes, owner, check_name(bytes, owner)?)
    }
}

/// Records known to be well formed, one after the other.
#[derive(Clone, Debug)]
pub(super) struct RawRecords<'m> {
    bytes: &'m [u8],
    at: usize,
    left: usize,
}

impl<'m> RawRecords<'m> {
    pub(super) fn new(bytes: &'m [u8], at: usize, count: usize) -> Self {
        Self { bytes, at, left: count }
    }
}

impl Iterator for RawRecords<'_> {
    type Item = RawRecord;

    fn next(&mut self) -> Option<RawRecord> {
        self.left = self.left.checked_sub(1)?;
        let record = RawRecord::read(self.bytes, self.at, skip_name(self.bytes, self.at)?).ok()?;
        self.at = record.data().end;
        Some(record)
    }
}

/// Whether a name is `zone` or below it; both known to be well formed.
pub(super) fn is_within(bytes: &[u8], name: usize, zone: usize) -> bool {
    let (mut name, zone) = (Labels::new(bytes, name), Labels::new(bytes, zone));
    let Some(above) = name.clone().count().checked_sub(zone.clone().count()) else { return false };
    for _ in 0..above {
        name.next();
    }
    name.zip(zone).all(|(label, its)| label.eq_ignore_ascii_case(its))
}
