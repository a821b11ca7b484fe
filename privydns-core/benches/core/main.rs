//! The cost of the parts of the core without sockets: `cargo bench --package privydns-core --bench core`.
//!
//! The benchmarks use the core as a driver does. An argument selects parts, as in `-- http2`.

mod cache;
mod connection;
mod engine;
mod message;
mod peer;
mod world;

fn main() {
    divan::main();
}
