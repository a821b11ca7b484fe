//! The tables of the comparison.

use std::fmt::Write as _;

use crate::aligned::aligned;
use crate::figures::Figures;
use crate::measure::Unit;
use crate::target::{self, Verdict};

/// The table of one line: medians, ranges over the rounds, and ratios to the floor.
pub(crate) fn of_line(figures: &Figures) -> String {
    let mut rows = vec![vec![figures.line.clone()]];
    rows[0].extend(figures.measures.iter().map(|(name, _)| name.clone()));
    let floor =
        figures.clients.first().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("floor"));
    for (client, _) in &figures.clients {
        let cell = |(measure, unit): &(String, Unit)| {
            let Some(spread) = figures.spread(client, measure) else { return "-".to_owned() };
            let mut cell = unit.write(spread.median);
            if spread.min < spread.max {
                let [min, max] = [spread.min, spread.max].map(|value| unit.write(value));
                _ = write!(cell, " ({min} to {max})");
            }
            let ratio = floor
                .filter(|floor| floor != client && matches!(unit, Unit::Time | Unit::Rate | Unit::Bytes))
                .and_then(|floor| figures.ratio(client, floor, measure));
            if let Some(ratio) = ratio {
                _ = write!(cell, " ×{:.2}", ratio.median);
            }
            cell
        };
        let mut row = vec![client.clone()];
        row.extend(figures.measures.iter().map(cell));
        rows.push(row);
    }
    aligned(&rows)
}

/// The table of all targets that these figures belong to.
pub(crate) fn of_targets(all: &[Figures]) -> String {
    let header = ["line", "client", "figure", "target", "reached", ""].map(str::to_owned).to_vec();
    let verdicts = target::all()
        .into_iter()
        .flat_map(|target| all.iter().filter_map(move |figures| target.judge(figures)).collect::<Vec<_>>());
    let row = |verdict: Verdict| {
        let mark = if verdict.is_met { "met" } else { "**MISSED**" };
        let [line, client, measure] = [verdict.line, verdict.client, verdict.measure].map(str::to_owned);
        vec![line, client, measure, verdict.target, verdict.reached, mark.to_owned()]
    };
    let mut rows = vec![header];
    rows.extend(verdicts.map(row));
    if rows.len() == 1 { String::new() } else { aligned(&rows) }
}
