//! Checks CONFORMANCE.md: every requirement and every test that the document names must exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The number of requirements.
const REQUIREMENTS: usize = 47;
/// The requirements for DNS over QUIC, which is not implemented.
const WAITING: [usize; 2] = [34, 35];

/// One requirement.
struct Row {
    number: usize,
    text: String,
}

impl Row {
    /// The names of tests after the words that introduce them.
    fn tests(&self) -> impl Iterator<Item = &str> {
        let shown = self.text.split_once("Shown by ").map_or("", |(_, shown)| shown);
        shown.split('`').skip(1).step_by(2)
    }
}

#[test]
fn every_requirement_names_existing_tests() {
    let rows = rows();
    let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=REQUIREMENTS).collect::<Vec<_>>(), "each number once, in order");

    let there = tests();
    for row in &rows {
        if WAITING.contains(&row.number) {
            assert!(row.text.contains("not implemented"), "{}: what is missing", row.number);
            continue;
        }
        assert!(row.tests().next().is_some(), "{}: no test is named", row.number);
        for test in row.tests() {
            assert!(there.contains(test), "{}: there is no test `{test}`", row.number);
        }
    }
    let tests: BTreeSet<_> = rows.iter().flat_map(Row::tests).collect();
    let shown = rows.iter().filter(|row| row.tests().next().is_some()).count();
    println!("conformance: {shown} of {REQUIREMENTS} requirements shown by {} tests", tests.len());
}

/// The numbered items of the document, each with its lines.
fn rows() -> Vec<Row> {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CONFORMANCE.md"));
    let mut rows: Vec<Row> = Vec::new();
    for line in document.expect("the document").lines() {
        let number = line.split_once(". ").and_then(|(number, _)| number.parse().ok());
        match (number, rows.last_mut()) {
            (Some(number), _) => rows.push(Row { number, text: line.to_owned() }),
            (None, Some(row)) if line.starts_with(' ') => {
                row.text.push(' ');
                row.text.push_str(line.trim());
            }
            _ => {}
        }
    }
    rows
}

/// The names of all tests in the workspace: functions with a test attribute, and functions of the end-to-end suites,
/// from whose list tests are generated for every backend.
fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let source = fs::read_to_string(&path).expect("a source file");
                let functions = source.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn "));
                let names = functions.filter_map(|(_, rest)| rest.split_once('('));
                tests.extend(names.map(|(name, _)| name.to_owned()));
                if path.ends_with("end_to_end/main.rs") {
                    tests.extend(source.lines().map(str::trim).filter(is_name).map(str::to_owned));
                }
            }
        }
    }
    tests
}

/// Whether a line consists of the name of a function.
fn is_name(line: &&str) -> bool {
    !line.is_empty() && line.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}
