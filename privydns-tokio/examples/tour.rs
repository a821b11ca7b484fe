//! A tour of the resolver's features on loopback servers: `cargo run --release -p privydns-tokio --example tour`. The
//! example needs no internet access.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use privydns_tests::{ConnectionFault, End, QueryFault, Script, Server, ServerCertificate, Setup};
use privydns_tokio::{
    Answer, Cause, CertificateProblem, ClientCertificate, Error, ErrorKind, RecordType, Resolver, Roots,
    Upstream,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut tour = Tour::default();
    println!("{:<46} {:<26} {:<42} {:>9}", "what", "upstream", "answer", "time");
    for stop in STOPS {
        tour.visit(*stop).await;
    }
    println!("{} of {} as expected", tour.as_expected, tour.visited);
    if tour.as_expected == tour.visited { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A kind of server, and the expected result of asking it.
#[derive(Clone, Copy)]
enum Stop {
    Answered(&'static str, fn() -> Setup, Client),
    CacheHit,
    StaleConnection,
    Failover,
    SlowAnswer,
    WrongCertificate,
    MissingClientCertificate,
}

#[derive(Clone, Copy, PartialEq)]
enum Client {
    Anonymous,
    Certified,
}

const STOPS: &[Stop] = &[
    Stop::Answered("DNS over TLS", Server::dot, Client::Anonymous),
    Stop::Answered("DNS over mutual TLS", mutual_dot, Client::Certified),
    Stop::Answered("DNS over HTTPS, HTTP/2", Server::http2, Client::Anonymous),
    Stop::Answered("DNS over HTTPS, HTTP/1.1", Server::http1, Client::Anonymous),
    Stop::Answered("DNS over HTTPS with mutual TLS", mutual_https, Client::Certified),
    Stop::CacheHit,
    Stop::StaleConnection,
    Stop::Failover,
    Stop::SlowAnswer,
    Stop::WrongCertificate,
    Stop::MissingClientCertificate,
];

fn mutual_dot() -> Setup {
    Server::dot().mutual()
}

fn mutual_https() -> Setup {
    Server::http2().mutual()
}

#[derive(Default)]
struct Tour {
    visited: u32,
    as_expected: u32,
}

impl Tour {
    async fn visit(&mut self, stop: Stop) {
        let shown = match stop {
            Stop::Answered(what, setup, client) => answered(what, setup(), client).await,
            Stop::CacheHit => cache_hit().await,
            Stop::StaleConnection => stale_connection().await,
            Stop::Failover => failover().await,
            Stop::SlowAnswer => slow_answer().await,
            Stop::WrongCertificate => wrong_certificate().await,
            Stop::MissingClientCertificate => missing_client_certificate().await,
        };
        let Shown { what, upstream, answer, time, as_expected } = shown;
        let mark = if as_expected { "" } else { "   UNEXPECTED" };
        println!("{what:<46} {upstream:<26} {answer:<42} {:>6.2} ms{mark}", time.as_secs_f64() * 1000.0);
        self.visited += 1;
        self.as_expected += u32::from(as_expected);
    }
}

/// A row of the table.
struct Shown {
    what: &'static str,
    upstream: String,
    answer: String,
    time: Duration,
    as_expected: bool,
}

impl Shown {
    fn new(what: &'static str, result: &Result<Answer, Error>, began: Instant, as_expected: bool) -> Self {
        let (upstream, answer) = match result {
            Ok(answer) => (answer.upstream().to_owned(), list(answer.addresses())),
            Err(error) => (error.upstream().unwrap_or("none").to_owned(), cause(error)),
        };
        Self { what, upstream, answer, time: began.elapsed(), as_expected }
    }
}

fn list(items: impl Iterator<Item = impl Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// The kind of an error, without the rest of its text.
fn cause(error: &Error) -> String {
    error.kind().to_string().chars().take(42).collect()
}

/// The server as an upstream that trusts the server's authority, with a label for the table.
fn upstream(server: &Server, label: &str, client: Client) -> Upstream {
    let authority = server.authority();
    let upstream = server.upstream().parse::<Upstream>().expect("the server says how to name it");
    let roots = Roots::from_pem(authority.root_pem().as_bytes()).expect("a good root");
    let upstream = upstream.roots(roots).with_label(label);
    if client == Client::Anonymous {
        return upstream;
    }
    let own = authority.client(privydns_tests::ClientCertificate::Good);
    let certificate = ClientCertificate::from_pem(own.chain_pem().as_bytes(), own.key_pem().as_bytes());
    upstream.client_certificate(certificate.expect("a good certificate"))
}

fn resolver(upstreams: impl IntoIterator<Item = Upstream>) -> Resolver {
    Resolver::builder().upstreams(upstreams).build().expect("a configuration that works")
}

fn is_answered(result: &Result<Answer, Error>) -> bool {
    result.as_ref().is_ok_and(|answer| list(answer.addresses()) == "192.0.2.1")
}

async fn answered(what: &'static str, setup: Setup, client: Client) -> Shown {
    let server = setup.start();
    let resolver = resolver([upstream(&server, "server", client)]);
    let began = Instant::now();
    let result = resolver.lookup("www.example.test", RecordType::A).await;
    Shown::new(what, &result, began, is_answered(&result))
}

async fn cache_hit() -> Shown {
    let server = Server::dot().start();
    let resolver = resolver([upstream(&server, "server", Client::Anonymous)]);
    let first = resolver.lookup("www.example.test", RecordType::A).await;
    let began = Instant::now();
    let result = resolver.lookup("WWW.example.test.", RecordType::A).await;
    let is_hit = result.as_ref().is_ok_and(Answer::is_cached) && server.seen().query_count == 1;
    Shown::new("the same again, from the cache", &result, began, first.is_ok() && is_hit)
}

async fn stale_connection() -> Shown {
    let server = Server::dot().start();
    let resolver = resolver([upstream(&server, "server", Client::Anonymous)]);
    let first = resolver.lookup("alias.example.test", RecordType::A).await;
    server.drop_connections(End::Fin);
    let began = Instant::now();
    let result = resolver.lookup("www.example.test", RecordType::A).await;
    let is_free = result.as_ref().is_ok_and(|answer| answer.attempts() == 1);
    Shown::new(
        "the server closed the idle connection",
        &result,
        began,
        first.is_ok() && is_free && is_answered(&result),
    )
}

async fn failover() -> Shown {
    let (dying, other) = (Server::dot().start(), Server::dot().start());
    let resolver = resolver([
        upstream(&dying, "first", Client::Anonymous),
        upstream(&other, "second", Client::Anonymous),
    ]);
    let first = resolver.lookup("alias.example.test", RecordType::A).await;
    dying.kill();
    let began = Instant::now();
    let result = resolver.lookup("www.example.test", RecordType::A).await;
    let is_second = result.as_ref().is_ok_and(|answer| answer.upstream() == "second");
    Shown::new("the first server died", &result, began, first.is_ok() && is_second && is_answered(&result))
}

async fn slow_answer() -> Shown {
    let slow = Server::dot().script(Script::new().on_query("www.example.test.", QueryFault::Silent)).start();
    let other = Server::dot().start();
    let resolver = resolver([
        upstream(&slow, "first", Client::Anonymous),
        upstream(&other, "second", Client::Anonymous),
    ]);
    let began = Instant::now();
    let result = resolver.lookup("www.example.test", RecordType::A).await;
    let is_second = result.as_ref().is_ok_and(|answer| answer.upstream() == "second");
    Shown::new("the first server never answers", &result, began, is_second && is_answered(&result))
}

async fn wrong_certificate() -> Shown {
    let fault = ConnectionFault::Certificate(ServerCertificate::WrongName);
    let server = Server::dot().script(Script::new().on_connection(.., fault)).start();
    let resolver = resolver([upstream(&server, "server", Client::Anonymous)]);
    let began = Instant::now();
    let result = resolver.lookup("www.example.test", RecordType::A).await;
    let is_refused = matches!(
        result.as_ref().map_err(Error::kind),
        Err(ErrorKind::Upstream(Cause::Certificate(CertificateProblem::WrongName)))
    );
    Shown::new(
        "refused: a certificate for another name",
        &result,
        began,
        is_refused && server.seen().query_count == 0,
    )
}

async fn missing_client_certificate() -> Shown {
    let server = mutual_dot().start();
    let resolver = resolver([upstream(&server, "server", Client::Anonymous)]);
    let began = Instant::now();
    let result = resolver.lookup("www.example.test", RecordType::A).await;
    let is_refused =
        matches!(result.as_ref().map_err(Error::kind), Err(ErrorKind::Upstream(Cause::ClientCertificate(_))));
    Shown::new("refused: no client certificate to show", &result, began, is_refused)
}
