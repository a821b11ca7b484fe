//! The choice of an executor.

use privydns_core::engine::seed;
use privydns_core::handle::Start;

use crate::driver::Driver;

/// The executor that runs a resolver's driver. The choice affects only the driver's task: async-std and smol use the
/// sockets and timers of async-io, and any executor can await a lookup.
///
/// The default is async-std where that feature is enabled, and otherwise smol. Features add up over all crates of a
/// program; a library that must not start async-std's threads names `Runtime::Smol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Runtime {
    /// The global executor of async-std, as in `async_std::task::spawn`.
    #[cfg(feature = "async-std")]
    #[default]
    AsyncStd,
    /// The global executor of smol, as in `smol::spawn`.
    #[cfg(feature = "smol")]
    #[cfg_attr(not(feature = "async-std"), default)]
    Smol,
}

impl Runtime {
    /// The function that starts a driver on this executor.
    pub(crate) fn start(self) -> Start {
        match self {
            #[cfg(feature = "async-std")]
            Self::AsyncStd => |inbox| {
                async_std::task::spawn(Driver::new(inbox, seed()?));
                Ok(())
            },
            #[cfg(feature = "smol")]
            Self::Smol => |inbox| {
                smol::spawn(Driver::new(inbox, seed()?)).detach();
                Ok(())
            },
        }
    }
}
