//! The data of DNSSEC's records (RFC 4034), which are shown and not validated.

use std::time::{Duration, UNIX_EPOCH};

use data_encoding::{BASE32HEX_NOPAD, BASE64, HEXUPPER};
use privydns_blocking::{Name, RecordType};

/// The data in its presentation form; none where it is malformed, or of another type.
pub(super) fn data(record_type: RecordType, bytes: &[u8]) -> Option<String> {
    let mut data = Data(bytes);
    match record_type {
        RecordType::DS | RecordType::CDS => data.digest(),
        RecordType::DNSKEY | RecordType::CDNSKEY => data.key(),
        RecordType::RRSIG => data.signature(),
        RecordType::NSEC => data.next_name(),
        RecordType::NSEC3 => data.next_hash(),
        _ => None,
    }
}

/// What is left of the data.
struct Data<'d>(&'d [u8]);

impl<'d> Data<'d> {
    /// DS (RFC 4034 Section 5.3).
    fn digest(&mut self) -> Option<String> {
        let (tag, algorithm, kind) = (self.u16()?, self.u8()?, self.u8()?);
        Some(format!("{tag} {algorithm} {kind} {}", HEXUPPER.encode(self.0)))
    }

    /// DNSKEY (RFC 4034 Section 2.2).
    fn key(&mut self) -> Option<String> {
        let (flags, protocol, algorithm) = (self.u16()?, self.u8()?, self.u8()?);
        Some(format!("{flags} {protocol} {algorithm} {}", BASE64.encode(self.0)))
    }

    /// RRSIG (RFC 4034 Section 3.2).
    fn signature(&mut self) -> Option<String> {
        let covered = super::record_type(self.u16()?.into());
        let (algorithm, labels, ttl) = (self.u8()?, self.u8()?, self.u32()?);
        let (expiration, inception, tag) = (date(self.u32()?), date(self.u32()?), self.u16()?);
        let (signer, signature) = (self.name()?, BASE64.encode(self.0));
        Some(format!(
            "{covered} {algorithm} {labels} {ttl} {expiration} {inception} {tag} {signer} {signature}"
        ))
    }

    /// NSEC (RFC 4034 Section 4.2).
    fn next_name(&mut self) -> Option<String> {
        let next = self.name()?;
        Some(format!("{next}{}", self.types()?))
    }

    /// NSEC3 (RFC 5155 Section 3.3).
    fn next_hash(&mut self) -> Option<String> {
        let (algorithm, flags, iterations) = (self.u8()?, self.u8()?, self.u16()?);
        let salt = match self.counted()? {
            [] => "-".to_owned(),
            salt => HEXUPPER.encode(salt),
        };
        let next = BASE32HEX_NOPAD.encode(self.counted()?);
        Some(format!("{algorithm} {flags} {iterations} {salt} {next}{}", self.types()?))
    }

    /// A bit map of types (RFC 4034 Section 4.1.2), each with a space before it.
    fn types(&mut self) -> Option<String> {
        let mut types = String::new();
        while !self.0.is_empty() {
            let window = u16::from(self.u8()?) << 8;
            for (index, byte) in (0_u16..32).zip(self.counted()?) {
                let bits = (0_u16..8).filter(|bit| byte & (0x80 >> bit) != 0);
                for number in bits.map(|bit| window | (index * 8) | bit) {
                    types += " ";
                    types += &super::record_type(number.into());
                }
            }
        }
        Some(types)
    }

    /// A name, which is never compressed here.
    fn name(&mut self) -> Option<String> {
        let mut labels = Vec::new();
        loop {
            match self.counted()? {
                [] => return Name::from_labels(labels).ok().map(|name| name.to_ascii()),
                label => labels.push(label),
            }
        }
    }

    /// As many bytes as the one before them says.
    fn counted(&mut self) -> Option<&'d [u8]> {
        let length = usize::from(self.u8()?);
        let (counted, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(counted)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

/// A time as `YYYYMMDDHHmmSS`, in UTC.
fn date(seconds: u32) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(seconds.into());
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4034 Sections 2.3, 3.3, 4.3 and 5.4, their long parts cut.
    #[test]
    fn records_are_written_as_in_the_rfc() {
        let name = b"\x07example\x03com\x00";
        let key = [&[1, 0, 3, 5], &b"key"[..]].concat();
        assert_eq!(data(RecordType::DNSKEY, &key).unwrap(), "256 3 5 a2V5");
        assert_eq!(data(RecordType::DS, &[0xec, 0x45, 5, 1, 0x2b, 0xb1]).unwrap(), "60485 5 1 2BB1");
        let dates = [1_048_354_263_u32.to_be_bytes(), 1_045_762_263_u32.to_be_bytes()].concat();
        let signature = [&[0, 1, 5, 3, 0, 1, 0x51, 0x80], &dates[..], &[0x0a, 0x52], name, b"sig"].concat();
        assert_eq!(
            data(RecordType::RRSIG, &signature).unwrap(),
            "A 5 3 86400 20030322173103 20030220173103 2642 example.com. c2ln"
        );
        let bitmap = [0, 6, 0x40, 1, 0, 0, 0, 3, 4, 1, 0, 0, 0, 0];
        let next = [&b"\x04host"[..], name, &bitmap[..8]].concat();
        assert_eq!(data(RecordType::NSEC, &next).unwrap(), "host.example.com. A MX RRSIG NSEC");
    }

    #[test]
    fn data_cut_anywhere_is_not_shown_as_more_than_it_is() {
        let whole = b"\x04host\x07example\x03com\x00\x00\x01\x40";
        assert_eq!(data(RecordType::NSEC, whole).unwrap(), "host.example.com. A");
        for length in 0..whole.len() {
            let cut = data(RecordType::NSEC, &whole[..length]);
            assert!(cut.is_none_or(|text| text == "host.example.com."), "{length}");
        }
    }
}
