//! Runs every target over its seeds and over small changes of them: a short fuzzing run with every test run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::reference::Reference;
use super::{Block, seeds};

/// The number of changes of each seed.
const CHANGES: usize = 60;
/// Bytes with a meaning in one of the formats.
const ODD: [u8; 8] = [0, 1, 0x0a, 0x0d, 0x3f, 0x40, 0xc0, 0xff];

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 9] = [
    ("cache", super::cache),
    ("dot", super::dot),
    ("engine", super::engine),
    ("hpack", hpack_matches_h2),
    ("http1", super::http1),
    ("http2", super::http2),
    ("message", super::message),
    ("proxy", super::proxy),
    ("upstream", super::upstream),
];

fn hpack_matches_h2(input: &[u8]) {
    let mut reference = Reference::new();
    super::hpack(input, &mut |block, came_to| match came_to {
        Block::Whole(fields) => reference.agrees(block, true, fields),
        Block::Broken(fields) => reference.agrees(block, false, fields),
    });
}

#[test]
fn cache_seeds_pass() {
    passes("cache");
}

#[test]
fn dot_seeds_pass() {
    passes("dot");
}

#[test]
fn engine_seeds_pass() {
    passes("engine");
}

#[test]
fn hpack_seeds_pass() {
    passes("hpack");
}

#[test]
fn http1_seeds_pass() {
    passes("http1");
}

#[test]
fn http2_seeds_pass() {
    passes("http2");
}

#[test]
fn message_seeds_pass() {
    passes("message");
}

#[test]
fn proxy_seeds_pass() {
    passes("proxy");
}

#[test]
fn upstream_seeds_pass() {
    passes("upstream");
}

/// Runs a target over its seeds and changes of them. The output names the seed of a failure.
fn passes(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(other, _)| *other == name).expect("a target");
    let seeds = committed(name);
    assert!(!seeds.is_empty(), "{name} has seeds");
    let mut random = StdRng::seed_from_u64(1);
    for (seed, bytes) in seeds {
        println!("{name}/{seed}");
        target(&bytes);
        for _ in 0..CHANGES {
            let changed = changed(&bytes, &mut random);
            println!("{}", data_encoding::HEXLOWER.encode(&changed));
            target(&changed);
        }
    }
}

/// Changes, inserts, removes or truncates bytes.
fn changed(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=3) {
        let at = random.random_range(0..=bytes.len());
        let byte = if random.random() { random.random() } else { ODD[random.random_range(0..ODD.len())] };
        match random.random_range(0..4) {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            _ if at < bytes.len() => bytes[at] = byte,
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// The seeds of a target in the repository, by file name.
fn committed(target: &str) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder(target)).expect("the target's seeds");
    files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("a seed"))
        })
        .collect()
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target)
}

/// The generated seeds are those in the repository, which may contain others: inputs that once found a fault.
#[test]
fn generated_seeds_match_the_repository() {
    for (target, made) in seeds::all() {
        let committed = committed(target);
        for (name, bytes) in made {
            assert_eq!(
                committed.get(name),
                Some(&bytes),
                "{target}/{name}: run `cargo test -p privydns-core write_seeds -- --ignored`"
            );
        }
    }
}

#[test]
#[ignore = "writes the seeds into the repository"]
fn write_seeds() {
    for (target, made) in seeds::all() {
        fs::create_dir_all(folder(target)).expect("a folder");
        for (name, bytes) in made {
            fs::write(folder(target).join(name), bytes).expect("a seed written");
        }
    }
}
