//! Modules of `src` import only modules after them in the order below, so that their imports have no cycles.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, from the API for callers down to the modules without imports. `ARCHITECTURE.md` states the
/// same order.
const ORDER: [&str; 21] = [
    "handle",
    "engine",
    "connection",
    "shared",
    "config",
    "discovery",
    "schedule",
    "stats",
    "cache",
    "doh",
    "addresses",
    "upstream",
    "proxy",
    "tls",
    "message",
    "protocol",
    "error",
    "http_head",
    "logging",
    "syntax",
    "budget",
];
/// Modules outside the order: code for fuzzing, for tests and for documentation.
const UNORDERED: [&str; 3] = ["fuzzing", "guide", "testkit"];
/// Types of hickory-proto that the crate re-exports at its root, where every module may import them.
const REEXPORTED: [&str; 5] = ["DNSClass", "Name", "RData", "RecordType", "ResponseCode"];

/// An import of a top-level module by another one.
struct Import {
    file: PathBuf,
    from: String,
    to: String,
}

#[test]
fn modules_import_only_modules_after_them() {
    let wrong: Vec<_> = imports().iter().filter_map(problem).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_place_in_the_order() {
    let listed: BTreeSet<_> = ORDER.iter().chain(&UNORDERED).map(|name| (*name).to_owned()).collect();
    let present: BTreeSet<_> = sources().iter().filter_map(|file| module(file)).collect();
    assert_eq!(present, listed);
}

/// Describes an import that the order forbids.
fn problem(import: &Import) -> Option<String> {
    let Import { file, from, to } = import;
    let place = |name: &str| ORDER.iter().position(|module| *module == name);
    match (place(from)?, place(to)) {
        _ if from == to || REEXPORTED.contains(&to.as_str()) => None,
        (own, Some(other)) if own < other => None,
        (_, Some(_)) => Some(format!("{}: `{from}` imports `{to}`, which is before it", file.display())),
        (_, None) => Some(format!("{}: `{from}` imports `crate::{to}`, not a module's path", file.display())),
    }
}

fn imports() -> Vec<Import> {
    let mut imports = Vec::new();
    for file in sources() {
        let Some(from) = module(&file) else { continue };
        let text = fs::read_to_string(&file).expect("a source file");
        for to in imported(&code(&text), depth(&file)) {
            imports.push(Import { file: file.clone(), from: from.clone(), to });
        }
    }
    imports
}

/// The source files without tests.
fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("a directory entry").path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if stem == "tests" || stem == "testing" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The top-level module of a file; `None` for `lib.rs`.
fn module(file: &Path) -> Option<String> {
    let path = file.strip_prefix(root()).expect("a file below src").with_extension("");
    let name = path.iter().next()?.to_str()?;
    (name != "lib").then(|| name.to_owned())
}

/// How many `super` lead from a file's module to the root of the crate.
fn depth(file: &Path) -> usize {
    let path = file.strip_prefix(root()).expect("a file below src").with_extension("");
    path.iter().filter(|part| *part != "mod").count()
}

/// The code of a file, without comments and without test modules.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("//")).collect()
}

/// The names that follow `crate::` and, as its equal, `super::` repeated up to the root.
fn imported(code: &str, depth: usize) -> BTreeSet<String> {
    let above = "super::".repeat(depth);
    let starts = ["crate::", &above];
    let rests = starts.iter().flat_map(|start| code.split(start).skip(1));
    rests.flat_map(first_names).collect()
}

/// The first name of a path, or the first names of all paths of a `{...}` group.
fn first_names(rest: &str) -> Vec<String> {
    let name = |path: &str| {
        let path = path.trim();
        let end = path.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(path.len());
        path[..end].to_owned()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut names = Vec::new();
    let (mut nesting, mut start) = (0, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => nesting += 1,
            ',' | '}' if nesting == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            '}' => nesting -= 1,
            _ => {}
        }
        if char == '}' && start == at + 1 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn imports_are_found_in_paths_and_groups() {
    let code = code(
        "use crate::{cache::{self, Store}, tls};\n// crate::engine\nlet x = crate::error::Error;\n\
         use super::super::message::Name;\n#[cfg(test)]\nmod tests { use crate::handle; }",
    );
    let found: Vec<_> = imported(&code, 2).into_iter().collect();
    assert_eq!(found, ["cache", "error", "message", "tls"]);
}
