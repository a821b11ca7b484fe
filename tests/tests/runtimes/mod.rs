//! The same lookup on every runtime.

use privydns_core::{Answer, Config, Error, Query};

/// Asks a resolver that is made for this one query.
pub(crate) type Ask = fn(Config, Query) -> Result<Answer, Error>;

/// The runtimes, by name.
pub(crate) const RUNTIMES: [(&str, Ask); 1] = [("tokio", on_tokio)];

fn on_tokio(config: Config, query: Query) -> Result<Answer, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let resolver = privydns_tokio::Resolver::try_from(config)?;
        let result = resolver.query(query).await;
        resolver.close().await;
        result
    })
}
