//! The chain of CNAME records that leads from the question to the answer, within one message.

use super::HEADER;
use super::error::MessageError;
use super::wire::{CLASS_IN, RawRecord, RawRecords, TYPE_ANY, TYPE_CNAME, TYPE_RRSIG, check_name, same_name};

/// The most CNAME records that an answer section may have. Resolvers give up on chains sooner, and each record
/// takes a walk over the section where they come in the wrong order.
pub(super) const MAX_CHAIN: usize = 16;

/// Where the names of the chain are, beginning with the question's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    names: [u16; MAX_CHAIN + 1],
    len: u8,
    record_type: u16,
}

impl Chain {
    /// The chain of no CNAME, from the question of a message.
    #[expect(clippy::cast_possible_truncation, reason = "12 is no large number")]
    pub(super) fn question(record_type: u16) -> Self {
        let mut names = [0; MAX_CHAIN + 1];
        names[0] = HEADER as u16;
        Self { names, len: 1, record_type }
    }

    /// Follows the chain from the question through the records of the answer section, in whatever order they are
    /// (RFC 1034 Section 4.3.2). Who asks for CNAME records, or for any, wants them and not what they lead to.
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

    #[expect(clippy::cast_possible_truncation, reason = "a message has at most 65535 octets")]
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

    /// Where the last name is: the one whose records are the answer, or that is denied.
    pub(super) fn end(&self) -> usize {
        usize::from(self.names[usize::from(self.len) - 1])
    }

    /// Whether a record is part of the answer: a CNAME on the chain, a record of the type asked for, or a
    /// signature, at a name on the chain.
    pub(super) fn has(&self, bytes: &[u8], record: &RawRecord) -> bool {
        let is_wanted = matches!(record.record_type, TYPE_CNAME | TYPE_RRSIG)
            || record.record_type == self.record_type
            || self.record_type == TYPE_ANY;
        is_wanted && record.class == CLASS_IN && self.contains(bytes, record.owner)
    }

    /// Whether a record is what was asked for, at the end of the chain.
    pub(super) fn ends_with(&self, bytes: &[u8], record: &RawRecord) -> bool {
        (record.record_type == self.record_type || self.record_type == TYPE_ANY)
            && record.class == CLASS_IN
            && same_name(bytes, record.owner, self.end())
    }

    fn contains(&self, bytes: &[u8], name: usize) -> bool {
        self.names[..usize::from(self.len)].iter().any(|&at| same_name(bytes, usize::from(at), name))
    }
}
