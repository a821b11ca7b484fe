//! Every setting exists in configuration files, or is listed here with the reason why it is set in code only.

use std::collections::BTreeSet;

use super::*;

/// A type with setters, its source, and a file with an unknown field in the type's table.
type Table = (&'static str, &'static str, &'static str);

const TABLES: [Table; 4] = [
    ("ResolverBuilder", include_str!("../../builder.rs"), "unknown = 1"),
    ("CacheSettings", include_str!("../../../cache/settings.rs"), "[cache]\nunknown = 1"),
    ("Hedge", include_str!("../../../schedule/hedge.rs"), "[hedge]\nunknown = 1"),
    ("Upstream", include_str!("../../../upstream/mod.rs"), "[[upstreams]]\nunknown = 1"),
];
/// The code that converts files to settings.
const CONVERSION: [&str; 2] = [include_str!("../mod.rs"), include_str!("../entry.rs")];
/// Setters whose fields have other names, apart from the prefix `with_`.
const RENAMED: [(&str, &str); 5] = [
    ("route", "routes"),
    ("address", "addresses"),
    ("pin", "pins"),
    ("tbs_hash", "tbs_hashes"),
    ("client_certificate", "certificate"),
];
/// Setters without a field.
const CODE_ONLY: [(&str, &str); 2] = [
    ("upstream", "the field `upstreams` is a list, so `upstreams` sets all of them"),
    ("spread_key", "the key is secret, and files with settings are often readable by others"),
];

#[test]
fn every_setter_is_a_field_or_listed_as_code_only() {
    let code_only = |setter: &str| CODE_ONLY.iter().any(|(name, _)| *name == setter);
    for (owner, source, unknown) in TABLES {
        let (setters, fields) = (setters(source), fields(unknown));
        assert!(!setters.is_empty(), "{owner}");
        for setter in setters {
            let field = field(setter);
            assert_ne!(fields.contains(field), code_only(setter), "{owner}::{setter}, field `{field}`");
            assert!(code_only(setter) || is_called(owner, setter), "{owner}::{setter} is not called");
        }
    }
}

#[test]
fn every_exception_is_a_setter() {
    let all: BTreeSet<_> = TABLES.iter().flat_map(|(_, source, _)| setters(source)).collect();
    for (setter, _) in RENAMED.iter().chain(&CODE_ONLY) {
        assert!(all.contains(setter), "{setter}");
    }
}

/// The public functions that take `mut self`.
fn setters(source: &str) -> Vec<&str> {
    let functions = source.split("\n    pub fn ").skip(1);
    functions
        .filter_map(|function| {
            let (head, parameters) = function.split_once('(')?;
            let name = head.split('<').next()?;
            parameters.trim_start().starts_with("mut self").then_some(name)
        })
        .collect()
}

/// The fields of a table, from the error for an unknown field.
fn fields(unknown: &str) -> BTreeSet<String> {
    let error = toml::from_str::<ConfigFile>(unknown).expect_err("an unknown field").to_string();
    let (_, expected) =
        error.split_once("expected one of ").or(error.split_once("expected ")).expect("fields");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The name of a setter's field.
fn field(setter: &str) -> &str {
    let renamed = RENAMED.iter().find(|(name, _)| *name == setter).map(|(_, field)| *field);
    renamed.unwrap_or_else(|| setter.strip_prefix("with_").unwrap_or(setter))
}

/// Whether the conversion of files uses a setter, as a path or as a method.
fn is_called(owner: &str, setter: &str) -> bool {
    let is_whole = |rest: &str| !rest.starts_with(|char: char| char.is_alphanumeric() || char == '_');
    let uses = [format!("{owner}::{setter}"), format!(".{setter}(")];
    CONVERSION.iter().any(|source| {
        uses.iter()
            .any(|path| source.split(&**path).skip(1).any(|rest| path.ends_with('(') || is_whole(rest)))
    })
}
