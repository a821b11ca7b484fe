//! The servers tested by themselves: each fault does what it says, to clients that are nothing but rustls, `h2` and
//! hand-written octets.

mod client;
mod connections;
mod dot;
mod http1;
mod http2;
mod mutual;
mod running;
