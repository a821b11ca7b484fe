//! The command `privydns`, run as a user runs it, against loopback servers.

mod answers;
mod many;
mod options;
mod run;
#[cfg(unix)]
mod terminal;
mod usage;
