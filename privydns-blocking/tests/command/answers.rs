//! Output of answers and errors in each format, and the exit status.

use privydns_tests::{MessageFault, QueryFault, Script, Server};
use serde_json::{Value, json};

use crate::run::{WWW, ask, bare};

#[test]
fn report_shows_question_answer_and_source() {
    let server = Server::dot().start();
    let run = ask(&server, &["chain.example.test"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let (head, records) = run.stdout.split_once("\n\n").unwrap();
    let head = head.lines().collect::<Vec<_>>();
    assert_eq!(head[0], ";; question  chain.example.test. A");
    assert_eq!(head[1], ";; status    NOERROR, flags qr rd ra");
    let from =
        format!(";; from      tls://server.test:{}#ip=127.0.0.1 over tls in ", server.address().port());
    let from = from.replace("server.test", privydns_tests::SERVER_NAME);
    assert!(head[2].starts_with(&from), "{}", head[2]);
    let expected = "\
chain.example.test.   300  IN  CNAME  chain2.example.test.
chain2.example.test.  200  IN  CNAME  chain3.example.test.
chain3.example.test.  100  IN  CNAME  chain4.example.test.
chain4.example.test.  400  IN  CNAME  www.example.test.
www.example.test.     300  IN  A      192.0.2.1
";
    assert_eq!(records, expected);
}

#[test]
fn denial_is_an_answer_and_shows_its_soa() {
    let server = Server::dot().start();
    for (name, status) in [
        ("nowhere.example.test", "NXDOMAIN (the name does not exist), flags qr rd ra"),
        ("v6only.example.test", "NOERROR (the name has no records of this type), flags qr rd ra"),
    ] {
        let run = ask(&server, &[name]);
        assert_eq!(run.status, Some(0));
        assert!(run.stdout.contains(&format!(";; status    {status}\n")), "{}", run.stdout);
        assert!(run.stdout.contains("\n;; authority\nexample.test.  "), "{}", run.stdout);
        assert!(run.stdout.contains("  IN  SOA  "), "{}", run.stdout);
    }
    let missing = ask(&server, &["nowhere.example.test", "--short"]);
    assert_eq!((missing.status, &*missing.stdout), (Some(0), ""));
}

#[test]
fn failure_goes_to_stderr_with_the_upstreams_text() {
    let server = Server::dot().start();
    let run = ask(&server, &["servfail.example.test"]);
    assert_eq!((run.status, &*run.stdout), (Some(1), ""));
    assert!(run.stderr.starts_with("privydns: servfail.example.test. A: tls://"), "{}", run.stderr);
    assert!(run.stderr.contains("EDE 22 (No Reachable Authority): no authority could be reached\n"));
}

#[test]
fn json_has_every_field_of_an_answer() {
    let server = Server::http2().start();
    let mut object = ask(&server, &[WWW, "AAAA", "--json"]).object();
    let elapsed = object["elapsed_ms"].take();
    assert!(elapsed.as_f64().unwrap() > 0.0);
    let upstream = object["upstream"].take();
    assert!(upstream.as_str().unwrap().starts_with("https://"));
    let answer = json!({"name": "www.example.test.", "ttl": 300, "type": "AAAA", "data": "2001:db8::1"});
    let expected = json!({
        "name": "www.example.test.", "type": "AAAA", "rcode": "NOERROR", "answers": [answer],
        "authenticated": false, "truncated": false, "ede": [], "upstream": null, "protocol": "https/2",
        "cached": false, "stale": false, "attempts": 1, "elapsed_ms": null,
    });
    assert_eq!(object, expected);
}

#[test]
fn json_shows_denials_authentication_and_truncation() {
    let script = Script::new().on_query("v4only.example.test.", MessageFault::TruncatedFlag);
    let server = Server::dot().script(script).start();
    let missing = ask(&server, &["nowhere.example.test", "--json"]).object();
    assert_eq!((&missing["rcode"], &missing["answers"]), (&json!("NXDOMAIN"), &json!([])));
    assert_eq!(missing["protocol"], "tls");
    let secure = ask(&server, &["secure.example.test", "--json"]).object();
    assert_eq!(secure["authenticated"], true);
    let local = ask(&server, &["localhost", "--json"]).object();
    assert_eq!((&local["protocol"], &local["attempts"]), (&json!("local"), &json!(0)));
    let truncated = ask(&server, &["v4only.example.test", "--json"]);
    assert_eq!(truncated.object()["truncated"], true, "{}", truncated.stdout);
}

#[test]
fn json_has_the_error_instead_of_the_answer() {
    let server = Server::dot().start();
    let run = ask(&server, &["refused.example.test", "--json"]);
    assert_eq!((run.status, &*run.stderr), (Some(1), ""));
    let object = run.object();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&object), ["error", "name", "type"]);
    let error = &object["error"];
    assert_eq!(keys(error), ["attempts", "kind", "message", "stage"]);
    assert_eq!((&error["kind"], &error["stage"]), (&json!("rcode"), &json!("query")));
    let attempt = &error["attempts"][0];
    assert_eq!(attempt["ede"], json!([{"code": 18, "text": "not for you"}]));
    assert_eq!(attempt["address"], server.address().to_string());
}

#[test]
fn several_types_are_queried_in_parallel_and_shown_in_order() {
    let script = Script::new().on_query(1..=4, QueryFault::Reorder(4));
    let server = Server::dot().script(script).start();
    let run = ask(&server, &["example.test", "MX", "txt", "TYPE65", "caa", "--short"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let expected = "20 mx2.example.test.\n10 mx1.example.test.\n30 mx3.example.test.\n\
                    \"v=spf1 -all\"\n0 svc.example.test.\n128 issue \"ca.example.test.\"\n";
    assert_eq!(run.stdout, expected);
    assert_eq!(server.seen().connections.len(), 1);
}

#[test]
fn service_bindings_are_in_presentation_format() {
    let server = Server::dot().start();
    let run = ask(&server, &["svc.example.test", "HTTPS", "--short"]);
    assert_eq!(run.stdout, "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1\n");
}

#[test]
fn address_is_looked_up_in_reverse() {
    let server = Server::dot().start();
    for address in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(ask(&server, &["-x", address, "--short"]).stdout, "www.example.test.\n");
    }
}

#[test]
fn non_ascii_name_is_queried_as_a_labels() {
    let server = Server::dot().start();
    let run = ask(&server, &["Bücher.wild.example.test", "--short"]);
    assert_eq!(run.stdout, "192.0.2.99\n", "{}", run.stderr);
    assert_eq!(server.seen().queries_for("xn--bcher-kva.wild.example.test").count(), 1);
}

#[test]
fn help_version_and_presets_need_no_server() {
    let presets = bare(&["--list-presets"]);
    assert_eq!(presets.status, Some(0));
    for preset in privydns_blocking::presets::ALL {
        assert!(presets.stdout.lines().any(|line| line.split(' ').next() == Some(preset.name())));
    }
    assert!(bare(&["--man"]).stdout.contains(".TH privydns 1"));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(bare(&["--completions", shell]).stdout.contains("list-presets"), "{shell}");
    }
    let version = bare(&["--version"]);
    assert_eq!(version.stdout, format!("privydns {}\n", env!("CARGO_PKG_VERSION")));
    let help = bare(&["--help"]);
    assert_eq!((help.status, &*help.stderr), (Some(0), ""));
}
