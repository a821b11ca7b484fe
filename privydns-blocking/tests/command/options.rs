//! Each option, by its effect at the server.

use std::process::Stdio;

use privydns_tests::observe::QuerySeen;
use privydns_tests::{Authority, ClientCertificate, QueryFault, Script, Server, ServerCertificate, When};
use serde_json::json;

use crate::run::{Run, WWW, ask, ask_all, bare, command, file, upstreams};

/// The query that a run with these options sends.
fn query(options: &[&str]) -> QuerySeen {
    let server = Server::https().start();
    let run = ask(&server, &[&[WWW], options].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    server.seen().queries.remove(0)
}

fn kind(run: &Run) -> serde_json::Value {
    assert_eq!(run.status, Some(1));
    run.object()["error"]["kind"].clone()
}

#[test]
fn defaults_are_the_most_private() {
    let query = query(&[]);
    let edns = query.edns.unwrap();
    assert_eq!(query.bytes.len() % 128, 0);
    assert!(!edns.dnssec_ok && !query.checking_disabled && edns.client_subnet().is_none());
    let request = query.request.unwrap();
    assert_eq!((request.version, &*request.method), (2, "POST"));
}

#[test]
fn query_options_reach_the_server() {
    assert!(query(&["--dnssec"]).edns.unwrap().dnssec_ok);
    assert!(query(&["--cd"]).checking_disabled);
    assert_eq!(query(&["--no-padding"]).edns.unwrap().padding(), None);
    let subnet = |text| {
        let seen = query(&["--ecs", text]).edns.unwrap().client_subnet().unwrap();
        (seen.family, seen.source, seen.address)
    };
    assert_eq!(subnet("0").1, 0);
    assert_eq!(subnet("198.51.100.0/24"), (1, 24, vec![198, 51, 100]));
    assert_eq!(subnet("2001:db8::/32"), (2, 32, vec![0x20, 1, 0x0d, 0xb8]));
}

#[test]
fn http_options_reach_the_server() {
    let get = query(&["--get"]).request.unwrap();
    assert_eq!((get.version, &*get.method), (2, "GET"));
    let http1 = query(&["--http1"]).request.unwrap();
    assert_eq!((http1.version, &*http1.method), (1, "POST"));
    let server = Server::https().start();
    assert_eq!(ask(&server, &[WWW, "--http1", "--json"]).object()["protocol"], "https/1.1");
}

#[test]
fn client_certificate_option_means_mutual_tls() {
    let server = Server::dot().mutual().start();
    let authority = Authority::shared();
    let identity = authority.client(ClientCertificate::Good);
    let (chain, key) = (file(&identity.chain_pem()), file(&identity.key_pem()));
    let both = file(&(identity.chain_pem() + &identity.key_pem()));
    for certificate in [&["--cert", &chain, "--key", &key][..], &["--cert", &both]] {
        let run = ask(&server, &[certificate, &[WWW, "--json", "--protocol", "mtls"]].concat());
        assert_eq!(run.object()["protocol"], "mtls", "{}", run.stdout);
    }
    assert_eq!(kind(&ask(&server, &[WWW, "--json"])), "client-certificate");
}

#[test]
fn server_must_match_ca_and_pin() {
    let server = Server::dot().start();
    let pin = |kind| Authority::shared().server(kind).pin();
    let (right, wrong) = (pin(ServerCertificate::Good), pin(ServerCertificate::Expired));
    assert_eq!(ask(&server, &[WWW, "--pin", &wrong, "--pin", &right]).status, Some(0));
    assert_eq!(kind(&ask(&server, &[WWW, "--json", "--pin", &wrong])), "certificate");
    // Without --ca, only the public authorities are trusted.
    let stranger = command(&[WWW, "--json", "-u", &server.upstream()]).output().unwrap().into();
    assert_eq!(kind(&stranger), "certificate");
}

#[test]
fn protocol_option_selects_upstreams() {
    let (tls, https) = (Server::dot().start(), Server::https().start());
    for (protocol, spoken) in [("tls", "tls"), ("https", "https/2")] {
        let run = ask_all(&[&tls, &https], &[WWW, "--json", "--protocol", protocol]);
        assert_eq!(run.object()["protocol"], spoken);
    }
    assert_eq!((tls.seen().query_count, https.seen().query_count), (1, 1));
}

#[test]
fn timeout_option_is_respected() {
    let server = Server::dot().script(Script::new().on_query(When::any(), QueryFault::Silent)).start();
    let upstreams = upstreams(&[&server]);
    let upstreams = upstreams.iter().map(String::as_str).collect::<Vec<_>>();
    let run = bare(&[&[WWW, "--json", "--timeout", "300ms"], &upstreams[..]].concat());
    let kind = kind(&run);
    assert!(kind == "deadline" || kind == "timeout", "{kind}");
}

#[test]
fn attempts_option_sets_the_number_of_attempts() {
    let server = Server::dot().start();
    server.kill();
    for attempts in ["1", "2"] {
        let run = ask(&server, &[WWW, "--json", "--attempts", attempts]);
        assert_eq!(kind(&run), "connect");
        let made = run.object()["error"]["attempts"].as_array().unwrap().len();
        assert_eq!(made.to_string(), attempts);
    }
}

#[test]
fn strategy_option_decides_the_upstream() {
    let two = || [Server::dot().start(), Server::dot().start()];
    let asked = |strategy| {
        let servers = two();
        let run = ask_all(&[&servers[0], &servers[1]], &[WWW, "--attempts", "1", "--strategy", strategy]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        servers.map(|server| server.seen().query_count)
    };
    assert_eq!(asked("ordered"), [1, 0]);
    for strategy in ["fastest", "spread"] {
        assert_eq!(asked(strategy).into_iter().sum::<u64>(), 1, "{strategy}");
    }
}

#[test]
fn race_queries_all_upstreams_in_parallel() {
    let hold = || Server::dot().script(Script::new().on_query(When::any(), QueryFault::Hold)).start();
    let servers = [hold(), hold()];
    let mut command = command(&[WWW, "--short", "--strategy", "race"]);
    let mut child =
        command.args(upstreams(&[&servers[0], &servers[1]])).stdout(Stdio::null()).spawn().unwrap();
    for server in &servers {
        server.wait_until(|seen| seen.query_count > 0);
    }
    servers.iter().for_each(Server::release);
    assert!(child.wait().unwrap().success());
}

#[test]
fn cache_answers_repeated_names_unless_disabled() {
    let names = file(&format!("{WWW}\n{WWW}\n{WWW}\n"));
    let cached = |options: &[&str]| {
        let server = Server::dot().start();
        let run = ask(&server, &[&["--file", &names, "--concurrency", "1", "--json"], options].concat());
        let cached = run.objects().into_iter().map(|object| object["cached"].clone()).collect::<Vec<_>>();
        (server.seen().query_count, json!(cached))
    };
    assert_eq!(cached(&[]), (1, json!([false, true, true])));
    assert_eq!(cached(&["--no-cache"]), (3, json!([false, false, false])));
}

#[test]
fn logs_go_to_stderr_without_names_above_debug() {
    let server = Server::dot().start();
    assert_eq!(ask(&server, &[WWW]).stderr, "");
    // A certificate of an unknown authority is logged as a warning.
    let warned: Run = command(&[WWW, "-v", "-u", &server.upstream()]).output().unwrap().into();
    let warnings = warned.stderr.lines().filter(|line| line.contains("WARN")).collect::<Vec<_>>();
    assert!(warnings.iter().any(|line| line.contains("connection failed")), "{}", warned.stderr);
    assert!(!warnings.concat().contains("www"), "{}", warned.stderr);
    let logged = ask(&server, &[WWW, "--short", "-vv"]);
    assert_eq!(logged.stdout, "192.0.2.1\n");
    assert!(logged.stderr.contains("connected") && logged.stderr.contains(WWW), "{}", logged.stderr);
    // Output that is not a terminal has no colours.
    assert!(!logged.stderr.contains('\u{1b}'));
}
