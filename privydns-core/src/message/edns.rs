//! EDNS: the OPT record of a response and its options (RFC 6891).

use std::fmt;
use std::time::Duration;

use super::error::MessageError;
use super::wire::{RawRecord, u16_at};

pub(super) const CLIENT_SUBNET: u16 = 8;
pub(super) const TCP_KEEPALIVE: u16 = 11;
pub(super) const PADDING: u16 = 12;
const EXTENDED_ERROR: u16 = 15;

/// Bytes of an option's code and length.
pub(super) const OPTION_HEADER: usize = 4;
/// The unit of a keepalive timeout (RFC 7828 Section 3.1).
const KEEPALIVE_UNIT: Duration = Duration::from_millis(100);

/// An extended error, which explains a resolver's response (RFC 8914).
///
/// `Display` prints only the code and its meaning, because the text often contains the queried name. The
/// alternate form, `{:#}`, adds the text.
///
/// ```
/// use privydns_core::ExtendedError;
///
/// let error = ExtendedError { code: 22, text: "at delegation example.com.".to_owned() };
/// assert_eq!(error.to_string(), "EDE 22 (No Reachable Authority)");
/// assert_eq!(format!("{error:#}"), "EDE 22 (No Reachable Authority): at delegation example.com.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// The INFO-CODE, as registered with IANA.
    pub code: u16,
    /// The EXTRA-TEXT for humans, with control characters escaped. Often empty; may contain domain names.
    pub text: String,
}

impl ExtendedError {
    /// The meaning of the code as registered with IANA; `None` for unknown codes.
    pub fn meaning(&self) -> Option<&'static str> {
        MEANINGS.get(usize::from(self.code)).copied()
    }

    fn parse(data: &[u8]) -> Option<Self> {
        let (code, text) = data.split_first_chunk()?;
        // The text may end in a zero byte (RFC 8914 Section 2).
        let text = String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text));
        Some(Self { code: u16::from_be_bytes(*code), text: escape_controls(&text) })
    }
}

impl fmt::Display for ExtendedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EDE {}", self.code)?;
        if let Some(meaning) = self.meaning() {
            write!(f, " ({meaning})")?;
        }
        if f.alternate() && !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}

/// The INFO-CODEs by number (RFC 8914 Section 5.2, RFC 9250, RFC 9276, RFC 9824, and the IANA registry).
const MEANINGS: [&str; 31] = [
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
];

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

    /// The extended errors, in order. Options that are too short for a code are skipped.
    pub(super) fn extended_errors(self) -> impl Iterator<Item = ExtendedError> {
        self.filter(|(code, _)| *code == EXTENDED_ERROR).filter_map(|(_, data)| ExtendedError::parse(data))
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
