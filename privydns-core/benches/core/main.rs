//! What the parts of core cost by themselves, without a socket: `cargo bench --package privydns-core --bench core`.
//!
//! Everything is reached through the public API, as a driver reaches it. An argument names the parts wanted, as in
//! `-- http2`.

mod cache;
mod connection;
mod engine;
mod message;
mod peer;
mod world;

fn main() {
    divan::main();
}
