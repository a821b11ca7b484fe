//! The CNAME chain from the question to the answer, within one message.

use super::HEADER;
use super::wire::{CLASS_IN, RawRecord, RawRecords, TYPE_ANY, TYPE_CNAME, TYPE_RRSIG, check_name, same_name};
use crate::error::MessageError;

/// The maximum number of CNAME records in an answer section. Resolvers give up on longer chains, or sooner.
/// If the records are in the wrong order, following each takes another pass over the section.
pub(super) const MAX_CHAIN: usize = 16;

/// The offsets of the names on the chain, beginning with the question's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    names: [u16; MAX_CHAIN + 1],
    len: u8,
    record_type: u16,
}

impl Chain {
    /// A chain without CNAME records: only the question's name.
    #[expect(clippy::cast_possible_truncation, reason = "12 fits into 16 bits")]
    pub(super) fn question(record_type: u16) -> Self {
        let mut names = [0; MAX_CHAIN + 1];
        names[0] = HEADER as u16;
        Self { names, len: 1, record_type }
    }

    /// Follows the chain from the question through the answer section, whose records may be in any order (RFC
    /// 1034 Section 4.3.2). A query for CNAME or ANY asks for the CNAME records themselves, so the chain is
    /// not followed.
    pub(super) fn follow(
        bytes: &[u8],
        answers: &RawRecords<'_>,
        record_type: u16,
    ) -> Result<Self, MessageError> {
        let mut chain = Self::question(record_type);
        if matches!(record_type, TYPE_CNAME | TYPE_ANY) {
            return Ok(chain);
        }
        let is_link = |record: &RawRecord| record.record_type == TYPE_CNAME && record.class == CLASS_IN;
        let links = answers.clone().filter(is_link);
        match links.clone().count() {
            0 => return Ok(chain),
            1..=MAX_CHAIN => {}
            _ => return Err(MessageError::ChainTooLong),
        }
        loop {
            let before = chain.len;
            for link in links.clone() {
                if same_name(bytes, link.owner, chain.end()) {
                    chain.push(bytes, &link)?;
                }
            }
            if chain.len == before {
                return Ok(chain);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a message has at most 65535 bytes")]
    fn push(&mut self, bytes: &[u8], link: &RawRecord) -> Result<(), MessageError> {
        let target = link.data().start;
        if check_name(bytes, target)? != link.data().end {
            return Err(MessageError::Data(TYPE_CNAME.into()));
        }
        if self.contains(bytes, target) {
            return Err(MessageError::CnameLoop);
        }
        let slot = self.names.get_mut(usize::from(self.len)).ok_or(MessageError::ChainTooLong)?;
        *slot = target as u16;
        self.len += 1;
        Ok(())
    }

    /// The offset of the last name, which owns the answer's records or is denied.
    pub(super) fn end(&self) -> usize {
        usize::from(self.names[usize::from(self.len) - 1])
    }

    /// Whether a record is part of the answer: owned by a name on the chain, and a CNAME record, a record of
    /// the queried type, or a signature.
    pub(super) fn has(&self, bytes: &[u8], record: &RawRecord) -> bool {
        let is_wanted = matches!(record.record_type, TYPE_CNAME | TYPE_RRSIG)
            || record.record_type == self.record_type
            || self.record_type == TYPE_ANY;
        is_wanted && record.class == CLASS_IN && self.contains(bytes, record.owner)
    }

    /// Whether a record is of the queried type and owned by the last name of the chain.
    pub(super) fn ends_with(&self, bytes: &[u8], record: &RawRecord) -> bool {
        (record.record_type == self.record_type || self.record_type == TYPE_ANY)
            && record.class == CLASS_IN
            && same_name(bytes, record.owner, self.end())
    }

    fn contains(&self, bytes: &[u8], name: usize) -> bool {
        self.names[..usize::from(self.len)].iter().any(|&at| same_name(bytes, usize::from(at), name))
    }
}
