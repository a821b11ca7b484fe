//! EDNS: the OPT record of a response and its options (RFC 6891).

use std::time::Duration;

use super::wire::{RawRecord, u16_at};
use crate::budget::ByteBudget;
use crate::error::{ExtendedError, MessageError};

pub(super) const CLIENT_SUBNET: u16 = 8;
pub(super) const TCP_KEEPALIVE: u16 = 11;
pub(super) const PADDING: u16 = 12;
const EXTENDED_ERROR: u16 = 15;

/// Bytes of an option's code and length.
pub(super) const OPTION_HEADER: usize = 4;
/// Bytes that the extended errors of one response may use, each with its overhead. An error that does not fit is skipped.
pub(super) const MAX_EXTENDED_ERROR_BYTES: usize = 4096;
/// The unit of a keepalive timeout (RFC 7828 Section 3.1).
const KEEPALIVE_UNIT: Duration = Duration::from_millis(100);

/// Parses the data of an extended error option; `None` if it is too short to hold a code.
fn parse_extended_error(data: &[u8]) -> Option<ExtendedError> {
    let (code, text) = data.split_first_chunk()?;
    // The text may end in a zero byte (RFC 8914 Section 2).
    let text = String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text));
    Some(ExtendedError { code: u16::from_be_bytes(*code), text: escape_controls(&text) })
}

/// Escapes control characters in text from the network, so that a terminal does not interpret them.
pub(super) fn escape_controls(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The options of an OPT record, given its data.
#[derive(Clone, Debug)]
pub(super) struct Options<'m>(&'m [u8]);

impl<'m> Options<'m> {
    /// Iterates over options that have been checked before.
    pub(super) fn of(data: &'m [u8]) -> Self {
        Self(data)
    }

    /// Checks an OPT record: it must be owned by the root, and its options must fill its data exactly.
    pub(super) fn check(bytes: &'m [u8], record: &RawRecord) -> Result<(), MessageError> {
        if bytes.get(record.owner) != Some(&0) {
            return Err(MessageError::Opt("is not at the root"));
        }
        let mut rest = &bytes[record.data()];
        while !rest.is_empty() {
            let length = u16_at(rest, 2).map_err(|_| MessageError::Opt("has an option cut short"))?;
            rest = rest
                .get(OPTION_HEADER + usize::from(length)..)
                .ok_or(MessageError::Opt("has an option cut short"))?;
        }
        Ok(())
    }

    /// How long the server keeps an idle connection open (RFC 7828). An option whose length is not two bytes
    /// is ignored.
    pub(super) fn keepalive(mut self) -> Option<Duration> {
        let (_, data) = self.find(|(code, _)| *code == TCP_KEEPALIVE)?;
        let units = u16::from_be_bytes(data.try_into().ok()?);
        Some(KEEPALIVE_UNIT * u32::from(units))
    }

    /// The extended errors, in order. Options that are too short for a code are skipped, and so are errors beyond
    /// [`MAX_EXTENDED_ERROR_BYTES`].
    pub(super) fn extended_errors(self) -> impl Iterator<Item = ExtendedError> {
        let mut budget = ByteBudget::new(MAX_EXTENDED_ERROR_BYTES);
        self.filter(|(code, _)| *code == EXTENDED_ERROR)
            .filter_map(|(_, data)| parse_extended_error(data))
            .filter(move |error| budget.take(error.size()))
    }
}

impl<'m> Iterator for Options<'m> {
    type Item = (u16, &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (u16_at(self.0, 0).ok()?, u16_at(self.0, 2).ok()?);
        let end = OPTION_HEADER + usize::from(length);
        let data = self.0.get(OPTION_HEADER..end)?;
        self.0 = &self.0[end..];
        Some((code, data))
    }
}
