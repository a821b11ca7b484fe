//! Tables in Markdown, aligned so that they can be read where they are printed.

use std::fmt::Write as _;

/// The first row is the header.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows[0].len();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut table = String::new();
    for (place, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            _ = write!(table, "| {cell:width$} ");
        }
        table.push_str("|\n");
        if place == 0 {
            for width in &widths {
                _ = write!(table, "|{:-<width$}", "", width = width + 2);
            }
            table.push_str("|\n");
        }
    }
    table
}
