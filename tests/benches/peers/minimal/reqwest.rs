async fn run() -> reqwest::Result<()> {
    let query = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01".to_vec();
    let client = reqwest::Client::new();
    let request = client.post("https://dns.quad9.net/dns-query");
    let request = request.header("content-type", "application/dns-message").body(query);
    println!("{:?}", request.send().await?.bytes().await?);
    Ok(())
}

fn main() -> reqwest::Result<()> {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run())
}
