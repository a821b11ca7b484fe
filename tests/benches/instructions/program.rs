//! The client's program. Its arguments are OPERATION COUNT ADDRESS NAME ROOT; ROOT is a file.
//!
//! The number of instructions must not depend on the machine's speed. The runtime's clock therefore stands still: no
//! timer fires, and no pause ends. The runtime polls the sockets only when all tasks wait.

#[allow(unused_imports, reason = "the benchmark asks for more than this program does")]
mod client;

use std::{env, fs, process, thread};

use client::{Operation, Server};

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [operation, count, address, name, root] = &arguments[..] else {
        panic!("arguments: OPERATION COUNT ADDRESS NAME ROOT");
    };
    let operation = Operation::ALL.into_iter().find(|found| found.name() == operation).expect("an operation");
    let server = Server {
        address: address.parse().expect("an address"),
        name: name.clone(),
        root: fs::read(root).expect("a certificate"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(u32::MAX)
        .start_paused(true)
        .build()
        .expect("a runtime");
    // While a blocking task runs, tokio does not advance a paused clock.
    let _never_ends = runtime.spawn_blocking(|| {
        loop {
            thread::park()
        }
    });
    operation.run(count.parse().expect("a number"), &server, &runtime);
    process::exit(0);
}
