//! The policies: whom a lookup is sent to, how often, and what is remembered of it.

mod bootstrap;
