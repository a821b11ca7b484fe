//! Guides for users of this crate's servers and for authors of backends. Further chapters are in the guide of
//! [`privydns-core`](https://docs.rs/privydns-core/latest/privydns_core/guide/).

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("backend.md")]
pub mod backend {}
