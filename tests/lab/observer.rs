//! The view of a passive observer: traffic is captured on loopback and analysed with tshark.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use privydns_core::{RecordType, Transport};
use privydns_tests::SERVER_NAME;

use crate::bench::Bench;
use crate::cross_check::output;
use crate::instance::{Instance, Lab};
use crate::line::Line;
use crate::quirks::{line, start};
use crate::{BACKENDS, table};

/// The file with the table of what an observer sees.
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lab/README.md");
const BEGIN: &str = "<!-- observer -->\n";
const END: &str = "<!-- /observer -->";

/// Names of different lengths, whose answers have different lengths. The first is not evaluated: the records
/// contain parts of the session setup.
const LABELS: [&str; 8] = ["n0", "n1", "n22", "n333", "www", "multi", "v4only", "ttl86400"];

/// The length of a record with a padded query: length prefix, 128 bytes of query, content type, and
/// authentication tag (RFC 8446 Section 5.2).
const PADDED: usize = 2 + 128 + 1 + 16;

/// The content type of TLS records with application data, and of all encrypted TLS 1.3 records.
const APPLICATION_DATA: u8 = 23;
/// The length of an encrypted alert, such as `close_notify`. Only its length distinguishes it from application
/// data.
const ALERT: usize = 2 + 1 + 16;

/// How long captured packets may take to reach the file.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Captures a few lookups over each transport, and writes the table of what an observer sees.
pub(crate) fn observer_sees_no_query_names(lab: &Lab) -> String {
    let mut text = String::from(
        "| server | protocol | server name | ALPN offered | bytes per query | bytes per answer |\n\
         |---|---|---|---|---|---|\n",
    );
    let watched = [
        ("unbound", Transport::Tls),
        ("nginx", Transport::Tls),
        ("unbound", Transport::Http2),
        ("nginx", Transport::Http2),
        ("nginx", Transport::Http1),
    ];
    for (name, transport) in watched {
        let server = start(lab, name);
        let line = line(&server, transport);
        let view = watch(lab, &server, line);
        assert_eq!(view.server_name, SERVER_NAME);
        if transport == Transport::Tls {
            assert_eq!(view.alpn, "dot");
            assert_eq!(view.queries, [PADDED; LABELS.len() - 1], "{name}");
        }
        writeln!(
            text,
            "| {} | {line} | {} | {} | {} | {} |",
            server.kind.title,
            view.server_name,
            view.alpn,
            sizes(&view.queries),
            sizes(&view.answers),
        )
        .expect("writing to a string cannot fail");
    }
    table::write_between(Path::new(README), BEGIN, END, &text).unwrap();
    format!("over DoT, {} queries are {} records of {PADDED} bytes", LABELS.len() - 1, LABELS.len() - 1)
}

/// What an observer sees of one connection.
struct View {
    server_name: String,
    alpn: String,
    /// The length of the record of each query, and the total length of the records of each answer.
    queries: Vec<usize>,
    answers: Vec<usize>,
}

fn watch(lab: &Lab, server: &Instance, line: Line) -> View {
    let port = server.address(line.endpoint).port();
    let file = server.folder.join(format!("{port}.pcap"));
    let capture = lab.capture(port, &file).unwrap();
    let resolver = Bench { lab, instance: server, line, backend: BACKENDS[0] }.resolver();
    for label in LABELS {
        resolver.lookup(&format!("{label}.example.test"), RecordType::A).unwrap();
    }
    resolver.close();
    let start = Instant::now();
    let closed = format!("tcp.dstport == {port} && tcp.flags.fin == 1");
    while tshark(&file, port, &["-Y", &closed]).is_empty() {
        assert!(start.elapsed() < TIMEOUT, "no packets were captured: {}", file.display());
        thread::sleep(Duration::from_millis(100));
    }
    drop(capture);

    let bytes = fs::read(&file).unwrap();
    let is_there = |label: &str| bytes.windows(label.len()).any(|window| window == label.as_bytes());
    assert!(is_there(SERVER_NAME), "the capture must contain the server name in the clear");
    for label in LABELS {
        let length = char::from(u8::try_from(label.len()).expect("labels are short"));
        assert!(!is_there(&format!("{length}{label}{}example", '\u{7}')), "{label} is in the clear");
        assert!(!is_there(&format!("{label}.example")), "{label} is in the clear");
    }
    let hello = ["-Y", "tls.handshake.type == 1", "-T", "fields", "-E", "separator=;"];
    let fields = ["tcp.stream", "tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str"];
    let arguments: Vec<_> = hello.into_iter().chain(fields.iter().flat_map(|field| ["-e", *field])).collect();
    let hello = tshark(&file, port, &arguments);
    let hello: Vec<_> = hello.trim().split(';').collect();
    let [stream, server_name, alpn] = hello[..] else { panic!("expected one ClientHello: {hello:?}") };
    let follow = format!("follow,tcp,raw,{stream}");
    let (queries, answers) = record_lengths(&tshark(&file, port, &["-q", "-z", &follow]));
    View { server_name: server_name.to_owned(), alpn: alpn.replace(',', ", "), queries, answers }
}

/// Returns the lengths of the records with queries, and the total record length of each answer, except for the
/// first: the records contain parts of the handshake and the session setup.
fn record_lengths(followed: &str) -> (Vec<usize>, Vec<usize>) {
    let mut streams = [Vec::new(), Vec::new()];
    let mut records = Vec::new();
    let hex =
        |line: &&str| !line.trim().is_empty() && line.trim().bytes().all(|byte| byte.is_ascii_hexdigit());
    for line in followed.lines().filter(hex) {
        let side = usize::from(line.starts_with('\t'));
        streams[side].extend(
            HEXLOWER.decode(line.trim().to_lowercase().as_bytes()).expect("tshark prints hexadecimal digits"),
        );
        while let [kind, _, _, high, low, rest @ ..] = &streams[side][..]
            && let length = usize::from(u16::from_be_bytes([*high, *low]))
            && rest.len() >= length
        {
            records.push((side, *kind, length));
            streams[side].drain(..5 + length);
        }
    }
    // Searches backwards to the second query, because at the end the record types are unambiguous.
    let is_content = |(_, kind, length): &&(usize, u8, usize)| *kind == APPLICATION_DATA && *length != ALERT;
    let content: Vec<_> = records.iter().filter(is_content).collect();
    let last = content.iter().rposition(|(side, ..)| *side == 1).expect("the capture contains answers");
    let (mut queries, mut answers, mut answer) = (Vec::new(), Vec::new(), 0);
    for (side, _, length) in content[..=last].iter().rev() {
        if *side == 1 {
            answer += length;
        } else {
            queries.push(*length);
            answers.push(std::mem::take(&mut answer));
        }
        if queries.len() == LABELS.len() - 1 {
            break;
        }
    }
    (queries, answers)
}

/// The range of lengths as text.
fn sizes(of: &[usize]) -> String {
    match (of.iter().min(), of.iter().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (Some(size), _) => format!("{size}, all equal"),
        (None, _) => String::new(),
    }
}

fn tshark(file: &Path, port: u16, arguments: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-d", &format!("tcp.port=={port},tls")]).args(arguments);
    output(&mut command)
}
