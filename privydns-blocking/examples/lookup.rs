//! Looks one name up: `lookup NAME TYPE UPSTREAM`, as in
//! `lookup example.com MX tls://9.9.9.9#dns.quad9.net`.

use std::error::Error;
use std::process::ExitCode;

use privydns_blocking::Resolver;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [name, record_type, upstream] = &arguments[..] else {
        eprintln!("usage: lookup NAME TYPE UPSTREAM");
        return ExitCode::from(2);
    };
    match lookup(name, record_type, upstream) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn lookup(name: &str, record_type: &str, upstream: &str) -> Result<(), Box<dyn Error>> {
    let resolver = Resolver::builder().upstream(upstream.parse()?).build()?;
    let answer = resolver.lookup(name, record_type.parse()?)?;
    for record in answer.records() {
        println!("{} {} {} {}", record.name(), record.ttl(), record.record_type(), record.data()?);
    }
    println!("{} from {} in {:.1?}", answer.rcode(), answer.upstream(), answer.elapsed());
    Ok(())
}
