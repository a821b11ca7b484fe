//! The wire format of messages: numbers, names with compression, and resource records.
//!
//! [`RawRecord::check`] and [`check_name`] validate. [`RawRecords`], the [`Labels`] iterator and
//! [`same_name`] are for validated bytes only and do not report errors.

use std::ops::Range;

use super::HEADER;
use super::name::MAX_NAME;
use crate::error::MessageError;

pub(super) const CLASS_IN: u16 = 1;
pub(super) const TYPE_A: u16 = 1;
pub(super) const TYPE_CNAME: u16 = 5;
pub(super) const TYPE_SOA: u16 = 6;
pub(super) const TYPE_AAAA: u16 = 28;
pub(super) const TYPE_OPT: u16 = 41;
pub(super) const TYPE_RRSIG: u16 = 46;
pub(super) const TYPE_ANY: u16 = 255;

/// The maximum number of compression pointers per name. Each pointer leads to a suffix of an earlier name,
/// which may end in a pointer too. Only messages made to waste time contain longer chains of pointers.
pub(super) const MAX_POINTERS: u8 = 16;
/// The two highest bits of a pointer's first byte (RFC 1035 Section 4.1.4).
const POINTER: u8 = 0xc0;
/// The rest of a pointer: the offset from the start of the message.
const OFFSET: u16 = 0x3fff;
/// Bytes of type, class, TTL and data length, between a record's owner and its data.
const RECORD_FIXED: usize = 10;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, MessageError> {
    let value = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(MessageError::UnexpectedEnd)?;
    Ok(u16::from_be_bytes(*value))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, MessageError> {
    let value = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(MessageError::UnexpectedEnd)?;
    Ok(u32::from_be_bytes(*value))
}

/// The labels of a name in a message. Compression pointers are followed (RFC 1035 Section 4.1.4).
#[derive(Clone)]
pub(super) struct Labels<'m> {
    /// The part of the message that the name may still use. A pointer must lead to an earlier name. Following
    /// one therefore cuts the message off where the current run of labels began, so that every chain of
    /// pointers ends.
    bytes: &'m [u8],
    /// The offset of the next length byte.
    at: usize,
    /// The offset of the current run of labels.
    run: usize,
    /// The end of the name at its original position, set when the first pointer is followed.
    end: Option<usize>,
    /// The length of the uncompressed name so far, in bytes.
    length: usize,
    pointers: u8,
}

impl<'m> Labels<'m> {
    pub(super) fn new(bytes: &'m [u8], at: usize) -> Self {
        Self { bytes, at, run: at, end: None, length: 1, pointers: 0 }
    }

    /// The next label, or `None` at the root.
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

    /// The end of the name at its original position. Valid only after [`next_label`](Self::next_label) has
    /// returned `None`.
    fn end(&self) -> usize {
        self.end.unwrap_or(self.at + 1)
    }
}

/// The labels of a validated name.
impl<'m> Iterator for Labels<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        self.next_label().ok().flatten()
    }
}

/// Validates the name at `at`, including all parts that it points to. Returns where the name ends.
pub(super) fn check_name(bytes: &[u8], at: usize) -> Result<usize, MessageError> {
    let mut labels = Labels::new(bytes, at);
    while labels.next_label()?.is_some() {}
    Ok(labels.end())
}

/// The number of records that the header announces for each section.
pub(super) fn counts(bytes: &[u8]) -> [usize; 3] {
    [6, 8, 10].map(|at| u16_at(bytes, at).map_or(0, usize::from))
}

/// Iterates over the records of the whole message without validating names and data. Ends at malformed
/// records.
pub(super) fn skim(bytes: &[u8]) -> impl Iterator<Item = RawRecord> {
    let answers = match u16_at(bytes, 4) {
        Ok(0) => Some(HEADER),
        _ => skip_name(bytes, HEADER).map(|name_end| name_end + 4),
    };
    RawRecords::new(bytes, answers.unwrap_or(bytes.len()), counts(bytes).iter().sum())
}

/// The end of a validated name.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & POINTER == POINTER => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

/// Whether two validated names are equal, ignoring ASCII case (RFC 4343).
pub(super) fn same_name(bytes: &[u8], one: usize, other: usize) -> bool {
    if first_label(bytes, one) == first_label(bytes, other) {
        return true;
    }
    let (mut one, mut other) = (Labels::new(bytes, one), Labels::new(bytes, other));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(label), Some(other_label)) if label.eq_ignore_ascii_case(other_label) => {
                // The rest of both names is at the same offset.
                if one.at == other.at {
                    return true;
                }
            }
            _ => return false,
        }
    }
}

/// The offset of a name's first label, if at most one pointer leads there; otherwise the offset of the name.
fn first_label(bytes: &[u8], at: usize) -> usize {
    match u16_at(bytes, at) {
        Ok(pointer) if pointer >= u16::from(POINTER) << 8 => usize::from(pointer & OFFSET),
        _ => at,
    }
}

/// One resource record, as offsets into the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRecord {
    /// The offset of the owner's name.
    pub(super) owner: usize,
    /// The offset of type, class, TTL and data length.
    pub(super) fixed: usize,
    pub(super) record_type: u16,
    pub(super) class: u16,
    /// As received, not reduced by the age.
    pub(super) ttl: u32,
    pub(super) data_len: u16,
}

impl RawRecord {
    /// The position of the TTL.
    pub(super) fn ttl_at(&self) -> Range<usize> {
        self.fixed + 4..self.fixed + 8
    }

    pub(super) fn data(&self) -> Range<usize> {
        let start = self.fixed + RECORD_FIXED;
        start..start + usize::from(self.data_len)
    }

    /// Reads a validated record at its fixed part. The `owner` of the result is not valid.
    pub(super) fn at(bytes: &[u8], fixed: usize) -> Option<Self> {
        Self::read(bytes, fixed, fixed).ok()
    }

    /// Reads the record whose owner ends at `fixed`.
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

    /// Reads and validates the record at the offset of its owner.
    pub(super) fn check(bytes: &[u8], owner: usize) -> Result<Self, MessageError> {
        Self::read(bytes, owner, check_name(bytes, owner)?)
    }
}

/// Iterates over validated records.
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

/// Whether a name equals `zone` or is below it. Both must have been validated.
pub(super) fn is_within(bytes: &[u8], name: usize, zone: usize) -> bool {
    let (mut name, zone) = (Labels::new(bytes, name), Labels::new(bytes, zone));
    let Some(above) = name.clone().count().checked_sub(zone.clone().count()) else { return false };
    for _ in 0..above {
        name.next();
    }
    name.zip(zone).all(|(label, zone_label)| label.eq_ignore_ascii_case(zone_label))
}
