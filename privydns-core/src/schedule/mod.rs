//! When to try, where, and when to stop: the decisions of one lookup, and what is remembered of upstreams.
//!
//! Nothing here knows of connections or messages. [`Plan`] is the order in which one lookup tries its
//! upstreams; [`Health`] and [`Rtt`] are what all lookups have learned of one upstream.

mod backoff;
mod failures;
mod health;
mod hedge;
mod plan;
mod rtt;
mod strategy;

pub(crate) use failures::Failures;
pub(crate) use health::{Health, Standing};
pub use hedge::Hedge;
pub(crate) use hedge::HedgeBudget;
pub(crate) use plan::{Plan, PlanStep};
pub(crate) use rtt::Rtt;
pub(crate) use strategy::Order;
pub use strategy::Strategy;
