//! Figures as the repository keeps them, with their environment.

use std::fs;
use std::io;

use toml::Table;

use crate::environment::Environment;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/record.toml");

const HEADER: &str = "# Instructions per operation. Written by: \
    cargo bench -p privydns-tests --bench instructions -- --record\n\n";

/// How many times its record a figure may be. The figures of two runs differ by less than 0.5 %.
const TOLERANCE: f64 = 1.03;

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) environment: Environment,
    /// Lines and their instructions per operation.
    pub(crate) figures: Vec<(String, u32)>,
}

impl Record {
    /// The record of the repository.
    pub(crate) fn read() -> io::Result<Self> {
        let text = fs::read_to_string(PATH)?;
        let table: Table = text.parse().map_err(io::Error::other)?;
        let part = |name| table.get(name).and_then(|part| part.as_table()).cloned().unwrap_or_default();
        let figure =
            |(line, value): (String, toml::Value)| Some((line, value.as_integer()?.try_into().ok()?));
        Ok(Self {
            environment: Environment::from_toml(&part("environment")),
            figures: part("instructions").into_iter().filter_map(figure).collect(),
        })
    }

    pub(crate) fn write(&self) -> io::Result<()> {
        let figure = |(line, figure): &(String, u32)| (line.clone(), i64::from(*figure).into());
        let figures: Table = self.figures.iter().map(figure).collect();
        let parts = [("environment", self.environment.to_toml()), ("instructions", figures)];
        let table: Table = parts.into_iter().map(|(name, part)| (name.to_owned(), part.into())).collect();
        fs::write(PATH, format!("{HEADER}{table}"))
    }

    pub(crate) fn figure(&self, line: &str) -> Option<u32> {
        self.figures.iter().find(|(name, _)| name == line).map(|(_, figure)| *figure)
    }

    /// Fails if a figure is higher than the record allows. In another environment than the record's there is no
    /// failure.
    pub(crate) fn check(&self, recorded: &Self) -> io::Result<()> {
        if self.environment != recorded.environment {
            println!("not compared with the record, whose environment differs:");
            for difference in self.environment.differences(&recorded.environment) {
                println!("  {difference}");
            }
            return Ok(());
        }
        let is_higher = |(line, figure): &&(String, u32)| {
            recorded.figure(line).is_some_and(|recorded| f64::from(*figure) > f64::from(recorded) * TOLERANCE)
        };
        let higher: Vec<_> = self.figures.iter().filter(is_higher).map(|(line, _)| line.as_str()).collect();
        if higher.is_empty() {
            return Ok(());
        }
        let message = format!("more than 3 % above the record: {}", higher.join(", "));
        Err(io::Error::other(message))
    }
}
