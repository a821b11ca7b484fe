//! Fuzz target: a proxy's replies before the tunnel is open.

use super::source::Source;
use crate::error::Cause;
use crate::proxy::{Destination, Proxy, Tunnel};

/// The longest reply: the head of a response to CONNECT.
const MAX_HELD: usize = 16 * 1024;

/// The input is the reply of a SOCKS5 or HTTP proxy.
pub fn proxy(input: &[u8]) {
    let mut source = Source::new(input);
    let flags = source.byte();
    let piece = source.below(32) + 2;
    let address = ([127, 0, 0, 1], 9050);
    let proxy = if flags & 1 == 0 { Proxy::socks5(address) } else { Proxy::http_connect(address) };
    let proxy =
        if flags & 2 == 0 { proxy } else { proxy.credentials("user", "password").expect("credentials") };
    let destination = match flags >> 2 & 3 {
        0 => Destination::Address(([192, 0, 2, 1], 853).into()),
        1 => Destination::Address(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 853).into()),
        _ => Destination::Name("dns.example".into(), 443),
    };
    let is_ended = flags & 0x10 != 0;
    let said = source.rest();
    let run = |piece| run(Tunnel::new(&proxy, destination.clone()), said, piece, is_ended);
    let whole = run(said.len().max(1));
    assert_eq!(whole, run(1), "the same result byte by byte");
    assert_eq!(whole, run(piece), "the same result in pieces of {piece} bytes");
}

/// The bytes sent to the proxy, and whether the tunnel is open or why it failed.
fn run(mut tunnel: Tunnel, said: &[u8], piece: usize, is_ended: bool) -> (Vec<u8>, Result<bool, Cause>) {
    let (mut sent, mut message) = (Vec::new(), Vec::new());
    let mut transmit = |tunnel: &mut Tunnel| {
        while tunnel.poll_transmit(&mut message) {
            sent.append(&mut message);
            assert!(sent.len() < 1024, "the tunnel sends more than 1024 bytes");
        }
    };
    transmit(&mut tunnel);
    let end: &[u8] = &[];
    for piece in said.chunks(piece).chain(is_ended.then_some(end)) {
        let result = tunnel.handle_input(piece);
        transmit(&mut tunnel);
        if let Err(cause) = result {
            return (sent, Err(cause));
        }
        assert!(tunnel.held() <= MAX_HELD, "the tunnel holds {} bytes", tunnel.held());
    }
    let is_open = tunnel.is_open();
    (sent, Ok(is_open))
}
