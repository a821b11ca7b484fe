//! What is logged: an interface, as much as functions are.
//!
//! Events go to whatever [`tracing`] subscriber the program installs; there are no spans, and without a subscriber
//! nothing is formatted. Targets, levels, messages and names of fields are those of the table and no others, and
//! change no sooner than a function's name would. A filter of `privydns=info` shows what an operator wants to see,
//! `privydns=debug` what became of each query, `privydns::connection=debug` connections alone.
//!
//! Names of queries and their types are in events of DEBUG and TRACE alone; at INFO and above nothing says what
//! somebody looked up. No event shows the data of a record, a key, or a ticket.
//!
//! | target | level | message | fields |
//! |---|---|---|---|
//! | `privydns::cache` | TRACE | `cache hit` | `name`, `record_type` |
//! | `privydns::lookup` | DEBUG | `attempt` | `name`, `record_type`, `upstream` |
//! | `privydns::lookup` | DEBUG | `attempt failed` | `name`, `record_type`, `upstream`, `stage`, `cause` |
//! | `privydns::lookup` | DEBUG | `hedged` | `name`, `record_type`, `upstream` |
//! | `privydns::lookup` | DEBUG | `sent again` | `name`, `record_type`, `upstream`, `cause` |
//! | `privydns::lookup` | DEBUG | `answered` | `name`, `record_type`, `upstream`, `rcode`, `elapsed` |
//! | `privydns::lookup` | DEBUG | `failed` | `name`, `record_type`, `error` |
//! | `privydns::connection` | DEBUG | `connecting` | `upstream`, `address` |
//! | `privydns::connection` | DEBUG | `connected` | `upstream`, `address`, `resumed` |
//! | `privydns::connection` | WARN | `connection failed` | `upstream`, `address`, `stage`, `cause` |
//! | `privydns::connection` | DEBUG | `connection over` | `upstream`, `cause` |
//! | `privydns::connection` | DEBUG | `the server leaves` | `last_stream`, `code` |
//! | `privydns::connection` | INFO | `a PING was not answered` | `upstream` |
//! | `privydns::upstream` | INFO | `passed over` | `upstream`, `pause` |
//! | `privydns::upstream` | DEBUG | `probing` | `upstream` |
//! | `privydns::upstream` | INFO | `answers again` | `upstream` |
//! | `privydns::upstream` | INFO | `ALPN is refused` | `upstream` |
//! | `privydns::upstream` | INFO | `another HTTP version is spoken` | `upstream`, `version` |
//! | `privydns::upstream` | DEBUG | `bootstrapped` | `upstream`, `addresses` |
//! | `privydns::upstream` | DEBUG | `designation passed over` | `target_name`, `problem` |
//! | `privydns::network` | INFO | `network changed` | |
//! | `privydns::network` | INFO | `the machine slept` | `slept` |
//!
//! | field | what it is |
//! |---|---|
//! | `name`, `record_type` | the query's |
//! | `upstream` | the label of the upstream |
//! | `address` | the address and port connected to; behind a proxy, where the proxy connects to |
//! | `stage` | how far it came: a [`Stage`](crate::Stage) |
//! | `cause` | what ended it: a [`Cause`](crate::Cause) |
//! | `error` | what the caller is told: an [`Error`](crate::Error), which does not say the name |
//! | `rcode` | the response code of the answer |
//! | `elapsed` | how long the lookup took, as in `12.3ms` |
//! | `resumed` | whether the TLS session is a resumed one |
//! | `last_stream`, `code` | of the server's GOAWAY frame (RFC 9113 Section 6.8) |
//! | `pause` | for how long the upstream is not asked |
//! | `version` | the HTTP version that is spoken from now on |
//! | `addresses` | how many addresses were found |
//! | `target_name`, `problem` | the resolver that was designated, and why it is of no use |
//! | `slept` | for how long |

/// What the cache answered.
pub const CACHE: &str = "privydns::cache";
/// Queries, from the first attempt to the answer.
pub const LOOKUP: &str = "privydns::lookup";
/// Connections, from the first packet to the last.
pub const CONNECTION: &str = "privydns::connection";
/// What is learned about upstreams.
pub const UPSTREAM: &str = "privydns::upstream";
/// What happens around the resolver.
pub const NETWORK: &str = "privydns::network";
