use std::fmt::Write as _;

use super::table::Table;
use super::{Decoder, HpackError, encode, huffman, integer};
use crate::connection::http2::tests::Draw;

/// RFC 7541 Appendices C.2 to C.6: connections of several blocks, with the table's size after each.
#[test]
fn rfc_7541_examples_decode_as_specified() {
    for connection in appendix_c() {
        let mut decoder = Decoder::new(connection.table);
        for (hex, fields, table_size) in connection.blocks {
            let meant: Vec<_> =
                fields.lines().map(|line| line.trim().split_once(": ").unwrap()).map(owned).collect();
            assert_eq!(decode(&mut decoder, &octets(hex)).unwrap(), meant, "{}", connection.section);
            assert_eq!(decoder.table().size(), *table_size, "{}", connection.section);
        }
    }
}

/// RFC 7541 Appendix C.1, and the limit of Section 5.1.
#[test]
fn integers_round_trip_and_are_limited() {
    for (value, prefix, octets) in
        [(10, 5, &[0x0a][..]), (1337, 5, &[0x1f, 0x9a, 0x0a]), (42, 8, &[0x2a]), (127, 7, &[0x7f, 0])]
    {
        let mut out = Vec::new();
        integer::encode(value, prefix, 0, &mut out);
        assert_eq!(out, octets);
    }
    for prefix in 1..=8 {
        for value in (0..5000).chain([16_383, 16_384, (1 << 28) - 1]) {
            let mut out = Vec::new();
            integer::encode(value, prefix, 0, &mut out);
            out.push(0xaa);
            let mut rest = &out[..];
            assert_eq!(integer::decode(prefix, &mut rest), Ok(value));
            assert_eq!(rest, [0xaa], "the byte after the integer is not consumed");
            let mut cut = &out[..out.len() - 2];
            assert_eq!(integer::decode(prefix, &mut cut), Err(HpackError::Truncated));
        }
    }
    let largest = &mut &[0x1f, 0xff, 0xff, 0xff, 0x7f][..];
    assert_eq!(integer::decode(5, largest), Ok((1 << 28) - 1 + 31));
    for too_large in [&[0x1f, 0xff, 0xff, 0xff, 0xff, 0x00][..], &[0x1f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]]
    {
        assert_eq!(integer::decode(5, &mut &*too_large), Err(HpackError::IntegerTooLarge));
    }
}

/// RFC 7541 Appendix B, checked with an encoder that is derived here from the lengths of the codes.
#[test]
fn every_byte_has_its_huffman_code() {
    let filled: u64 = huffman::CODE_LENGTHS.iter().map(|&length| 1u64 << (30 - length)).sum();
    assert_eq!(filled, 1 << 30, "the code is complete");

    let every: Vec<u8> = (0..=255).collect();
    let mut draw = Draw::new(7541);
    let random = (0..2000).map(|_| {
        let length = draw.below(40);
        draw.octets(length)
    });
    for text in random.chain([every, Vec::new()]) {
        let mut out = Vec::new();
        assert_eq!(huffman::decode(&huffman_encode(&text), &mut out), Ok(()));
        assert_eq!(out, text);
    }
}

/// RFC 7541 Section 5.2.
#[test]
fn huffman_padding_is_at_most_7_ones() {
    // `0` is 00000, `a` is 00011, and the end of string is thirty ones.
    type Row = (&'static [u8], Result<&'static [u8], HpackError>);
    let rows: [Row; 9] = [
        (&[0b0000_0111], Ok(b"0")),
        (&[0b0000_0011], Err(HpackError::Padding)),
        (&[0b0000_0110], Err(HpackError::Padding)),
        (&[0b0000_0000], Err(HpackError::Padding)),
        (&[0b0000_0111, 0xff], Err(HpackError::Padding)),
        (&[0xff], Err(HpackError::Padding)),
        (&[0xff, 0xff, 0xff, 0xff], Err(HpackError::EndOfString)),
        (&[0b0001_1111, 0xff, 0xff, 0xff, 0xff], Err(HpackError::EndOfString)),
        (&[], Ok(b"")),
    ];
    for (input, expected) in rows {
        let mut out = Vec::new();
        let result = huffman::decode(input, &mut out).map(|()| &out[..]);
        assert_eq!(result, expected, "{input:02x?}");
    }
}

#[test]
fn invalid_field_blocks_are_errors() {
    // A literal `n: vvvv` that is added to the table, followed by the bytes of each row.
    let with_entry = |rest: &[u8]| [&[0x40, 1, b'n', 4, b'v', b'v', b'v', b'v'], rest].concat();
    let rows: [(&str, Vec<u8>, HpackError); 12] = [
        ("RFC 7541 Section 6.1: index 0", vec![0x80], HpackError::NoSuchIndex),
        ("RFC 7541 Section 2.3.3: an index beyond the tables", vec![0xbe], HpackError::NoSuchIndex),
        ("the same, with an entry in the dynamic table", with_entry(&[0xbf]), HpackError::NoSuchIndex),
        ("a name's index beyond the tables", vec![0x0f, 0x7f, 0], HpackError::NoSuchIndex),
        ("RFC 7541 Section 6.3: a size over the limit", vec![0x3f, 0xe2, 0x1f], HpackError::TableTooLarge),
        ("RFC 7541 Section 4.2: a late size update", vec![0x82, 0x20], HpackError::LateResize),
        ("the same, after a literal", with_entry(&[0x20]), HpackError::LateResize),
        ("a name that ends early", vec![0x40, 5, b'n'], HpackError::Truncated),
        ("a value that ends early", vec![0x44, 5, b'/'], HpackError::Truncated),
        ("a value that is not there", vec![0x44], HpackError::Truncated),
        ("RFC 7541 Section 5.1: an endless integer", vec![0xff; 20], HpackError::IntegerTooLarge),
        (
            "a string's endless length",
            [&[0x44][..], &[0x7f; 1], &[0xff; 9]].concat(),
            HpackError::IntegerTooLarge,
        ),
    ];
    for (what, block, expected) in rows {
        assert_eq!(decode(&mut Decoder::new(4096), &block), Err(expected), "{what}");
    }
}

/// RFC 7541 Sections 4.2 to 4.4.
#[test]
fn dynamic_table_evicts_and_resizes() {
    let insert = |name: u8, length: usize| {
        [&[0x40, 1, name, u8::try_from(length).unwrap()], &vec![b'v'; length][..]].concat()
    };
    let mut decoder = Decoder::new(100);
    decode(&mut decoder, &insert(b'a', 10)).unwrap();
    decode(&mut decoder, &insert(b'b', 20)).unwrap();
    assert_eq!(decoder.table().size(), 43 + 53);
    decode(&mut decoder, &insert(b'c', 10)).unwrap();
    assert_eq!(decoder.table().size(), 53 + 43, "the oldest entry is evicted");
    assert_eq!(decode(&mut decoder, &[0xbf]).unwrap()[0].0, b"b");
    decode(&mut decoder, &insert(b'd', 100)).unwrap();
    assert_eq!(decoder.table().size(), 0, "an entry larger than the table empties the table");

    decode(&mut decoder, &insert(b'e', 10)).unwrap();
    decode(&mut decoder, &insert(b'f', 10)).unwrap();
    decode(&mut decoder, &[0x3f, 19, 0x88]).unwrap();
    assert_eq!(decoder.table().size(), 43, "50 bytes have room for one of the two entries");
    decode(&mut decoder, &[0x20, 0x3f, 69]).unwrap();
    assert_eq!(decoder.table().size(), 0, "two size updates: to 0, and back to 100");

    // A name from an entry that the insertion itself evicts.
    decode(&mut decoder, &insert(b'g', 60)).unwrap();
    let block = [&[0x7e, 60][..], &[b'w'; 60]].concat();
    assert_eq!(decode(&mut decoder, &block).unwrap(), [(b"g".to_vec(), vec![b'w'; 60])]);
    assert_eq!(decode(&mut decoder, &[0xbe]).unwrap(), [(b"g".to_vec(), vec![b'w'; 60])]);
}

/// Compares the buffer behind the table with a table that is a plain list.
#[test]
fn dynamic_table_equals_a_bounded_list() {
    let mut draw = Draw::new(44);
    for capacity in [0, 40, 200, 4096] {
        let mut table = Table::new(capacity);
        let mut list: Vec<Field> = Vec::new();
        for _ in 0..3000 {
            let (name_length, value_length) = (draw.below(30), draw.below(60));
            let (name, value) = (draw.octets(name_length), draw.octets(value_length));
            table.insert(&name, &value);
            list.insert(0, (name, value));
            while list.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>() > capacity {
                list.pop();
            }
            for (index, (name, value)) in list.iter().enumerate() {
                assert_eq!(table.field(62 + index), Some((&name[..], &value[..])));
            }
            assert_eq!(table.field(62 + list.len()), None);
            assert!(table.bytes_held() <= 2 * capacity);
        }
    }
}

#[test]
fn random_bytes_do_not_break_the_decoder() {
    let mut draw = Draw::new(9113);
    let mut decoder = Decoder::new(4096);
    for _ in 0..100_000 {
        let length = draw.below(64);
        let block = draw.octets(length);
        let mut fields = 0;
        let _ = decoder.decode(&block, |_, _| fields += 1);
        assert!(fields <= block.len());
        assert!(decoder.table().size() <= 4096);
    }
}

#[test]
fn encoded_fields_decode_to_themselves() {
    let mut out = Vec::new();
    encode::table_size(0, &mut out);
    encode::indexed(encode::index::METHOD_POST, &mut out);
    encode::literal(encode::index::AUTHORITY, b"dns.example", &mut out);
    encode::never_indexed(encode::index::PATH, &[b'x'; 300], &mut out);
    let mut decoder = Decoder::new(4096);
    let expected =
        [(":method", "POST"), (":authority", "dns.example"), (":path", &"x".repeat(300))].map(owned);
    assert_eq!(decode(&mut decoder, &out).unwrap(), expected);
    assert_eq!(decoder.table().size(), 0);
}

type Field = (Vec<u8>, Vec<u8>);

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Field>, HpackError> {
    let mut fields = Vec::new();
    decoder.decode(block, |name, value| fields.push((name.to_vec(), value.to_vec())))?;
    Ok(fields)
}

fn owned((name, value): (&str, &str)) -> Field {
    (name.into(), value.into())
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn huffman_encode(text: &[u8]) -> Vec<u8> {
    let mut codes: Vec<(u8, usize)> = huffman::CODE_LENGTHS.iter().copied().zip(0..).collect();
    codes.sort_unstable();
    let mut code_of = [0u64; 257];
    let (mut code, mut last) = (0u64, 0);
    for (length, symbol) in codes {
        code <<= length - last;
        code_of[symbol] = code;
        code += 1;
        last = length;
    }
    let mut bits = String::new();
    for &octet in text {
        let length = usize::from(huffman::CODE_LENGTHS[usize::from(octet)]);
        write!(bits, "{:0length$b}", code_of[usize::from(octet)]).unwrap();
    }
    bits += &"1".repeat(bits.len().next_multiple_of(8) - bits.len());
    bits.as_bytes()
        .chunks(8)
        .map(|octet| u8::from_str_radix(str::from_utf8(octet).unwrap(), 2).unwrap())
        .collect()
}

struct Connection {
    section: &'static str,
    table: usize,
    /// A block in hexadecimal, the decoded fields, and the size of the dynamic table afterwards.
    blocks: &'static [(&'static str, &'static str, usize)],
}

fn appendix_c() -> [Connection; 8] {
    const REQUESTS: [&str; 3] = [
        ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com",
        ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache",
        ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value",
    ];
    const RESPONSES: [&str; 3] = [
        ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com",
        ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com",
        ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n\
         content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ];
    [
        Connection {
            section: "C.2.1",
            table: 4096,
            blocks: &[("400a6375 73746f6d 2d6b6579 0d637573 746f6d2d 68656164 6572", "custom-key: custom-header", 55)],
        },
        Connection {
            section: "C.2.2",
            table: 4096,
            blocks: &[("040c2f73 616d706c 652f7061 7468", ":path: /sample/path", 0)],
        },
        Connection {
            section: "C.2.3",
            table: 4096,
            blocks: &[("10087061 7373776f 72640673 65637265 74", "password: secret", 0)],
        },
        Connection { section: "C.2.4", table: 4096, blocks: &[("82", ":method: GET", 0)] },
        Connection {
            section: "C.3",
            table: 4096,
            blocks: &[
                ("82868441 0f777777 2e657861 6d706c65 2e636f6d", REQUESTS[0], 57),
                ("828684be 58086e6f 2d636163 6865", REQUESTS[1], 110),
                ("828785bf 400a6375 73746f6d 2d6b6579 0c637573 746f6d2d 76616c75 65", REQUESTS[2], 164),
            ],
        },
        Connection {
            section: "C.4",
            table: 4096,
            blocks: &[
                ("82868441 8cf1e3c2 e5f23a6b a0ab90f4 ff", REQUESTS[0], 57),
                ("828684be 5886a8eb 10649cbf", REQUESTS[1], 110),
                ("828785bf 408825a8 49e95ba9 7d7f8925 a849e95b b8e8b4bf", REQUESTS[2], 164),
            ],
        },
        Connection {
            section: "C.5",
            table: 256,
            blocks: &[
                (
                    "48033330 32580770 72697661 7465611d 4d6f6e2c 20323120 4f637420 32303133 2032303a 31333a32
                     3120474d 546e1768 74747073 3a2f2f77 77772e65 78616d70 6c652e63 6f6d",
                    RESPONSES[0],
                    222,
                ),
                ("48033330 37c1c0bf", RESPONSES[1], 222),
                (
                    "88c1611d 4d6f6e2c 20323120 4f637420 32303133 2032303a 31333a32 3220474d 54c05a04 677a6970
                     7738666f 6f3d4153 444a4b48 514b425a 584f5157 454f5049 55415851 57454f49 553b206d 61782d61
                     67653d33 3630303b 20766572 73696f6e 3d31",
                    RESPONSES[2],
                    215,
                ),
            ],
        },
        Connection {
            section: "C.6",
            table: 256,
            blocks: &[
                (
                    "48826402 5885aec3 771a4b61 96d07abe 941054d4 44a82005 95040b81 66e082a6 2d1bff6e 919d29ad
                     171863c7 8f0b97c8 e9ae82ae 43d3",
                    RESPONSES[0],
                    222,
                ),
                ("4883640e ffc1c0bf", RESPONSES[1], 222),
                (
                    "88c16196 d07abe94 1054d444 a8200595 040b8166 e084a62d 1bffc05a 839bd9ab 77ad94e7 821dd7f2
                     e6c7b335 dfdfcd5b 3960d5af 27087f36 72c1ab27 0fb5291f 95873160 65c003ed 4ee5b106 3d5007",
                    RESPONSES[2],
                    215,
                ),
            ],
        },
    ]
}
