//! Parsers for the values of options.

use std::net::IpAddr;
use std::time::Duration;

use privydns_blocking::{ClientSubnet, RecordType};

/// The longest timeout of a lookup.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a time with its unit.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text).map_err(|error| error.to_string())? {
        Duration::ZERO => Err("the timeout must be greater than zero".to_owned()),
        time if time > DAY => Err("a lookup may take at most a day".to_owned()),
        time => Ok(time),
    }
}

/// Parses `0`, or a network as address and prefix length.
pub(crate) fn subnet(text: &str) -> Result<ClientSubnet, &'static str> {
    if text == "0" {
        return Ok(ClientSubnet::Withheld);
    }
    let (address, length) =
        text.split_once('/').ok_or("missing prefix length: write 192.0.2.0/24, or 0 to send no subnet")?;
    let address: IpAddr = address.parse().map_err(|_| "no IP address before the `/`")?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    match length.parse() {
        Ok(length) if length <= longest => Ok(ClientSubnet::Prefix { address, length }),
        _ => Err("the prefix length is not a number of bits of this address"),
    }
}

/// Parses a record type by name or number (RFC 3597 Section 5), ignoring case.
pub(crate) fn record_type(text: &str) -> Result<RecordType, String> {
    let name = text.to_ascii_uppercase();
    let number = name.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok());
    let record_type = match number {
        Some(number) => RecordType::from(number),
        None => name.parse().map_err(|_| {
            format!("unknown record type {text:?}; every type can be written by number, as TYPE65")
        })?,
    };
    match record_type {
        RecordType::AXFR | RecordType::IXFR => {
            Err(format!("{name} is a zone transfer, which is not supported"))
        }
        RecordType::OPT | RecordType::TSIG | RecordType::ZERO => {
            Err(format!("{name} cannot be looked up: it is not a type of zone data"))
        }
        known => Ok(known),
    }
}
