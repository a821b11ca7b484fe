//! Looks up names on several threads, over one resolver with a shared connection: `cargo run -p privydns-blocking
//! --example threads -- UPSTREAM NAME...`.
//!
//! For example `-- 'tls://9.9.9.9#dns.quad9.net' example.com example.net example.org`.

use std::process::ExitCode;

use privydns_blocking::{Error, Resolver};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(upstream) = arguments.next() else {
        eprintln!("usage: threads UPSTREAM NAME...");
        return ExitCode::from(2);
    };
    match look_up(&upstream, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn look_up(upstream: &str, names: impl Iterator<Item = String>) -> Result<(), Error> {
    let resolver = Resolver::builder().upstream(upstream.parse()?).build()?;
    std::thread::scope(|scope| {
        for name in names {
            let resolver = resolver.clone();
            scope.spawn(move || match resolver.lookup_ip(&name) {
                Ok(addresses) => println!("{name}: {:?}", addresses.iter().collect::<Vec<_>>()),
                Err(error) => println!("{name}: {error}"),
            });
        }
    });
    for upstream in resolver.stats().upstreams {
        println!(
            "{} answered {} queries over {} connection(s)",
            upstream.upstream, upstream.queries, upstream.connections_opened
        );
    }
    Ok(())
}
