//! Names, queries and answers.

use std::sync::Arc;

use divan::{Bencher, black_box};
use privydns_core::{Message, Query, QueryName, RecordType};

use crate::peer;

/// A query from text.
#[divan::bench]
fn query() -> Query {
    Query::new(black_box("www.example.com."), RecordType::A).expect("a name")
}

/// Parsing an answer: the check against the query, finding the records, reading the TTLs.
#[divan::bench]
fn walk(bencher: Bencher<'_, '_>) {
    let (query, answer) = answer();
    bencher.bench_local(|| Message::parse(answer.clone(), black_box(&query)).expect("an answer"));
}

/// A query and its answer.
fn answer() -> (Query, Arc<[u8]>) {
    let query = Query::new("www.example.com.", RecordType::A).expect("a name");
    let mut bytes = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(QueryName::parse("www.example.com.").expect("a name").as_wire());
    bytes.extend_from_slice(&[0, 1, 0, 1]);
    (query, peer::answer(&bytes).into())
}
