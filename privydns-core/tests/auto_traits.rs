//! The auto traits of the public types, checked at compile time.

use privydns_core::engine::{
    AddressResults, CacheResult, Engine, Input, Output, QueryKey, Shared, Target, Tunnel,
};
use privydns_core::handle::{Connecting, Handle, Inbox, Lookup, PendingAddresses};
use privydns_core::presets::Preset;
use privydns_core::{
    Addresses, Answer, CacheSettings, CacheStats, ClientCertificate, Config, Discovery, Error, ErrorKind,
    Hedge, IoError, Message, Pin, Proxy, Query, QueryName, ResolverBuilder, Roots, Service, Stamp, Stats,
    Strategy, TbsHash, Template, Upstream,
};

fn is_send<T: Send>() {}
fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_send_and_sync::<(Addresses, Answer, CacheSettings, CacheStats, ClientCertificate)>();
    is_send_and_sync::<(Config, Discovery, Error, ErrorKind, Hedge, IoError, Message, Pin, Proxy)>();
    is_send_and_sync::<(Query, QueryName, ResolverBuilder, Roots, Service, Stats, Strategy, TbsHash)>();
    is_send_and_sync::<(Upstream, Stamp, Template, Preset, AddressResults, Handle, Inbox)>();
    is_send_and_sync::<(Lookup<'_>, PendingAddresses<'_>, Connecting<'_>)>();
    is_send_and_sync::<(CacheResult, Input<'_>, Output, QueryKey, Shared, Target, Tunnel)>();
    is_send::<Engine>();
}
