use domain::base::{MessageBuilder, Name, Rtype};
use domain::net::client::multi_stream;
use domain::net::client::protocol::TlsConnect;
use domain::net::client::request::{RequestMessage, SendRequest};
use domain::rdata::AllRecordData;
use std::sync::Arc;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

async fn run() {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "dns.quad9.net".try_into().unwrap();
    let connect = TlsConnect::new(Arc::new(config), name, "9.9.9.9:853".parse().unwrap());
    let (connection, transport) = multi_stream::Connection::new(connect);
    tokio::spawn(transport.run());
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_rd(true);
    let mut message = message.question();
    message.push((Name::vec_from_str("example.com").unwrap(), Rtype::A)).unwrap();
    let request = RequestMessage::new(message).unwrap();
    let answer = connection.send_request(request).get_response().await.unwrap();
    for record in answer.answer().unwrap().limit_to::<AllRecordData<_, _>>() {
        println!("{}", record.unwrap());
    }
}

fn main() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run());
}
