//! Configuration files (feature `serde`).

mod entry;
mod time;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use self::entry::{Entry, Read};
use super::ResolverBuilder;
use crate::cache::CacheSettings;
use crate::error::Error;
use crate::schedule::{Hedge, Strategy};
use crate::upstream::Upstream;

/// The contents of a configuration file, deserialized by any text format of serde (TOML, JSON, YAML) and converted to a
/// [`ResolverBuilder`] for any runtime.
///
/// ```
/// use std::{fs, path::Path};
/// use privydns_core::{Config, ConfigFile};
///
/// let text = r#"
///     upstreams = ["quad9", { server = "tls://192.0.2.1#dns.example", label = "home" }]
///     timeout = "3s"
/// "#;
/// let file: ConfigFile = toml::from_str(text)?;
/// let folder = Path::new("/etc/privydns");
/// let config: Config = file.builder(|path| fs::read(folder.join(path)))?.build()?;
/// assert_eq!(config.upstreams().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With `let resolver: Resolver = ...`, the same code builds the resolver of a runtime crate. Missing fields have their
/// defaults; unknown fields are errors. A file with examples of all sections:
///
/// ```toml
#[doc = include_str!("../../../examples/privydns.toml")]
/// ```
///
/// The fields have the names and meanings of the methods of [`ResolverBuilder`], [`CacheSettings`] and
/// [`Upstream`](crate::Upstream). The exceptions:
///
/// - `hedge`: a table, with `after` (without it, [adaptive](Hedge::adaptive)) and `share`;
/// - an upstream's `server`: its text; `addresses`, `pins` and `tbs_hashes`: lists; `port`; `ca`, `certificate` and
///   `key`: paths of files, or PEM, which is recognized by its `-----BEGIN`; `roots`: `"webpki"`, or `"platform"` with
///   the feature `platform-verifier`; `minimum_tls`: `"1.2"` or `"1.3"`; `http_version`: `"1.1"`, `"2"` or
///   `"negotiated"`; `http_method`: `"get"` or `"post"`;
/// - times: a number of seconds, or a text with units, such as `"1m 30s"` or `"250ms"`.
///
/// `Debug` and the errors do not contain keys and the credentials of proxies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    upstreams: Vec<Entry>,
    routes: BTreeMap<String, Vec<Entry>>,
    strategy: Option<Strategy>,
    #[serde(deserialize_with = "time::deserialize")]
    timeout: Option<Duration>,
    attempts: Option<u32>,
    #[serde(deserialize_with = "time::deserialize")]
    attempt_timeout: Option<Duration>,
    #[serde(deserialize_with = "time::deserialize")]
    address_delay: Option<Duration>,
    hedge: Option<HedgeTable>,
    max_lookups: Option<usize>,
    max_waiting: Option<usize>,
    max_connections: Option<usize>,
    max_http1_connections: Option<usize>,
    #[serde(deserialize_with = "time::deserialize")]
    ping_interval: Option<Duration>,
    cache: CacheTable,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HedgeTable {
    #[serde(deserialize_with = "time::deserialize")]
    after: Option<Duration>,
    share: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CacheTable {
    max_entries: Option<u64>,
    max_bytes: Option<u64>,
    #[serde(deserialize_with = "time::deserialize")]
    min_ttl: Option<Duration>,
    #[serde(deserialize_with = "time::deserialize")]
    max_ttl: Option<Duration>,
    #[serde(deserialize_with = "time::deserialize")]
    max_negative_ttl: Option<Duration>,
    #[serde(deserialize_with = "time::deserialize")]
    serve_stale: Option<Duration>,
    prefetch: Option<bool>,
}

impl ConfigFile {
    /// Converts the file to a builder. `read` returns the contents of a file, whose path is passed as written in the
    /// configuration. This crate reads no files.
    ///
    /// # Errors
    /// [`ConfigError::File`](crate::ConfigError::File) if `read` fails, and
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for invalid settings.
    pub fn builder<R>(
        self,
        mut read: impl FnMut(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<ResolverBuilder<R>, Error> {
        let mut builder = ResolverBuilder::new().upstreams(upstreams(self.upstreams, &mut read)?);
        for (domain, entries) in self.routes {
            builder = builder.route(domain, upstreams(entries, &mut read)?);
        }
        let builder = set(builder, self.strategy, ResolverBuilder::strategy);
        let builder = set(builder, self.timeout, ResolverBuilder::timeout);
        let builder = set(builder, self.attempts, ResolverBuilder::attempts);
        let builder = set(builder, self.attempt_timeout, ResolverBuilder::attempt_timeout);
        let builder = set(builder, self.address_delay, ResolverBuilder::address_delay);
        let builder = set(builder, self.hedge.map(HedgeTable::hedge), ResolverBuilder::hedge);
        let builder = set(builder, self.max_lookups, ResolverBuilder::max_lookups);
        let builder = set(builder, self.max_waiting, ResolverBuilder::max_waiting);
        let builder = set(builder, self.max_connections, ResolverBuilder::max_connections);
        let builder = set(builder, self.max_http1_connections, ResolverBuilder::max_http1_connections);
        let builder = set(builder, self.ping_interval, ResolverBuilder::ping_interval);
        Ok(builder.cache(self.cache.settings()))
    }
}

impl HedgeTable {
    fn hedge(self) -> Hedge {
        set(self.after.map_or_else(Hedge::adaptive, Hedge::after), self.share, Hedge::share)
    }
}

impl CacheTable {
    fn settings(self) -> CacheSettings {
        let settings = CacheSettings::default();
        let settings = set(settings, self.max_entries, CacheSettings::max_entries);
        let settings = set(settings, self.max_bytes, CacheSettings::max_bytes);
        let settings = set(settings, self.min_ttl, CacheSettings::min_ttl);
        let settings = set(settings, self.max_ttl, CacheSettings::max_ttl);
        let settings = set(settings, self.max_negative_ttl, CacheSettings::max_negative_ttl);
        let settings = set(settings, self.serve_stale, CacheSettings::serve_stale);
        set(settings, self.prefetch, CacheSettings::prefetch)
    }
}

fn upstreams(entries: Vec<Entry>, read: Read<'_>) -> Result<Vec<Upstream>, Error> {
    entries.into_iter().map(|entry| entry.upstream(read)).collect()
}

/// Calls a setter if there is a value.
fn set<T, V>(target: T, value: Option<V>, setter: impl FnOnce(T, V) -> T) -> T {
    match value {
        Some(value) => setter(target, value),
        None => target,
    }
}

#[cfg(test)]
mod tests;
