//! The auto traits of the public types, checked at compile time.

use privydns_blocking::{AddressLookup, Lookups, Resolver};

fn is_send<T: Send>() {}
fn is_send_and_sync<T: Send + Sync + Unpin + 'static>() {}

#[test]
fn resolvers_are_send_and_sync() {
    is_send_and_sync::<Resolver>();
    is_send::<AddressLookup<'_>>();
    is_send::<Lookups<'_, std::vec::IntoIter<privydns_blocking::Query>>>();
}
