//! Connects to a name that only the encrypted resolver knows, and reads a line: `cargo run -p privydns-async-std
//! --features connect --example connect`. The resolver and the listener run on loopback inside the example.
//!
//! A program on smol is the same, without the feature `async-std`.

use std::error::Error;
use std::io::Write;
use std::net::TcpListener;
use std::thread;

use privydns_async_std::{Resolver, Roots, Upstream};
use privydns_tests::{Server, Zone};

#[cfg(feature = "async-std")]
use async_std::{io::ReadExt, task::block_on};
#[cfg(not(feature = "async-std"))]
use smol::{block_on, io::AsyncReadExt};

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", hear("good morning")?);
    Ok(())
}

/// Sends a line over loopback, and reads it.
fn hear(words: &'static str) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let speaker = thread::spawn(move || listener.accept()?.0.write_all(words.as_bytes()));
    let name = "speaker.example.test.";
    let zone = Zone::example().address(name, 300, address.ip());
    let server = Server::dot().zone(zone).start();

    let roots = Roots::from_pem(server.authority().root_pem().as_bytes())?;
    let resolver =
        Resolver::builder().upstream(server.upstream().parse::<Upstream>()?.roots(roots)).build()?;
    let mut heard = String::new();
    block_on(async { resolver.connect(name, address.port()).await?.read_to_string(&mut heard).await })?;
    speaker.join().map_err(|_| "the speaker stumbled")??;
    Ok(heard)
}

#[test]
fn a_name_that_only_the_encrypted_resolver_knows_is_connected_to() {
    assert_eq!(hear("some words").expect("words"), "some words");
}
