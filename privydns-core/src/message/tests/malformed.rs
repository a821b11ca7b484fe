//! Invalid messages: each is a typed error, never a panic, and takes bounded work.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Calls every accessor of a message, to detect panics.
fn read_everything(bytes: &[u8], query: &Query) -> Result<(), MessageError> {
    let _ = (check_response(bytes, query), keepalive_of(bytes), id_of(bytes));
    let message = Message::parse(Arc::from(bytes), query)?;
    let _ = (message.lifetime(), message.target(), message.denial_of(query), format!("{message:?}"));
    let _ = (message.keepalive(), message.extended_errors());
    let kept = message.without_opt();
    let again = Message::parse(Arc::from(kept.as_wire()), query);
    // Without its OPT record, a failure can become a denial, whose SOA record is parsed.
    if message.outcome() != Outcome::Failure {
        assert_eq!(again, Ok(kept));
    }
    let answer = Answer::new(message, 1, Origin::new(Arc::from("test"), Transport::Tls, 0, Duration::ZERO));
    for records in [answer.records(), answer.answers(), answer.authorities(), answer.additionals()] {
        for record in records {
            let _ = (record.data(), record.address(), record.to_string());
        }
    }
    Message::parse(Arc::from(answer.to_wire()), query).expect("the wire form is a valid message");
    let _ = answer.canonical_name();
    Ok(())
}

#[test]
fn every_prefix_of_a_message_is_an_error() {
    let (query, response) = everything();
    assert_eq!(read_everything(&response.bytes, &query), Ok(()));
    for length in 0..response.bytes.len() {
        let error = read_everything(&response.bytes[..length], &query).unwrap_err();
        let expected = if length < HEADER { MessageError::TooShort } else { MessageError::UnexpectedEnd };
        let is_cut_option = matches!(error, MessageError::Opt(_));
        assert!(error == expected || is_cut_option, "{length}: {error:?}");
    }
}

#[test]
fn counts_larger_than_the_message_are_errors() {
    let (query, response) = everything();
    for count in [6, 7, 8, 9, 10, 11] {
        let mut more = response.clone();
        more.bytes[count] = 0xff;
        assert!(more.parse(&query).is_err(), "{count}");
    }
}

/// Invalid names as the owner of a record right after the question, which is for `a.` and ends at 19.
#[test]
fn each_kind_of_invalid_name_has_its_error() {
    let query = query("a", RecordType::A);
    let owner_at = u8::try_from(Response::to(&query).bytes.len()).unwrap();
    let long_label = [&[63][..], &[b'x'; 63]].concat();
    let rows: [(&str, Vec<u8>, MessageError); 13] = [
        ("points to itself", vec![0xc0, owner_at], MessageError::Pointer),
        ("points forward", vec![0xc0, owner_at + 2, 0], MessageError::Pointer),
        ("points far forward", vec![0xff, 0xff], MessageError::Pointer),
        ("points into the header", vec![0xc0, 11], MessageError::Pointer),
        ("points to the start", vec![0xc0, 0], MessageError::Pointer),
        ("points into its own label", vec![1, b'b', 0xc0, owner_at + 1], MessageError::Pointer),
        ("comes back to its own start", vec![1, b'b', 0xc0, owner_at], MessageError::Pointer),
        ("points to a label that goes on into itself", vec![0xc0, 16], MessageError::UnexpectedEnd),
        ("has a label of type 01", vec![0x41, 0], MessageError::LabelType(0x41)),
        ("has a label of type 10", vec![0x80, 0], MessageError::LabelType(0x80)),
        (
            "is 256 bytes long",
            [&long_label.repeat(3)[..], &[62], &[b'x'; 62], &[0]].concat(),
            MessageError::NameTooLong,
        ),
        (
            "is too long by its pointer",
            [&long_label.repeat(3)[..], &[60], &[b'x'; 60], QUESTION].concat(),
            MessageError::NameTooLong,
        ),
        ("ends within a label", vec![63, b'x'], MessageError::UnexpectedEnd),
    ];
    for (what, owner, error) in rows {
        let response = Response::to(&query).record(&owner, RecordType::A, 60, &[192, 0, 2, 1]);
        assert_eq!(response.parse(&query), Err(error), "{what}");
    }
    let fits: [Vec<u8>; 3] = [
        [&long_label.repeat(3)[..], &[61], &[b'x'; 61], &[0]].concat(),
        [&long_label.repeat(3)[..], &[59], &[b'x'; 59], QUESTION].concat(),
        vec![0xc0, 14],
    ];
    for owner in fits {
        let response = Response::to(&query).record(&owner, RecordType::A, 60, &[192, 0, 2, 1]);
        assert_eq!(read_everything(&response.bytes, &query), Ok(()));
    }
}

/// Pointers that lead to pointers: each leads backwards, but there are too many.
#[test]
fn long_chain_of_pointers_is_an_error() {
    let query = query("a", RecordType::A);
    let with = |pointers: u16| {
        let response = Response::to(&query);
        // The data of the first record contains the pointers. The first pointer leads to the question.
        let data_at = u16::try_from(response.bytes.len()).unwrap() + 2 + 10;
        let mut data = QUESTION.to_vec();
        for index in 0..pointers - 1 {
            data.extend_from_slice(&(0xc000 | (data_at + 2 * index)).to_be_bytes());
        }
        let last = 0xc000 | (data_at + 2 * (pointers - 1));
        let response = response.record(QUESTION, RecordType::from(65280), 60, &data);
        response.record(&last.to_be_bytes(), RecordType::A, 60, &[192, 0, 2, 1]).parse(&query)
    };
    // The pointer in the owner counts too.
    let most = u16::from(wire::MAX_POINTERS) - 1;
    assert_eq!(with(1).unwrap().outcome(), Outcome::Records);
    assert_eq!(with(most).unwrap().outcome(), Outcome::Records);
    assert_eq!(with(most + 1), Err(MessageError::Pointer));
    assert_eq!(with(2000), Err(MessageError::Pointer));
}

#[test]
fn invalid_opt_records_are_errors() {
    let query = query("a", RecordType::A);
    let response = Response::to(&query);
    let half = [&option(15, &[0, 1])[..], &[0, 12]].concat();
    let rows = [
        response.clone().record(&[0], RecordType::OPT, 0, &[]),
        response.clone().authorities().record(&[0], RecordType::OPT, 0, &[]),
        response.clone().additionals().record(QUESTION, RecordType::OPT, 0, &[]),
        response.clone().opt(0, &[]).opt(0, &[]),
        response.clone().opt(0, &[0]),
        response.clone().opt(0, &half),
        response.clone().opt(0, &[0, 12, 0, 1]),
        response.clone().opt(0, &[0, 12, 0xff, 0xff, 0]),
    ];
    for response in rows {
        let error = response.parse(&query).unwrap_err();
        assert!(matches!(error, MessageError::Opt(_)), "{error:?}");
        assert!(keepalive_of(&response.bytes).is_none());
    }
    // Unusual but valid: no options, an unknown or empty option, another version, and unassigned flags.
    for options in [Vec::new(), option(12, &[]), option(0xffff, b"any"), option(10, &[0; 24])] {
        assert!(response.clone().opt(0, &options).parse(&query).is_ok());
    }
    let odd = response.additionals().record_in(0, &[0], RecordType::OPT, 0x00ff_7fff, &[]);
    assert_eq!(odd.parse(&query).unwrap().outcome(), Outcome::NoData);
}

#[test]
fn randomly_changed_bytes_cause_no_panic() {
    let mut random = StdRng::seed_from_u64(1);
    let (query, response) = everything();
    for _ in 0..40_000 {
        let mut bytes = response.bytes.clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        let _ = read_everything(&bytes, &query);
    }
}

#[test]
fn random_bytes_after_the_question_cause_no_panic() {
    let mut random = StdRng::seed_from_u64(2);
    let query = query("a", RecordType::A);
    // Bytes that are likely to have a meaning.
    let telling = [0, 0, 0, 1, 2, 5, 6, 12, 15, 16, 41, 63, 64, 0xc0, 0xc0, 0xff];
    for _ in 0..40_000 {
        let mut bytes = Response::to(&query).bytes;
        bytes[7] = random.random_range(0..4);
        bytes[9] = random.random_range(0..2);
        bytes[11] = random.random_range(0..2);
        for _ in 0..random.random_range(0..80) {
            bytes.push(telling[random.random_range(0..telling.len())]);
        }
        let _ = read_everything(&bytes, &query);
    }
}

/// Data of every type, valid or not, is decoded or rejected.
#[test]
fn random_data_of_every_type_causes_no_panic() {
    let mut random = StdRng::seed_from_u64(3);
    for number in (0..=300).chain([32768, 32769, 65280, 65305, 65535]) {
        let record_type = RecordType::from(number);
        let query = query("a.example", record_type);
        for _ in 0..100 {
            let length = random.random_range(0..60);
            let data: Vec<u8> = (0..length)
                .map(|_| if random.random() { random.random() } else { random.random_range(0..4) })
                .collect();
            let _ =
                read_everything(&Response::to(&query).record(QUESTION, record_type, 60, &data).bytes, &query);
        }
    }
}
