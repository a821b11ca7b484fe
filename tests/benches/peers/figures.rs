//! Figures of lines: storage, spread and ratios.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::measure::{Measure, Unit, median};

/// All figures of one line.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) line: String,
    pub(crate) measures: Vec<(String, Unit)>,
    /// The samples of each client, with a value for each measure. The first client is the floor.
    pub(crate) clients: Vec<(String, Vec<Vec<f64>>)>,
}

/// The median and the range of a figure over all rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Figures {
    pub(crate) fn new(line: &str, measures: &[Measure], clients: &[&str]) -> Self {
        Self {
            line: line.to_owned(),
            measures: measures.iter().map(|measure| (measure.name.to_owned(), measure.unit)).collect(),
            clients: clients.iter().map(|name| ((*name).to_owned(), Vec::new())).collect(),
        }
    }

    pub(crate) fn has(&self, client: &str) -> bool {
        self.clients.iter().any(|(name, _)| name == client)
    }

    pub(crate) fn unit(&self, measure: &str) -> Option<Unit> {
        self.measures.iter().find(|(name, _)| name == measure).map(|(_, unit)| *unit)
    }

    /// The spread of a client's figure over the rounds.
    pub(crate) fn spread(&self, client: &str, measure: &str) -> Option<Spread> {
        Spread::new(&self.values(client, measure)?)
    }

    /// The ratio of a client's figure to another client's, computed for each round: a disturbance in a round
    /// affects both.
    pub(crate) fn ratio(&self, client: &str, other: &str, measure: &str) -> Option<Spread> {
        let values = self.values(client, measure)?.into_iter().zip(self.values(other, measure)?);
        Spread::new(&values.map(|(value, other)| value / other).collect::<Vec<_>>())
    }

    fn values(&self, client: &str, measure: &str) -> Option<Vec<f64>> {
        let place = self.measures.iter().position(|(name, _)| name == measure)?;
        let (_, samples) = self.clients.iter().find(|(name, _)| name == client)?;
        samples.iter().map(|sample| sample.get(place).copied()).collect()
    }

    pub(crate) fn to_json(&self) -> Value {
        let measures: Vec<_> = self.measures.iter().map(|(name, unit)| json!([name, unit.name()])).collect();
        let client = |(name, samples): &(String, Vec<Vec<f64>>)| {
            let spreads: BTreeMap<_, _> = self
                .measures
                .iter()
                .filter_map(|(measure, _)| Some((measure, self.spread(name, measure)?)))
                .map(|(measure, Spread { median, min, max })| {
                    (measure, json!({ "median": median, "min": min, "max": max }))
                })
                .collect();
            json!({ "client": name, "samples": samples, "figures": spreads })
        };
        let clients: Vec<_> = self.clients.iter().map(client).collect();
        json!({ "line": self.line, "measures": measures, "clients": clients })
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let measure = |value: &Value| Some((value[0].as_str()?.to_owned(), Unit::named(value[1].as_str()?)?));
        let client = |value: &Value| {
            let sample = |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect();
            let samples = value["samples"].as_array()?.iter().map(sample).collect::<Option<_>>()?;
            Some((value["client"].as_str()?.to_owned(), samples))
        };
        Some(Self {
            line: value["line"].as_str()?.to_owned(),
            measures: value["measures"].as_array()?.iter().map(measure).collect::<Option<_>>()?,
            clients: value["clients"].as_array()?.iter().map(client).collect::<Option<_>>()?,
        })
    }
}

impl Spread {
    fn new(values: &[f64]) -> Option<Self> {
        let [min, max] = [f64::min, f64::max].map(|least| values.iter().copied().reduce(least));
        Some(Self { median: median(values), min: min?, max: max? })
    }
}

/// Reads the figures stored in a file, replaces the figures of the new lines, and writes the file.
pub(crate) fn keep(path: &Path, new: Vec<Figures>, order: &[String]) -> io::Result<Vec<Figures>> {
    let kept = fs::read_to_string(path).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let kept = kept.as_ref().and_then(|kept| kept["lines"].as_array());
    let mut all: Vec<_> = kept.into_iter().flatten().filter_map(Figures::from_json).collect();
    all.retain(|old| new.iter().all(|figures| figures.line != old.line));
    all.extend(new);
    all.sort_by_key(|figures| order.iter().position(|line| *line == figures.line));
    let lines: Vec<_> = all.iter().map(Figures::to_json).collect();
    fs::write(path, format!("{:#}\n", json!({ "lines": lines })))?;
    Ok(all)
}
