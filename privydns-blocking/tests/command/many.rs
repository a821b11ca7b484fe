//! Many names from a file.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use privydns_tests::zone::many_address;
use privydns_tests::{QueryFault, Script, Server, When};
use serde_json::{Value, json};

use crate::run::{ask, command, file, upstreams};

const NAMES: usize = 10_000;

fn name(number: usize) -> String {
    format!("n{number}.many.example.test.")
}

/// The command with pipes for names and answers.
fn start(server: &Server, arguments: &[&str]) -> Child {
    let mut command = command(&[&["--file", "-"], arguments].concat());
    command.args(upstreams(&[server])).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn objects(output: ChildStdout) -> impl Iterator<Item = Value> {
    BufReader::new(output).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// The peak memory of a process in KiB, where the system reports it.
fn peak(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn ten_thousand_names_use_one_connection_and_constant_memory() {
    let server = Server::dot().start();
    let mut command = start(&server, &["--json", "--concurrency", "500", "--attempts", "1"]);
    let mut input = command.stdin.take().unwrap();
    let mut objects = objects(command.stdout.take().unwrap());
    let mut answered = BTreeSet::new();
    let mut ask = |from: usize, input: &mut ChildStdin| {
        let names = (from..from + NAMES).map(|number| name(number) + "\n").collect::<String>();
        std::thread::scope(|scope| {
            scope.spawn(|| input.write_all(names.as_bytes()).unwrap());
            for object in objects.by_ref().take(NAMES) {
                let name = object["name"].as_str().unwrap().to_owned();
                assert_eq!(object["answers"][0]["data"], many_address(&name).to_string());
                assert!(answered.insert(name));
            }
        });
    };
    ask(0, &mut input);
    // By now the cache is full as well.
    let before = peak(&command);
    ask(NAMES, &mut input);
    let after = peak(&command);
    drop(input);
    assert!(command.wait().unwrap().success());
    assert_eq!(answered.len(), 2 * NAMES);
    assert_eq!(server.seen().connections.len(), 1);
    if let (Some(before), Some(after)) = (before, after) {
        println!("{before} KiB after {NAMES} names, {after} KiB after twice as many");
        assert!(after < before + 2048, "{before} KiB before, {after} KiB after");
    }
}

#[test]
fn one_failure_sets_status_1_and_others_are_answered() {
    let server = Server::dot().start();
    let names = file("# a list\nwww.example.test\n\nservfail.example.test\nno..name\nnowhere.example.test\n");
    let run = ask(&server, &["--file", &names, "--json"]);
    assert_eq!(run.status, Some(1));
    let mut came = run
        .objects()
        .iter()
        .map(|object| {
            let what = if object["error"].is_null() { &object["rcode"] } else { &object["error"]["kind"] };
            (object["name"].as_str().unwrap().to_owned(), what.as_str().unwrap().to_owned())
        })
        .collect::<Vec<_>>();
    came.sort();
    let pair = |name: &str, what: &str| (name.to_owned(), what.to_owned());
    let expected = [
        pair("no..name", "name"),
        pair("nowhere.example.test.", "NXDOMAIN"),
        pair("servfail.example.test.", "rcode"),
        pair("www.example.test.", "NOERROR"),
    ];
    assert_eq!(came, expected);
    let good = file("www.example.test\nnowhere.example.test\n");
    assert_eq!(ask(&server, &["--file", &good]).status, Some(0));
}

#[test]
fn every_type_is_queried_for_every_name() {
    let server = Server::dot().start();
    let names = file("www.example.test\nnowhere.example.test\n");
    let run = ask(&server, &["--file", &names, "A", "AAAA"]);
    let mut lines = run.stdout.lines().collect::<Vec<_>>();
    lines.sort_unstable();
    let expected = [
        ";; nowhere.example.test. A NXDOMAIN",
        ";; nowhere.example.test. AAAA NXDOMAIN",
        "www.example.test.\t300\tIN\tA\t192.0.2.1",
        "www.example.test.\t300\tIN\tAAAA\t2001:db8::1",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn concurrency_limits_the_lookups_in_flight() {
    let script = Script::new().on_query(When::below("many.example.test."), QueryFault::Hold);
    let server = Server::dot().script(script).start();
    let names = file(&(0..8).map(|number| name(number) + "\n").collect::<String>());
    let mut command = command(&["--file", &names, "--json", "--concurrency", "4", "--attempts", "1"]);
    let mut child = command.args(upstreams(&[&server])).stdout(Stdio::piped()).spawn().unwrap();
    server.wait_until(|seen| seen.query_count == 4);
    // A fifth query would have arrived together with these, before the next.
    assert_eq!(ask(&server, &["www.example.test"]).status, Some(0));
    assert_eq!(server.seen().query_count, 5);
    server.set_script(Script::new());
    server.release();
    assert_eq!(objects(child.stdout.take().unwrap()).count(), 8);
    assert!(child.wait().unwrap().success());
}

/// Names arrive slowly, from a person or a program.
#[test]
fn answer_is_printed_before_the_next_name_is_read() {
    let server = Server::dot().start();
    let mut command = start(&server, &["--json"]);
    let mut input = command.stdin.take().unwrap();
    let mut objects = objects(command.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(input, "{}", name(number)).unwrap();
        assert_eq!(objects.next().unwrap()["name"], json!(name(number)));
    }
    drop(input);
    assert!(objects.next().is_none());
    assert!(command.wait().unwrap().success());
    assert_eq!(server.seen().connections.len(), 1);
}

#[test]
fn closed_output_pipe_ends_the_command_quietly() {
    let server = Server::dot().start();
    let names = file(&(0..NAMES).map(|number| name(number) + "\n").collect::<String>());
    let mut command = command(&["--file", &names, "--short"]);
    command.args(upstreams(&[&server])).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
    assert!(server.seen().query_count < NAMES as u64);
}

/// A name on standard input waits for the end of the lookup of a silent name before it.
///
/// Right: each name is looked up as soon as it is read, so that the second name is answered first.
#[test]
#[ignore = "real time: fault R5"]
fn fault_r5_a_silent_name_holds_up_the_names_that_come_after_it() {
    let server = Server::dot().script(Script::new().on_query(&*name(1), QueryFault::Silent)).start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_privydns"));
    command.args(["--file", "-", "--json", "--timeout", "2s"]).args(upstreams(&[&server]));
    let mut command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = command.stdin.take().unwrap();
    let mut objects = objects(command.stdout.take().unwrap());
    writeln!(input, "{}", name(1)).unwrap();
    server.wait_until(|seen| seen.query_count == 1);
    writeln!(input, "{}", name(2)).unwrap();
    drop(input);
    for number in [1, 2] {
        let object = objects.next().unwrap();
        assert_eq!(object["name"], json!(name(number)));
        assert_eq!(object["error"].is_null(), number == 2, "{object}");
    }
    assert_eq!(command.wait().unwrap().code(), Some(1));
}
