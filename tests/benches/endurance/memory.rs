//! The memory use of this process, which is available on Linux.

use std::fs;

/// The resident memory in bytes.
pub(crate) fn resident() -> u64 {
    field("VmRSS:")
}

/// The peak resident memory in bytes.
pub(crate) fn peak() -> u64 {
    field("VmHWM:")
}

/// Formats a number of bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn field(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kibibytes = line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
