//! Looks up one name: `cargo run -p privydns-tokio --example lookup_tokio -- NAME TYPE UPSTREAM`.
//!
//! For example `-- example.com AAAA 'tls://9.9.9.9#dns.quad9.net'`.

use std::process::ExitCode;

use privydns_tokio::{Outcome, RecordType, Resolver};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [name, record_type, upstream] = &arguments[..] else {
        eprintln!("usage: lookup NAME TYPE UPSTREAM");
        return ExitCode::from(2);
    };
    match lookup(name, record_type, upstream).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn lookup(name: &str, record_type: &str, upstream: &str) -> Result<(), Box<dyn std::error::Error>> {
    let record_type: RecordType = record_type.parse()?;
    let resolver = Resolver::builder().upstream(upstream.parse()?).build()?;
    let answer = resolver.lookup(name, record_type).await?;
    for record in answer.records() {
        println!("{record}");
    }
    if answer.outcome() != Outcome::Records {
        println!("{}", answer.rcode());
    }
    println!("; from {} in {:.1?}", answer.upstream(), answer.elapsed());
    resolver.close().await;
    Ok(())
}
