//! The memory of this process, where the system says it: on Linux.

use std::fs;

/// What it has at present, in octets.
pub(crate) fn resident() -> u64 {
    field("VmRSS:")
}

/// The most that it has had.
pub(crate) fn peak() -> u64 {
    field("VmHWM:")
}

/// In a form to be printed.
pub(crate) fn mebibytes(octets: u64) -> String {
    format!("{:.1} MiB", octets as f64 / f64::from(1 << 20))
}

fn field(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kibibytes = line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
