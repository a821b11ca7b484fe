use hickory_resolver::TokioResolver;
use hickory_resolver::config::{QUAD9, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;

async fn run() {
    let config = ResolverConfig::tls(&QUAD9);
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let lookup = builder.build().unwrap().lookup("example.com.", RecordType::A).await.unwrap();
    for record in lookup.answers() {
        println!("{record}");
    }
}

fn main() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run());
}
