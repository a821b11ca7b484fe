//! The events that PrivyDNS logs. They are part of the public interface.
//!
//! Events are sent to the [`tracing`] subscriber that the program installs. Without a subscriber, events are
//! not formatted. There are no spans. Targets, levels, messages and field names are listed in the table
//! below, and are as stable as the names of functions. The filter `privydns=info` shows what operators need,
//! `privydns=debug` adds the course of each query, and `privydns::connection=debug` shows only connections.
//!
//! Queried names and types appear only in events of levels DEBUG and TRACE; events of INFO and above do not
//! reveal what was looked up. Data of records, keys and tickets are never logged.
//!
//! | target | level | message | fields |
//! |---|---|---|---|
//! | `privydns::cache` | TRACE | `cache hit` | `name`, `record_type` |
//! | `privydns::lookup` | DEBUG | `attempt` | `name`, `record_type`, `upstream` |
//! | `privydns::lookup` | DEBUG | `attempt failed` | `name`, `record_type`, `upstream`, `stage`, `cause` |
//! | `privydns::lookup` | DEBUG | `hedged` | `name`, `record_type`, `upstream` |
//! | `privydns::lookup` | DEBUG | `query resent` | `name`, `record_type`, `upstream`, `cause` |
//! | `privydns::lookup` | DEBUG | `answered` | `name`, `record_type`, `upstream`, `rcode`, `elapsed` |
//! | `privydns::lookup` | DEBUG | `failed` | `name`, `record_type`, `error` |
//! | `privydns::connection` | DEBUG | `connecting` | `upstream`, `address` |
//! | `privydns::connection` | DEBUG | `connected` | `upstream`, `address`, `resumed` |
//! | `privydns::connection` | WARN | `connection failed` | `upstream`, `address`, `stage`, `cause` |
//! | `privydns::connection` | DEBUG | `connection ended` | `upstream`, `cause` |
//! | `privydns::connection` | DEBUG | `GOAWAY received` | `last_stream`, `code` |
//! | `privydns::connection` | INFO | `PING not answered` | `upstream` |
//! | `privydns::upstream` | INFO | `upstream unhealthy` | `upstream`, `pause` |
//! | `privydns::upstream` | DEBUG | `probing` | `upstream` |
//! | `privydns::upstream` | INFO | `upstream recovered` | `upstream` |
//! | `privydns::upstream` | INFO | `ALPN refused` | `upstream` |
//! | `privydns::upstream` | INFO | `HTTP version changed` | `upstream`, `version` |
//! | `privydns::upstream` | DEBUG | `bootstrapped` | `upstream`, `addresses` |
//! | `privydns::upstream` | DEBUG | `designation ignored` | `target_name`, `problem` |
//! | `privydns::network` | INFO | `network changed` | |
//! | `privydns::network` | INFO | `system resumed` | `slept` |
//!
//! | field | content |
//! |---|---|
//! | `name`, `record_type` | the queried name and type |
//! | `upstream` | the label of the upstream |
//! | `address` | the address and port of the connection; behind a proxy, the address that the proxy connects to |
//! | `stage` | the [`Stage`](crate::Stage) that the attempt reached |
//! | `cause` | the [`Cause`](crate::Cause) of the failure |
//! | `error` | the [`Error`](crate::Error) that the caller gets, which does not contain the name |
//! | `rcode` | the response code of the answer |
//! | `elapsed` | the duration of the lookup, such as `12.3ms` |
//! | `resumed` | whether the TLS session was resumed |
//! | `last_stream`, `code` | the last stream ID and the error code of the server's GOAWAY frame (RFC 9113 Section 6.8) |
//! | `pause` | how long the upstream is skipped |
//! | `version` | the HTTP version that is used from now on |
//! | `addresses` | the number of addresses found |
//! | `target_name`, `problem` | the designated resolver, and why it cannot be used |
//! | `slept` | how long the machine slept |

/// Answers from the cache.
pub const CACHE: &str = "privydns::cache";
/// Lookups, from the first attempt to the answer.
pub const LOOKUP: &str = "privydns::lookup";
/// Connections, from the TCP handshake to the end.
pub const CONNECTION: &str = "privydns::connection";
/// Changes in the state of upstreams.
pub const UPSTREAM: &str = "privydns::upstream";
/// Network changes and sleep.
pub const NETWORK: &str = "privydns::network";
