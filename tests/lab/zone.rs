//! The zone that the servers serve, as a zone file and as expected records.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use data_encoding::HEXLOWER;
use privydns_core::{Answer, RData, RecordType};

const ZONE: &str = include_str!("zones/example.test.zone");

/// The number of the names `n0`, `n1` and so on.
pub(crate) const NUMBERED: u32 = 512;

/// The number of addresses of `fat.example.test`. The message has fewer than 65,535 bytes with compressed
/// names, and more without compression.
pub(crate) const FAT: u32 = 4000;

/// The records of the zone, by name and type.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) text: String,
    sets: Sets,
}

/// Record sets by name and type.
type Sets = BTreeMap<(String, u16), Set>;

/// The records of one name and type.
#[derive(Debug, PartialEq)]
pub(crate) struct Set {
    pub(crate) ttl: u32,
    data: Vec<Data>,
}

/// The data of a record: parsed fields, or bytes if the zone file uses the generic form (RFC 3597 Section 5).
#[derive(Debug, PartialEq)]
enum Data {
    Fields(RData),
    Bytes(Vec<u8>),
}

impl Zone {
    pub(crate) fn new() -> Self {
        let mut text = ZONE.to_owned();
        for letter in ('a'..='z').chain('A'..='D') {
            let string = format!(" \"{}\"", letter.to_string().repeat(250)).repeat(8);
            writeln!(text, "huge.example.test. 300 IN TXT{string}").expect("writing to a string cannot fail");
        }
        let sets = read(text.lines());
        for number in 0..NUMBERED {
            writeln!(text, "{} 300 IN A {}", numbered(number), numbered_address(number))
                .expect("writing to a string cannot fail");
        }
        for number in 0..FAT {
            writeln!(text, "fat.example.test. 300 IN A {}", Ipv4Addr::from_bits(0x0a00_0000 + number))
                .expect("writing to a string cannot fail");
        }
        Self { text, sets }
    }

    pub(crate) fn set(&self, name: &str, record_type: RecordType) -> &Set {
        &self.sets[&(name.to_owned(), record_type.into())]
    }

    /// All record sets, except the numbered names and `fat`. A wildcard is replaced by a name that it covers.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (String, RecordType, &Set)> {
        self.sets
            .iter()
            .map(|((name, number), set)| (name.replace('*', "covered"), RecordType::from(*number), set))
    }
}

impl Set {
    pub(crate) fn of(data: impl IntoIterator<Item = RData>) -> Self {
        Self { ttl: 0, data: data.into_iter().map(Data::Fields).collect() }
    }

    /// Whether the zone file uses the generic form, which is necessary for types that hickory cannot parse.
    pub(crate) fn is_generic(&self) -> bool {
        self.data.iter().any(|data| matches!(data, Data::Bytes(_)))
    }

    /// Compares an answer with this set. The error describes the first difference.
    pub(crate) fn compare(&self, answer: &Answer, ttls: std::ops::RangeInclusive<u32>) -> Result<(), String> {
        let records: Vec<_> = answer.records().collect();
        if records.len() != self.data.len() {
            return Err(format!("{} records for {}", records.len(), self.data.len()));
        }
        for data in &self.data {
            let is_there = records.iter().any(|record| match data {
                Data::Fields(fields) => record.data().as_ref() == Ok(fields),
                Data::Bytes(bytes) => record.data_bytes() == bytes,
            });
            if !is_there {
                return Err(format!("no {data:?} among {records:?}"));
            }
        }
        match records.iter().find(|record| !ttls.contains(&record.ttl())) {
            Some(record) => Err(format!("TTL {} is not in {ttls:?}", record.ttl())),
            None => Ok(()),
        }
    }
}

/// One of the numbered names. Each has its own address.
pub(crate) fn numbered(number: u32) -> String {
    format!("n{}.example.test.", number % NUMBERED)
}

pub(crate) fn numbered_address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number % NUMBERED)
}

/// Parses records, one per line. Lines that start with a semicolon are comments.
pub(crate) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Sets {
    let mut sets = Sets::new();
    for line in lines.filter(|line| !line.starts_with(';') && !line.is_empty()) {
        let (name, record_type, ttl, data) = record(line).unwrap_or_else(|| panic!("{line}"));
        let set = sets.entry((name, record_type.into())).or_insert(Set { ttl, data: Vec::new() });
        set.data.push(data);
    }
    sets
}

fn record(line: &str) -> Option<(String, RecordType, u32, Data)> {
    let mut fields = line.splitn(5, ' ');
    let (name, ttl, _class) = (fields.next()?.to_owned(), fields.next()?.parse().ok()?, fields.next()?);
    let (record_type, data) = (fields.next()?, fields.next()?);
    let record_type = match record_type.strip_prefix("TYPE") {
        Some(number) => RecordType::from(number.parse::<u16>().ok()?),
        None if record_type == "LOC" => RecordType::from(29),
        None => record_type.parse().ok()?,
    };
    let data = match data.strip_prefix("\\# ") {
        Some(generic) => Data::Bytes(HEXLOWER.decode(generic.split_once(' ')?.1.as_bytes()).ok()?),
        None => Data::Fields(RData::try_from_str(record_type, data).ok()?),
    };
    Some((name, record_type, ttl, data))
}
