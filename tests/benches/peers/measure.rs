//! The measures of figures, and how figures are formatted.

use std::time::Duration;

/// One of a line's measures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds.
    Time,
    /// Per second.
    Rate,
    /// A fraction of 1.
    Share,
    /// Bytes of memory or of a file.
    Bytes,
    Count,
}

impl Measure {
    pub(crate) const fn new(name: &'static str, unit: Unit) -> Self {
        Self { name, unit }
    }
}

impl Unit {
    const NAMES: [(Self, &str); 5] = [
        (Self::Time, "seconds"),
        (Self::Rate, "per second"),
        (Self::Share, "share"),
        (Self::Bytes, "bytes"),
        (Self::Count, "count"),
    ];

    /// The name in files.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(unit, _)| *unit == self).map_or("", |(_, name)| name)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, other)| *other == name).map(|(unit, _)| *unit)
    }

    /// Formats a figure with three significant digits.
    pub(crate) fn write(self, value: f64) -> String {
        match self {
            Self::Time if value >= 1.0 => format!("{} s", digits(value)),
            Self::Time if value >= 1e-3 => format!("{} ms", digits(value * 1e3)),
            Self::Time if value >= 1e-6 => format!("{} µs", digits(value * 1e6)),
            Self::Time => format!("{} ns", digits(value * 1e9)),
            Self::Rate if value >= 1e6 => format!("{}M", digits(value / 1e6)),
            Self::Rate if value >= 1e3 => format!("{}k", digits(value / 1e3)),
            Self::Bytes if value >= 1e6 => format!("{} KiB", digits(value / 1024.0)),
            Self::Bytes => format!("{} B", digits(value)),
            Self::Share => format!("{:.0} %", value * 100.0),
            Self::Rate | Self::Count => digits(value),
        }
    }
}

fn digits(value: f64) -> String {
    let decimals = if value.fract() == 0.0 || value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// The percentile of a set of times.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    let place = (times.len() * percent / 100).min(times.len() - 1);
    *times.select_nth_unstable(place).1
}

/// The median.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
