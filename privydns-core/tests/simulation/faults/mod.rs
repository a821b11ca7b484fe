//! Known faults of the engine and its cache. Each test asserts the wrong value of today, and its name carries the
//! number of the fault. The comment on a test states the right value, so that the fix inverts the assertion and gives
//! the test a name without `fault`.

mod answers;
mod cache;
mod dials;
mod limits;
mod losses;
mod queue;
mod retry_after;
mod undriven;

use std::time::Duration;

use privydns_core::engine::LookupId;
use privydns_core::{Config, HttpVersion, ResolverBuilder};

use crate::world::{Act, Ask, Host, Refusal, SpokenProtocol, World, answer, https_address, https_upstream};

/// A world with one upstream that is asked by DoH. `configure` changes the rest of the configuration.
fn over_http(speaks: SpokenProtocol, configure: impl FnOnce(ResolverBuilder) -> ResolverBuilder) -> World {
    let version = if speaks == SpokenProtocol::Http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
    let builder = Config::builder().upstream(https_upstream(0).with_http_version(version));
    let mut world = World::new(configure(builder));
    https_host(&mut world).speaks = speaks;
    world
}

/// The host of the first upstream that is asked by DoH.
fn https_host(world: &mut World) -> &mut Host {
    world.network.host(https_address(0))
}

/// Has a host do `slow` for names that begin with `slow`, and answer all others at once.
fn is_slow_for_some(host: &mut Host, slow: impl Fn(&Ask) -> Vec<Act> + 'static) {
    host.serves(
        move |ask| {
            if ask.question.name.starts_with("slow") { slow(ask) } else { answer(&ask.question) }
        },
    );
}

/// Has a host answer every request with an HTTP status and, if there is one, `Retry-After` in seconds.
fn refuses(host: &mut Host, status: u16, retry_after: Option<u32>) {
    host.serves(move |_| vec![Act::Refuse(Duration::ZERO, Refusal::Status(status, retry_after))]);
}

/// Begins a number of lookups, each of another name.
fn burst(world: &mut World, prefix: &str, count: usize) -> Vec<LookupId> {
    (0..count).map(|number| world.lookup(&format!("{prefix}{number}.example"))).collect()
}

/// Begins a lookup of a new name again and again, and does not wait for the answers.
fn steady_load(world: &mut World, count: usize, interval: Duration) {
    for number in 0..count {
        world.lookup(&format!("host{number}.example"));
        world.run_for(interval);
    }
}

/// How many of the lookups that are on their way are answered, and how many fail.
fn outcomes(world: &mut World) -> (usize, usize) {
    let done = world.finish_all();
    let answered = done.iter().filter(|done| done.result.is_ok()).count();
    (answered, done.len() - answered)
}
