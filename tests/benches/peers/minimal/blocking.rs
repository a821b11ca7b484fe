use privydns_blocking::{Error, RecordType, Resolver};

fn main() -> Result<(), Error> {
    let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
    for record in resolver.lookup("example.com", RecordType::A)?.records() {
        println!("{record}");
    }
    Ok(())
}
