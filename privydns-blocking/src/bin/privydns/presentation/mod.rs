//! Types, response codes and data in their presentation form (RFC 1035 Section 5.1, RFC 3597).

mod dnssec;

use data_encoding::HEXLOWER;
use privydns_blocking::rdata::SVCB;
use privydns_blocking::rdata::svcb::SvcParamKey;
use privydns_blocking::{RData, RecordType, ResponseCode};
use privydns_blocking::{Record, Transport};

/// The mnemonics of response codes, by number (IANA, DNS RCODEs).
const RCODES: [&str; 12] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "DSOTYPENI",
];

/// The name of a type, or its number as `TYPE65280`.
pub(crate) fn record_type(record_type: RecordType) -> String {
    match record_type {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

/// The mnemonic of a response code, or its number as `RCODE16`.
pub(crate) fn rcode(code: ResponseCode) -> String {
    let number = u16::from(code);
    RCODES.get(usize::from(number)).map_or_else(|| format!("RCODE{number}"), |name| (*name).to_owned())
}

/// What was spoken to get an answer.
pub(crate) fn protocol(spoken: Transport) -> &'static str {
    match spoken {
        Transport::Local => "local",
        Transport::Tls => "tls",
        Transport::MutualTls => "mtls",
        Transport::Http2 => "https/2",
        Transport::Http1 => "https/1.1",
        _ => "unknown",
    }
}

/// Name, TTL, class, type and data of a record.
pub(crate) fn row(record: &Record<'_>) -> [String; 5] {
    [
        record.name().to_ascii(),
        record.ttl().to_string(),
        record.class().to_string(),
        record_type(record.record_type()),
        data(record),
    ]
}

/// The width of each column, in characters.
pub(crate) fn widths<const N: usize>(rows: &[[String; N]]) -> [usize; N] {
    std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
}

/// The data of a record; unknown types are shown as bytes (RFC 3597 Section 5).
pub(crate) fn data(record: &Record<'_>) -> String {
    let known = match record.data() {
        Ok(RData::TXT(txt)) => {
            Some(txt.txt_data.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" "))
        }
        Ok(RData::SVCB(svcb)) => Some(service(&svcb)),
        Ok(RData::HTTPS(https)) => Some(service(&https)),
        Ok(RData::Unknown { .. } | RData::NULL(_)) | Err(_) => {
            dnssec::data(record.record_type(), record.data_bytes())
        }
        Ok(data) => Some(without_controls(&data.to_string())),
    };
    known.unwrap_or_else(|| bytes(record.data_bytes()))
}

fn bytes(data: &[u8]) -> String {
    format!("\\# {} {}", data.len(), HEXLOWER.encode(data)).trim_end().to_owned()
}

/// A character string in quotes, whatever is in it.
fn quoted(text: &[u8]) -> String {
    let escaped = text.iter().map(|byte| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\{byte:03}"),
    });
    format!("\"{}\"", escaped.collect::<Vec<_>>().concat())
}

/// A service binding (RFC 9460 Section 2.1).
fn service(svcb: &SVCB) -> String {
    let parameters = svcb.svc_params.iter().map(|(key, value)| match key {
        SvcParamKey::NoDefaultAlpn => format!(" {key}"),
        _ => format!(" {key}={}", value.to_string().trim_end_matches(',')),
    });
    let parameters = parameters.collect::<Vec<_>>().concat();
    without_controls(&format!("{} {}{parameters}", svcb.svc_priority, svcb.target_name))
}

/// Text from the network, without what a terminal would obey.
fn without_controls(text: &str) -> String {
    let escaped = text.chars().map(|character| {
        if character.is_control() { character.escape_default().to_string() } else { character.to_string() }
    });
    escaped.collect()
}
