//! Mutations: rules are broken on purpose, one at a time, in a copy of the sources, and a test has to fail each time.
//!
//! `list` contains the mutations: what is broken, the file, the text and its replacement, and the tests that catch the
//! mutation. A plain `cargo test` checks that the list fits the sources and names existing tests. Running the mutations
//! takes minutes and needs a separate command:
//!
//! ```text
//! cargo test -p privydns-core --test mutations -- --ignored --nocapture
//! PRIVYDNS_MUTATION=keepalive cargo test -p privydns-core --test mutations -- --ignored --nocapture
//! ```

mod copy;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use copy::Copy;

/// One mutation.
struct Mutation {
    /// The effect of the mutation, in words.
    what: String,
    edits: Vec<Edit>,
    tests: Vec<Test>,
}

struct Edit {
    /// The path below the crate's folder.
    file: String,
    /// The text to replace, which occurs exactly once.
    from: String,
    to: Vec<String>,
}

/// A test that has to fail.
struct Test {
    /// `lib`, or the name of an integration test.
    place: String,
    name: String,
}

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Parses the list: `# what`, `file`, `- from`, `+ to` for each line, `= place test`.
fn mutations() -> Vec<Mutation> {
    let list = fs::read_to_string(crate_folder().join("tests/mutations/list")).expect("the list");
    let mut mutations: Vec<Mutation> = Vec::new();
    let mut file = "";
    for line in list.lines().filter(|line| !line.is_empty()) {
        let (mark, text) = line.split_at_checked(2).unwrap_or((line, ""));
        if mark == "# " {
            mutations.push(Mutation { what: text.to_owned(), edits: Vec::new(), tests: Vec::new() });
            continue;
        }
        let mutation = mutations.last_mut().expect("the list begins with a `#`");
        match mark.trim_end() {
            "-" => {
                let edit = Edit { file: file.to_owned(), from: text.to_owned(), to: Vec::new() };
                mutation.edits.push(edit);
            }
            "+" => mutation.edits.last_mut().expect("`+` comes after `-`").to.push(text.to_owned()),
            "=" => {
                let (place, name) = text.split_once(' ').expect("a place and a test");
                mutation.tests.push(Test { place: place.to_owned(), name: name.to_owned() });
            }
            _ => file = line,
        }
    }
    mutations
}

impl Edit {
    /// The mutated file, or the reason why the mutation does not apply.
    fn made(&self, source: &str) -> Result<String, String> {
        match source.matches(&self.from).count() {
            1 => Ok(source.replacen(&self.from, &self.to.join("\n"), 1)),
            count => Err(format!("{} has it {count} times: {}", self.file, self.from)),
        }
    }
}

impl Mutation {
    fn apply(&self, folder: &Path) -> Result<(), String> {
        for edit in &self.edits {
            let path = folder.join(&edit.file);
            let source = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", edit.file))?;
            fs::write(&path, edit.made(&source)?).expect("the copy can be written to");
        }
        Ok(())
    }

    /// Runs the tests of a mutation. Returns the reason if one of them passes.
    fn is_caught(&self, copy: &Copy) -> Result<(), String> {
        self.apply(&copy.crate_folder())?;
        for Test { place, name } in &self.tests {
            let build = cargo(copy, place).arg("--no-run").output().expect("cargo runs");
            if !build.status.success() {
                return Err(format!("it does not compile:\n{}", String::from_utf8_lossy(&build.stderr)));
            }
            let run = cargo(copy, place).arg(name).output().expect("cargo runs");
            if !String::from_utf8_lossy(&run.stdout).contains("test result: FAILED") {
                return Err(format!("`{name}` passes"));
            }
        }
        Ok(())
    }
}

fn cargo(copy: &Copy, place: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(copy.crate_folder()).env("CARGO_TARGET_DIR", copy.target()).args(["test", "--quiet"]);
    match place {
        "lib" => cargo.arg("--lib"),
        file => cargo.args(["--test", file]),
    };
    cargo
}

#[test]
fn mutation_list_fits_the_sources_and_names_existing_tests() {
    let tests = names_of_functions();
    let mutations = mutations();
    for Mutation { what, edits, tests: catching } in &mutations {
        let mut made: Vec<(&str, String)> = Vec::new();
        for edit in edits {
            let before = made.iter().rfind(|(file, _)| *file == edit.file).map(|(_, source)| source.clone());
            let source = before.unwrap_or_else(|| {
                fs::read_to_string(crate_folder().join(&edit.file)).expect("a file of the crate")
            });
            let source = edit.made(&source).unwrap_or_else(|problem| panic!("{what} {problem}"));
            made.push((&edit.file, source));
        }
        assert!(!made.is_empty() && !catching.is_empty(), "{what} has no edit, or no test that catches it");
        for test in catching {
            assert!(tests.contains(&test.name), "{what} names a test that does not exist: {}", test.name);
        }
    }
    println!("mutations: {}", mutations.len());
}

/// The names of all functions in the crate's sources and tests.
fn names_of_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![crate_folder().join("src"), crate_folder().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the crate") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(path).expect("a source file");
                let functions = source.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
                names.extend(
                    functions.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned()),
                );
            }
        }
    }
    names
}

/// `PRIVYDNS_MUTATION` selects mutations by a part of their description.
#[test]
#[ignore = "takes five minutes"]
fn every_mutation_is_caught() {
    let wanted = env::var("PRIVYDNS_MUTATION").unwrap_or_default();
    let mutations = mutations();
    let mut missed = Vec::new();
    let mut tried = 0;
    for mutation in mutations.iter().filter(|mutation| mutation.what.contains(&wanted)) {
        let copy = Copy::of_the_workspace();
        tried += 1;
        match mutation.is_caught(&copy) {
            Ok(()) => println!("caught: {}", mutation.what),
            Err(problem) => {
                println!("MISSED: {} {problem}", mutation.what);
                missed.push(&mutation.what);
            }
        }
    }
    // Reverts the last mutation, so that the copy is unchanged.
    drop(Copy::of_the_workspace());
    println!("{} of {tried} mutations caught", tried - missed.len());
    assert!(tried > 0 && missed.is_empty(), "{missed:#?}");
}
