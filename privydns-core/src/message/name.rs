//! Domain names in queries: parsed from text, validated, and stored in lower-case wire form.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hickory_proto::rr::{Label, Name};

use crate::error::NameError;

/// The maximum length of a name in wire form, including the root label, in bytes (RFC 1035 Section 3.1).
pub(super) const MAX_NAME: usize = 255;
/// The maximum length of a label in bytes (RFC 1035 Section 3.1).
pub(super) const MAX_LABEL: usize = 63;
/// The maximum length of a text that is parsed. 255 bytes, each written as `\DDD`, with a dot after each
/// label, fit.
const MAX_TEXT: usize = 2048;
/// The characters that IDNA treats as dots between labels (UTS 46 Section 4.5).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// A fully qualified domain name for queries, in lower case.
///
/// Names are parsed from their presentation form (RFC 1035 Section 5.1): labels separated by dots, with an
/// optional dot at the end; `.` is the root. Letters, digits, `-`, `_` and `*` stand for themselves. Any
/// other byte is written as `\DDD` in decimal, or as `\` and the character. Labels beyond ASCII are converted
/// to A-labels (IDNA, UTS 46); such a name cannot contain escapes. The text of an IPv6 address is accepted as
/// a single label. Such a name is answered locally and never sent.
///
/// ```
/// use privydns_core::QueryName;
///
/// let name: QueryName = "WWW.Example.com".parse()?;
/// assert_eq!(name.to_string(), "www.example.com.");
/// assert_eq!(name.as_wire(), b"\x03www\x07example\x03com\x00");
/// assert_eq!(QueryName::parse("bücher.example")?.to_string(), "xn--bcher-kva.example.");
/// # Ok::<(), privydns_core::NameError>(())
/// ```
#[derive(Clone)]
pub struct QueryName {
    len: u8,
    bytes: [u8; MAX_NAME],
}

impl QueryName {
    /// Parses a name from its presentation form.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text {
            "" => return Err(NameError::Empty),
            "." => return Ok(Self::root()),
            _ if text.len() > MAX_TEXT => return Err(NameError::TooLong),
            _ => {}
        }
        let mut builder = NameBuilder::new();
        if !text.is_ascii() {
            builder.push_international(text)?;
        } else if let Some(address) = ipv6_literal(text) {
            builder.push_label(address.to_string().as_bytes())?;
        } else {
            builder.push_text(text)?;
        }
        Ok(builder.finish())
    }

    /// The root, `.`.
    pub fn root() -> Self {
        Self { len: 1, bytes: [0; MAX_NAME] }
    }

    /// The name for reverse lookups of an address: in `in-addr.arpa` (RFC 1035 Section 3.5) or `ip6.arpa`
    /// (RFC 3596 Section 2.5).
    pub(super) fn reverse(address: IpAddr) -> Self {
        let text = match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(v6) => {
                let nibbles = v6.octets().into_iter().rev().flat_map(|byte| [byte & 0xf, byte >> 4]);
                nibbles.map(|nibble| format!("{nibble:x}.")).chain(["ip6.arpa".to_owned()]).collect()
            }
        };
        Self::parse(&text).expect("digits and dots within the limits of a name")
    }

    /// A name from labels, or an error if the labels exceed the limits of a name.
    pub(crate) fn from_labels<'l>(labels: impl IntoIterator<Item = &'l [u8]>) -> Result<Self, NameError> {
        let mut builder = NameBuilder::new();
        for label in labels {
            builder.push_label(label)?;
        }
        Ok(builder.finish())
    }

    /// The uncompressed wire form: each label after its length, then the zero byte of the root.
    pub fn as_wire(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The labels from left to right, without the root's.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        suffixes(self.as_wire()).map(|suffix| &suffix[1..=usize::from(suffix[0])])
    }

    /// The names above this one in wire form, the nearest first. The root is not included.
    ///
    /// ```
    /// # use privydns_core::QueryName;
    /// let name = QueryName::parse("www.example.com")?;
    /// assert!(name.parents().eq([&b"\x07example\x03com\x00"[..], &b"\x03com\x00"[..]]));
    /// # Ok::<(), privydns_core::NameError>(())
    /// ```
    pub fn parents(&self) -> impl Iterator<Item = &[u8]> {
        suffixes(self.as_wire()).skip(1)
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.len == 1
    }

    /// Whether this name equals `other` or is below it.
    pub fn is_subdomain_of(&self, other: &Self) -> bool {
        other.is_root() || suffixes(self.as_wire()).any(|suffix| suffix == other.as_wire())
    }

    /// The rightmost label, which is the top-level domain. `None` for the root.
    pub(crate) fn top_level(&self) -> Option<&[u8]> {
        self.labels().last()
    }

    /// The address, if the name is the text of an address such as `192.0.2.1` or `2001:db8::1`.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        let mut labels = self.labels();
        let first = labels.next()?;
        if let Some(second) = labels.next() {
            let parts = [first, second, labels.next()?, labels.next()?];
            let [a, b, c, d] = parts.map(decimal_byte);
            labels.next().is_none().then_some(())?;
            return Some(Ipv4Addr::new(a?, b?, c?, d?).into());
        }
        ipv6_literal(std::str::from_utf8(first).ok()?).map(IpAddr::from)
    }

    /// The name as a hickory-proto [`Name`].
    pub fn to_name(&self) -> Name {
        name_of(self.labels())
    }
}

/// A [`Name`] from labels that are known to keep the limits of a name.
pub(super) fn name_of<'l>(labels: impl Iterator<Item = &'l [u8]>) -> Name {
    labels.fold(Name::root(), |name, label| {
        name.append_label(label).expect("labels of 1 to 63 bytes, at most 255 together with their lengths")
    })
}

/// Writes a name in presentation form.
pub(super) fn write_labels<'l>(
    labels: impl Iterator<Item = &'l [u8]>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut is_root = true;
    for label in labels {
        is_root = false;
        for &byte in label {
            match byte {
                plain if is_plain(plain) => f.write_char(char::from(plain))?,
                0x21..=0x7e => write!(f, "\\{}", char::from(byte))?,
                _ => write!(f, "\\{byte:03}")?,
            }
        }
        f.write_char('.')?;
    }
    if is_root { f.write_char('.') } else { Ok(()) }
}

/// The name and each name above it except the root, in wire form.
fn suffixes(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let suffix = rest;
        let label = usize::from(*suffix.first()?);
        rest = &suffix[1 + label..];
        (label > 0).then_some(suffix)
    })
}

fn ipv6_literal(text: &str) -> Option<Ipv6Addr> {
    text.contains(':').then(|| text.parse().ok())?
}

fn decimal_byte(label: &[u8]) -> Option<u8> {
    let has_leading_zero = label.len() > 1 && label[0] == b'0';
    let is_number = label.iter().all(u8::is_ascii_digit) && !has_leading_zero;
    is_number.then(|| std::str::from_utf8(label).ok()?.parse().ok())?
}

/// Whether a byte stands for itself in a name's presentation form.
fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

/// A table, because every byte of every queried name is tested.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte: u8 = 0;
    while byte < u8::MAX {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*');
        byte += 1;
    }
    plain
};

/// A name under construction. The length byte of the open label is at `label`; the next byte is written at
/// `end`.
struct NameBuilder {
    bytes: [u8; MAX_NAME],
    label: usize,
    end: usize,
}

impl NameBuilder {
    fn new() -> Self {
        Self { bytes: [0; MAX_NAME], label: 0, end: 1 }
    }

    /// Parses ASCII labels, which may contain escapes.
    fn push_text(&mut self, text: &str) -> Result<(), NameError> {
        let mut rest = text.as_bytes();
        while let [byte, tail @ ..] = rest {
            rest = tail;
            match *byte {
                plain if is_plain(plain) => self.push(plain)?,
                b'.' => self.close_label()?,
                b'\\' => {
                    let (escaped, tail) = unescape(tail)?;
                    self.push(escaped)?;
                    rest = tail;
                }
                other => return Err(NameError::Character(char::from(other))),
            }
        }
        if self.open_label() > 0 { self.close_label() } else { Ok(()) }
    }

    /// Parses labels of which some are beyond ASCII. Escapes are not allowed.
    fn push_international(&mut self, text: &str) -> Result<(), NameError> {
        let text = text.strip_suffix(DOTS).unwrap_or(text);
        for label in text.split(DOTS) {
            if label.is_empty() {
                return Err(NameError::EmptyLabel);
            }
            if label.contains('\\') {
                return Err(NameError::Escape);
            }
            if label.is_ascii() {
                self.push_text(label)?;
                continue;
            }
            let ascii = Label::from_utf8(label).map_err(|_| NameError::Idna)?;
            // IDNA maps some characters to text that contains a dot, which a label must not.
            if !ascii.as_bytes().iter().copied().all(is_plain) {
                return Err(NameError::Idna);
            }
            self.push_label(ascii.as_bytes())?;
        }
        Ok(())
    }

    fn push_label(&mut self, label: &[u8]) -> Result<(), NameError> {
        label.iter().try_for_each(|byte| self.push(*byte))?;
        self.close_label()
    }

    /// Appends a byte in lower case to the open label.
    fn push(&mut self, byte: u8) -> Result<(), NameError> {
        if self.open_label() == MAX_LABEL {
            return Err(NameError::LabelTooLong);
        }
        // The last byte is the root's.
        if self.end >= MAX_NAME - 1 {
            return Err(NameError::TooLong);
        }
        self.bytes[self.end] = byte.to_ascii_lowercase();
        self.end += 1;
        Ok(())
    }

    fn open_label(&self) -> usize {
        self.end - self.label - 1
    }

    #[expect(clippy::cast_possible_truncation, reason = "a label has at most 63 bytes")]
    fn close_label(&mut self) -> Result<(), NameError> {
        let length = self.open_label();
        if length == 0 {
            return Err(NameError::EmptyLabel);
        }
        self.bytes[self.label] = length as u8;
        self.label = self.end;
        self.end += 1;
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a name has at most 255 bytes")]
    fn finish(self) -> QueryName {
        QueryName { len: (self.label + 1) as u8, bytes: self.bytes }
    }
}

/// Parses an escape after its backslash. Returns the byte and the text after the escape.
fn unescape(text: &[u8]) -> Result<(u8, &[u8]), NameError> {
    match text {
        [hundreds, tens, ones, rest @ ..]
            if [hundreds, tens, ones].iter().all(|digit| digit.is_ascii_digit()) =>
        {
            let value =
                [hundreds, tens, ones].iter().fold(0, |value, &digit| value * 10 + u16::from(digit - b'0'));
            Ok((u8::try_from(value).map_err(|_| NameError::Escape)?, rest))
        }
        [digit, ..] if digit.is_ascii_digit() => Err(NameError::Escape),
        [character @ 0x21..=0x7e, rest @ ..] => Ok((*character, rest)),
        _ => Err(NameError::Escape),
    }
}

impl FromStr for QueryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl fmt::Display for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_labels(self.labels(), f)
    }
}

impl fmt::Debug for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueryName({self})")
    }
}

impl PartialEq for QueryName {
    fn eq(&self, other: &Self) -> bool {
        self.as_wire() == other.as_wire()
    }
}

impl Eq for QueryName {}

impl Hash for QueryName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_wire().hash(state);
    }
}

impl PartialOrd for QueryName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares the wire forms. This is not the canonical order of DNSSEC.
impl Ord for QueryName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_wire().cmp(other.as_wire())
    }
}
