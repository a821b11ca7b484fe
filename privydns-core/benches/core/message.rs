//! Names, queries and answers.

use std::sync::Arc;

use divan::{Bencher, black_box};
use privydns_core::testkit::message::{QUESTION_NAME, Response, name, question};
use privydns_core::{Message, Query, RecordType};

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
    let question = question(&name("www.example.com"), RecordType::A.into());
    let answer =
        Response::to(&question).id(7).answer(QUESTION_NAME, RecordType::A.into(), 300, &[192, 0, 2, 1]);
    (query, answer.bytes().into())
}
