//! The performance targets of PrivyDNS, and whether they are met.

use crate::figures::Figures;

/// A bound on one figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    line: &'static str,
    measure: &'static str,
    /// The client with the figure.
    client: &'static str,
    bound: Bound,
    /// The client to compare with. If `None`, the bound applies to the figure itself.
    by: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A target and the measured value.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) line: &'static str,
    pub(crate) measure: &'static str,
    pub(crate) client: &'static str,
    pub(crate) target: String,
    pub(crate) reached: String,
    pub(crate) is_met: bool,
}

const TOKIO: &str = "privydns-tokio";
const BLOCKING: &str = "privydns-blocking";

/// All targets, in the order of the lines.
pub(crate) fn all() -> Vec<Target> {
    use Bound::{AtLeast, AtMost};

    let mut all = Vec::new();
    for client in [TOKIO, BLOCKING] {
        let mut add = |line, measure, bound, by| all.push(Target { line, measure, client, bound, by });
        add("dot-cold", "p50", AtMost(1.1), Some("floor-raw"));
        add("dot-herd", "connections", AtMost(1.0), None);
        add("dot-warm", "p50", AtMost(1.05), Some("floor-raw"));
        add("dot-warm", "CPU a query", AtMost(1.0), Some("floor-mux"));
        add("dot-100", "q/s", AtLeast(0.6), Some("floor-mux"));
        add("dot-100", "q/s", AtLeast(1.8), Some("domain"));
        add("dot-100", "q/s", AtLeast(5.0), Some("hickory"));
        add("dot-100", "p99", AtMost(3.0), Some("floor-mux"));
        add("dot-1000", "q/s", AtLeast(0.35), Some("floor-mux"));
        add("dot-1000", "q/s", AtLeast(2.0), Some("domain"));
        add("dot-1000", "failed", AtMost(0.0), None);
        add("dot-1000", "connections", AtMost(1.0), None);
        add("doh-cold", "p50", AtMost(1.1), Some("floor-h2"));
        add("doh-herd", "connections", AtMost(1.0), None);
        add("doh-warm", "p50", AtMost(1.05), Some("floor-h2"));
        add("doh-100", "q/s", AtLeast(2.0), Some("floor-h2"));
        add("doh-100", "q/s", AtLeast(4.0), Some("hickory"));
        add("hits-1k", "a hit", AtMost(0.5), Some("hickory"));
        add("hits-1k-threads-2", "a hit", AtMost(0.5), Some("hickory"));
        add("allocations-hit", "allocations", AtMost(0.0), None);
        add("allocations-dot", "allocations", AtMost(12.0), None);
        add("allocations-doh", "allocations", AtMost(30.0), None);
        add("heap", "an entry", AtMost(300.0), None);
        add("minimal", "crates", AtMost(if client == TOKIO { 85.0 } else { 78.0 }), None);
        add("minimal", "binary", AtMost(2.0 / 3.0), Some("hickory"));
        add("minimal", "build CPU", AtMost(2.0 / 3.0), Some("hickory"));
    }
    all.sort_by_key(|target| ORDER.iter().position(|line| target.line.starts_with(line)));
    all
}

/// Prefixes of line names, in the order of the table.
const ORDER: &[&str] = &["dot", "doh", "hits", "allocations", "heap", "minimal"];

impl Target {
    /// Compares the figures with the target, if the figures are of the same line.
    pub(crate) fn judge(&self, figures: &Figures) -> Option<Verdict> {
        let Self { line, measure, client, bound, by } = *self;
        if figures.line != line || !figures.has(client) {
            return None;
        }
        let value = match by {
            Some(other) => figures.ratio(client, other, measure)?,
            None => figures.spread(client, measure)?,
        };
        let write = |value: f64| match by {
            Some(other) => format!("{value:.2} × {other}"),
            None => figures.unit(measure).map_or_else(|| value.to_string(), |unit| unit.write(value)),
        };
        let (target, is_met) = match bound {
            Bound::AtLeast(least) => (format!("≥ {}", write(least)), value.median >= least),
            Bound::AtMost(most) => (format!("≤ {}", write(most)), value.median <= most),
        };
        Some(Verdict { line, measure, client, target, reached: write(value.median), is_met })
    }
}
