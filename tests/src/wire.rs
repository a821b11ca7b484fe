//! Parsing of queries in place, without a DNS library.
//!
//! The servers parse queries by hand and build answers with hickory-proto. A client that uses hickory-proto to
//! build queries is therefore not checked by its own code.

/// The length of a DNS header in bytes.
pub(crate) const HEADER: usize = 12;

/// The type of the OPT record (RFC 6891 Section 6.1.1).
const OPT: u16 = 41;

/// A query with one question, parsed as far as an answer needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    bytes: &'a [u8],
    name: &'a [u8],
    opt: Option<Opt<'a>>,
}

impl<'a> Query<'a> {
    /// Parses a query. Returns `None` if the bytes are not a query with exactly one question and well-formed
    /// records.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let is_query = bytes.len() >= HEADER && bytes[2] & 0b1000_0000 == 0;
        if !is_query || counts(bytes)[..3] != [1, 0, 0] {
            return None;
        }
        let mut reader = Reader { bytes, at: HEADER };
        let name = reader.name()?;
        reader.take(4)?;
        let mut opt = None;
        for _ in 0..counts(bytes)[3] {
            let is_root = reader.name()? == [0];
            let [kind, payload] = [reader.u16()?, reader.u16()?];
            let flags = reader.take(4)?;
            let length = reader.u16()?;
            let options = reader.take(length.into())?;
            if is_root && kind == OPT {
                opt = Some(Opt { payload, flags: flags.try_into().ok()?, options });
            }
        }
        Some(Self { bytes, name, opt })
    }

    pub(crate) fn id(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    pub(crate) fn opcode(&self) -> u8 {
        self.bytes[2] >> 3 & 0b1111
    }

    pub(crate) fn recursion_desired(&self) -> bool {
        self.bytes[2] & 1 != 0
    }

    pub(crate) fn authentic_data(&self) -> bool {
        self.bytes[3] & 0b0010_0000 != 0
    }

    pub(crate) fn checking_disabled(&self) -> bool {
        self.bytes[3] & 0b0001_0000 != 0
    }

    /// The queried name in wire format.
    pub(crate) fn name(&self) -> &'a [u8] {
        self.name
    }

    /// The labels of the name, without the root.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.name;
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (label, after) = after.split_at(length.into());
            rest = after;
            (length > 0).then_some(label)
        })
    }

    pub(crate) fn record_type(&self) -> u16 {
        self.u16_after_name(0)
    }

    pub(crate) fn class(&self) -> u16 {
        self.u16_after_name(2)
    }

    /// The question section in wire format.
    pub(crate) fn question(&self) -> &'a [u8] {
        &self.bytes[HEADER..HEADER + self.name.len() + 4]
    }

    pub(crate) fn opt(&self) -> Option<Opt<'a>> {
        self.opt
    }

    fn u16_after_name(&self, offset: usize) -> u16 {
        let at = HEADER + self.name.len() + offset;
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }
}

/// The OPT record of a query (RFC 6891 Section 6.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opt<'a> {
    pub(crate) payload: u16,
    flags: [u8; 4],
    options: &'a [u8],
}

impl<'a> Opt<'a> {
    pub(crate) fn dnssec_ok(&self) -> bool {
        self.flags[2] & 0b1000_0000 != 0
    }

    /// The options in the order of the message, up to the first truncated option.
    pub(crate) fn options(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut reader = Reader { bytes: self.options, at: 0 };
        std::iter::from_fn(move || {
            let code = reader.u16()?;
            let length = reader.u16()?;
            Some((code, reader.take(length.into())?))
        })
    }

    pub(crate) fn option(&self, code: u16) -> Option<&'a [u8]> {
        self.options().find_map(|(found, data)| (found == code).then_some(data))
    }
}

/// The offsets of the type fields of all records in a message, whose names may be compressed. `None` if the
/// message is malformed.
pub(crate) fn records(message: &[u8]) -> Option<Vec<usize>> {
    let mut reader = Reader { bytes: message, at: 0 };
    reader.take(HEADER)?;
    let [questions, sections @ ..] = counts(message).map(usize::from);
    for _ in 0..questions {
        reader.compressed_name()?;
        reader.take(4)?;
    }
    let mut offsets = Vec::new();
    for _ in 0..sections.iter().sum() {
        reader.compressed_name()?;
        offsets.push(reader.at);
        reader.take(8)?;
        let length = reader.u16()?;
        reader.take(length.into())?;
    }
    Some(offsets)
}

/// The smallest TTL of the records in a well-formed message. The OPT record has no TTL and is skipped.
pub(crate) fn smallest_ttl(message: &[u8]) -> Option<u32> {
    let records = records(message)?.into_iter().filter(|&at| message[at..at + 2] != OPT.to_be_bytes());
    records.filter_map(|at| message[at + 4..].first_chunk().map(|ttl| u32::from_be_bytes(*ttl))).min()
}

/// The four section counts in the header.
pub(crate) fn counts(bytes: &[u8]) -> [u16; 4] {
    [4, 6, 8, 10].map(|at| u16::from_be_bytes([bytes[at], bytes[at + 1]]))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Reads an uncompressed name. Queries do not need compression.
    fn name(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        loop {
            match self.take(1)?[0] {
                0 => break,
                length @ 1..=63 => _ = self.take(length.into())?,
                64.. => return None,
            }
        }
        let name = &self.bytes[start..self.at];
        (name.len() <= 255).then_some(name)
    }

    /// Skips a name that may end in a compression pointer.
    fn compressed_name(&mut self) -> Option<()> {
        loop {
            match self.take(1)?[0] {
                0 => return Some(()),
                length @ 1..=63 => _ = self.take(length.into())?,
                64.. => return self.take(1).map(|_| ()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] =
        b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01\x03wWw\x04test\x00\x00\x1c\x00\x01\
        \x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x0a\x00\x0b\x00\x00\x00\x0c\x00\x02\x00\x00";

    #[test]
    fn query_is_parsed_in_place() {
        let query = Query::read(QUERY).unwrap();
        assert_eq!(query.id(), 0x1234);
        assert_eq!(query.opcode(), 0);
        assert!(query.recursion_desired() && query.authentic_data() && !query.checking_disabled());
        assert_eq!(query.labels().collect::<Vec<_>>(), [&b"wWw"[..], b"test"]);
        assert_eq!((query.record_type(), query.class()), (28, 1));
        let opt = query.opt().unwrap();
        assert_eq!((opt.payload, opt.dnssec_ok()), (1232, true));
        assert_eq!(opt.options().collect::<Vec<_>>(), [(11, &b""[..]), (12, b"\0\0")]);
    }

    #[test]
    fn truncated_query_is_rejected() {
        for length in 0..QUERY.len() {
            assert!(Query::read(&QUERY[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn response_is_not_parsed_as_a_query() {
        let mut response = QUERY.to_vec();
        response[2] |= 0x80;
        assert!(Query::read(&response).is_none());
    }
}
