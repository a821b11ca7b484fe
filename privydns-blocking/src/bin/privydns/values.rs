//! The values of options, from their texts.

use std::net::IpAddr;
use std::time::Duration;

use privydns_blocking::{ClientSubnet, RecordType};

/// The longest time that a lookup may take.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A time with its unit.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text).map_err(|error| error.to_string())? {
        Duration::ZERO => Err("nothing can be done in no time".to_owned()),
        time if time > DAY => Err("a lookup may take at most a day".to_owned()),
        time => Ok(time),
    }
}

/// `0`, or a network with the length of its prefix.
pub(crate) fn subnet(text: &str) -> Result<ClientSubnet, &'static str> {
    if text == "0" {
        return Ok(ClientSubnet::Withheld);
    }
    let (address, length) =
        text.split_once('/').ok_or("it needs a length, as 192.0.2.0/24, or is 0 to have nothing told")?;
    let address: IpAddr = address.parse().map_err(|_| "what is before the `/` is no IP address")?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    match length.parse() {
        Ok(length) if length <= longest => Ok(ClientSubnet::Prefix { address, length }),
        _ => Err("the length of the prefix is no number of bits of such an address"),
    }
}

/// A record type by its name or number (RFC 3597 Section 5), in whatever case.
pub(crate) fn record_type(text: &str) -> Result<RecordType, String> {
    let name = text.to_ascii_uppercase();
    let number = name.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok());
    let record_type = match number {
        Some(number) => RecordType::from(number),
        None => name.parse().map_err(|_| {
            format!(
                "{text:?} is no record type that is known by name; any can be written as its number, TYPE65"
            )
        })?,
    };
    match record_type {
        RecordType::AXFR | RecordType::IXFR => Err(format!("{name} is a zone transfer, and no lookup")),
        RecordType::OPT | RecordType::TSIG | RecordType::ZERO => {
            Err(format!("{name} is no type of records that a name can have"))
        }
        known => Ok(known),
    }
}
