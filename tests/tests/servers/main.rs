//! Tests of the servers themselves: each fault has its documented effect. The clients use only rustls, `h2` and
//! bytes written by hand.

mod client;
mod connections;
mod dot;
mod http1;
mod http2;
mod mutual;
mod running;
