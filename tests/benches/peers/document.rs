//! The tables in PERFORMANCE.md.

use std::fs;
use std::io;

use crate::figures::Figures;
use crate::marks::{PATH, replace};
use crate::table;

/// The parts of the document: the name of the marks, and the prefixes of the lines in this part.
const PARTS: &[(&str, &[&str])] = &[
    ("dot", &["dot"]),
    ("doh", &["doh"]),
    ("cache", &["hits", "heap"]),
    ("allocations", &["allocations"]),
    ("minimal", &["minimal"]),
    ("growth", &["growth"]),
];

/// Writes the tables between the marks of the document.
pub(crate) fn write(all: &[Figures]) -> io::Result<()> {
    let mut document = fs::read_to_string(PATH)?;
    replace(&mut document, "targets", &table::of_targets(all))?;
    for (part, beginnings) in PARTS {
        let is_in_it = |figures: &&Figures| beginnings.iter().any(|start| figures.line.starts_with(start));
        let tables: Vec<_> = all.iter().filter(is_in_it).map(table::of_line).collect();
        replace(&mut document, part, &tables.join("\n"))?;
    }
    fs::write(PATH, document)
}
