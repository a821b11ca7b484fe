//! Comparison of PrivyDNS's answers with the answers that kdig and curl get from the same servers.

use std::fs;
use std::process::{Command, Stdio};

use data_encoding::BASE64URL_NOPAD;
use hickory_proto::op::Message;
use privydns_core::{HttpVersion, Query, RecordType};
use privydns_tests::SERVER_NAME;

use crate::bench::Bench;
use crate::instance::{Instance, Lab, Run};
use crate::line::Line;
use crate::servers::SERVERS;
use crate::zone::{self, Set};
use crate::{BACKENDS, raw};

/// Queries each server on each endpoint without mutual TLS: with kdig over TLS, with curl over HTTPS.
pub(crate) fn kdig_and_curl_get_the_same_answers(lab: &Lab) -> String {
    let (mut by_kdig, mut by_curl) = (0, 0);
    for kind in SERVERS {
        let instance = lab.start(kind, Run::default()).unwrap();
        for line in Line::all(&instance).into_iter().filter(|line| line.is_main() && !line.endpoint.is_mutual)
        {
            match line.http {
                None => by_kdig += kdig(lab, &instance, line),
                Some((version, _)) => by_curl += curl(lab, &instance, line, version),
            }
        }
    }
    format!("{by_kdig} answers equal those of kdig, {by_curl} those of curl")
}

/// Queries all record sets of the zone. Record types whose text form hickory cannot parse are queried in
/// generic form.
fn kdig(lab: &Lab, instance: &Instance, line: Line) -> usize {
    let mut count = 0;
    for is_generic in [false, true] {
        let of_the_zone = lab.zone.sets().filter(|(_, _, set)| set.is_generic() == is_generic);
        let questions: Vec<_> = of_the_zone.map(|(name, record_type, _)| (name, record_type)).collect();
        let mut command = Command::new("kdig");
        command.args(["@127.0.0.1", "-p", &instance.address(line.endpoint).port().to_string()]);
        command.arg(format!("+tls-ca={}", instance.folder.join("root.pem").display()));
        command.arg(format!("+tls-hostname={SERVER_NAME}"));
        command.args(["+noall", "+answer", "+timeout=10", "+keepopen"]);
        if is_generic {
            command.arg("+generic");
        }
        for (name, record_type) in &questions {
            command.args(["-q", name, "-t", &format!("TYPE{}", u16::from(*record_type))]);
        }
        let text = output(&mut command);
        let lines: Vec<_> =
            text.lines().filter(|line| !line.is_empty()).map(|line| tidy(line, is_generic)).collect();
        let theirs = zone::read(lines.iter().map(String::as_str));
        for ((name, record_type), answer) in questions.iter().zip(ask(lab, instance, line, &questions)) {
            let set = theirs.get(&(name.clone(), u16::from(*record_type)));
            let set = set.unwrap_or_else(|| panic!("no answer of kdig for {name} {record_type}: {text}"));
            assert_eq!(
                set.compare(&answer, 0..=u32::MAX),
                Ok(()),
                "{} {name} {record_type}",
                instance.kind.name
            );
            count += 1;
        }
    }
    count
}

/// Normalizes a line: one space between fields, and generic data as one lower-case string.
fn tidy(line: &str, is_generic: bool) -> String {
    let (mut rest, mut tidy) = (line, String::new());
    for _ in 0..4 {
        let (field, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        rest = after.trim_start();
        tidy = tidy + field + " ";
    }
    match rest.splitn(3, ' ').collect::<Vec<_>>()[..] {
        ["\\#", length, bytes] if is_generic => {
            tidy + "\\# " + length + " " + &bytes.replace(' ', "").to_lowercase()
        }
        _ => tidy + rest,
    }
}

/// Queries some numbered names and the largest record set, with one curl process.
fn curl(lab: &Lab, instance: &Instance, line: Line, version: HttpVersion) -> usize {
    let names =
        ["www", "multi", "chain", "n1", "n22", "n333", "huge"].map(|label| format!("{label}.example.test."));
    let types =
        names.each_ref().map(|name| if name.starts_with("huge") { RecordType::TXT } else { RecordType::A });
    let questions: Vec<_> = names.into_iter().zip(types).collect();
    let port = instance.address(line.endpoint).port();
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(instance.folder.join("root.pem"));
    command.args(["--resolve", &format!("{SERVER_NAME}:{port}:127.0.0.1")]);
    command.arg(if version == HttpVersion::Http1 { "--http1.1" } else { "--http2" });
    command.args(["--header", "accept: application/dns-message"]);
    let file = |number: usize| instance.folder.join(format!("curl-{number}"));
    for (number, (name, record_type)) in questions.iter().enumerate() {
        let mut query = raw::query(0, name).split_off(2);
        let end = query.len();
        query[end - 4..end - 2].copy_from_slice(&u16::from(*record_type).to_be_bytes());
        let query = BASE64URL_NOPAD.encode(&query);
        command.arg(format!("https://{SERVER_NAME}:{port}/dns-query?dns={query}"));
        command.arg("--output").arg(file(number));
    }
    output(&mut command);
    for (number, answer) in ask(lab, instance, line, &questions).into_iter().enumerate() {
        let message = Message::from_vec(&fs::read(file(number)).unwrap()).unwrap();
        let set = Set::of(message.answers.into_iter().map(|record| record.data));
        assert_eq!(
            set.compare(&answer, 0..=u32::MAX),
            Ok(()),
            "{} {:?}",
            instance.kind.name,
            questions[number]
        );
    }
    questions.len()
}

/// Resolves the same questions with PrivyDNS.
fn ask(
    lab: &Lab,
    instance: &Instance,
    line: Line,
    questions: &[(String, RecordType)],
) -> Vec<privydns_core::Answer> {
    let resolver = Bench { lab, instance, line, backend: BACKENDS[0] }.resolver();
    let query = |(name, record_type): &(String, RecordType)| Query::new(name, *record_type).unwrap();
    resolver.query_all(questions.iter().map(query).collect()).into_iter().map(Result::unwrap).collect()
}

/// Runs a program that must succeed, and returns its output.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
