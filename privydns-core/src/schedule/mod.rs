//! When to try, where, and when to stop: the decisions of one lookup, and what is remembered of upstreams.
//!
//! Nothing here knows of connections or messages. [`Plan`] is the order in which one lookup tries its
//! upstreams; [`Health`] and [`Rtt`] are what all lookups have learned of one upstream.

mod backoff;
mod health;
mod plan;
mod rtt;

pub(crate) use health::{Health, Standing};
pub(crate) use plan::{Next, Plan};
pub(crate) use rtt::Rtt;
