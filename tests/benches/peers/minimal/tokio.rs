use privydns_tokio::{Error, RecordType, Resolver};

async fn run() -> Result<(), Error> {
    let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
    for record in resolver.lookup("example.com", RecordType::A).await?.records() {
        println!("{record}");
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run())
}
