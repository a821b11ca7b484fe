//! The guide: a chapter for each task, with examples to copy.
//!
//! The guide is the same in every crate. `privydns_tokio`, `privydns_async_std` and `privydns_blocking` re-export
//! everything used here, so a program needs only one of them. The examples show the code that these crates have in
//! common, and therefore contain no `.await`. In a program, write `Resolver::builder()` of the runtime crate where an
//! example writes `Config::builder()`.
//!
//! - [`upstreams`]: which servers to query, in which form and order, and what that discloses to whom
//! - [`configuration`]: configuration files
//! - [`answers`]: typed values, in the order in which to use them
//! - [`connecting`]: connections to a name, addresses as they arrive, and use as the resolver of other libraries
//! - [`mutual_tls`]: a private authority and client certificates
//! - [`privacy`]: which data each party can see, and how to reduce them
//! - [`errors`]: kinds of failures, automatic retries, and when a program should retry
//! - [`policies`]: policies without settings: stale connections, unhealthy upstreams, remembered failures
//! - [`upstream_text`]: the syntax of upstreams as text
//! - [`caching`]: limits, TTLs, prefetching, and stale answers
//! - [`logging`]: events for `tracing`, and counters
//! - [`command`]: the command `privydns` and its JSON output
//!
//! Two chapters are part of the test servers' documentation, because their examples need the test servers:
//! [testing your own application](https://docs.rs/privydns-tests/latest/privydns_tests/guide/testing/) and
//! [writing another runtime backend](https://docs.rs/privydns-tests/latest/privydns_tests/guide/backend/).
//!
//! | task | chapter |
//! |---|---|
//! | Use a public resolver, or a server from another program's configuration | [`upstreams`] |
//! | Query several resolvers: for privacy, for speed, or to survive outages | [`upstreams`] |
//! | Send internal names to an internal server | [`upstreams`], with client certificates [`mutual_tls`] |
//! | Reach a resolver through a proxy or through Tor | [`upstreams`], [`privacy`] |
//! | Use the encrypted resolver that the network offers | [`upstreams`] |
//! | Read MX, SRV, HTTPS, TXT or CAA records | [`answers`] |
//! | Connect to a host, or plug PrivyDNS into reqwest or ureq | [`connecting`] |
//! | Tell "no such name" from a failure; show a message; decide whether to retry | [`errors`] |
//! | Change timeouts and the number of attempts | [`errors`] |
//! | Limit or turn off the cache; bypass it; answer during outages | [`caching`] |
//! | Load the configuration from a file | [`configuration`] |
//! | Find out why a lookup is slow or fails; export metrics | [`logging`] |
//! | See who learns which names, and hide the client's address or subnet | [`privacy`] |
//! | Do lookups from a terminal or a script | [`command`] |

#[doc = include_str!("upstreams.md")]
pub mod upstreams {}

#[doc = include_str!("upstream_text.md")]
pub mod upstream_text {}

#[doc = include_str!("policies.md")]
pub mod policies {}

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("answers.md")]
pub mod answers {}

#[doc = include_str!("connecting.md")]
pub mod connecting {}

#[doc = include_str!("mutual_tls.md")]
pub mod mutual_tls {}

#[doc = include_str!("privacy.md")]
pub mod privacy {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("caching.md")]
pub mod caching {}

#[doc = include_str!("logging.md")]
pub mod logging {}

#[doc = include_str!("command.md")]
pub mod command {}
