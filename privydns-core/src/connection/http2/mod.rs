//! HTTP/2, as much of it as a DoH client needs (RFC 9113).
#![allow(dead_code)]

mod frame;
mod hpack;

#[cfg(test)]
mod tests;
