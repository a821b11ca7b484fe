//! Upstreams in configuration files: a text, or a table with further settings.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as DeserializeError, MapAccess, Visitor};

use super::set;
use crate::error::{ConfigError, Error};
use crate::proxy::Proxy;
use crate::tls::{ClientCertificate, Pin, Roots, TbsHash, TlsVersion};
use crate::upstream::{HttpMethod, HttpVersion, Upstream};

/// An upstream. Text and table are distinguished by their type, so that errors are about the form that was used.
#[derive(Clone, Debug)]
pub(super) struct Entry(Table);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    server: Upstream,
    #[serde(default)]
    addresses: Vec<IpAddr>,
    name: Option<String>,
    port: Option<u16>,
    #[serde(default)]
    pins: Vec<Text<Pin>>,
    #[serde(default)]
    tbs_hashes: Vec<Text<TbsHash>>,
    roots: Option<KnownRoots>,
    ca: Option<Secret>,
    certificate: Option<Secret>,
    key: Option<Secret>,
    minimum_tls: Option<TlsVersion>,
    proxy: Option<Secret>,
    http_version: Option<HttpVersion>,
    http_method: Option<HttpMethod>,
    label: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KnownRoots {
    WebPki,
    #[cfg(feature = "platform-verifier")]
    Platform,
}

/// A value that is deserialized with its `FromStr`.
#[derive(Clone, Debug)]
struct Text<T>(T);

/// A text that may be a key or contain a password. `Debug` does not print the text. The text is parsed after the file,
/// because the errors of file formats repeat the line.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Secret(String);

pub(super) type Read<'a> = &'a mut dyn FnMut(&Path) -> io::Result<Vec<u8>>;

impl Entry {
    pub(super) fn upstream(self, read: Read<'_>) -> Result<Upstream, Error> {
        let Self(table) = self;
        let mut upstream = table.addresses.into_iter().fold(table.server, Upstream::address);
        if let Some(name) = table.name {
            upstream = upstream.name(&name)?;
        }
        if let Some(port) = table.port {
            upstream = upstream.with_port(port)?;
        }
        upstream = table.pins.into_iter().fold(upstream, |upstream, Text(pin)| upstream.pin(pin));
        upstream =
            table.tbs_hashes.into_iter().fold(upstream, |upstream, Text(hash)| upstream.tbs_hash(hash));
        let roots = match (table.roots, table.ca) {
            (Some(_), Some(_)) => {
                return Err(problem(&upstream, "`roots` and `ca` exclude each other"));
            }
            (None, Some(ca)) => Some(Roots::from_pem(&ca.pem(read)?)?),
            (roots, None) => roots.map(KnownRoots::roots),
        };
        upstream = set(upstream, roots, Upstream::roots);
        let certificate = match (table.certificate, table.key) {
            (Some(chain), Some(key)) => {
                Some(ClientCertificate::from_pem(&chain.pem(read)?, &key.pem(read)?)?)
            }
            (None, None) => None,
            _ => return Err(problem(&upstream, "`certificate` and `key` require each other")),
        };
        upstream = set(upstream, certificate, Upstream::client_certificate);
        if let Some(Secret(proxy)) = table.proxy {
            upstream = upstream.proxy(proxy.parse::<Proxy>()?);
        }
        let upstream = set(upstream, table.minimum_tls, Upstream::with_minimum_tls);
        let upstream = set(upstream, table.http_version, Upstream::with_http_version);
        let upstream = set(upstream, table.http_method, Upstream::with_http_method);
        Ok(set(upstream, table.label, Upstream::with_label))
    }
}

fn problem(upstream: &Upstream, problem: &str) -> Error {
    ConfigError::Upstream(format!("{}: {problem}", upstream.label())).into()
}

impl Secret {
    /// Returns the text if it is PEM, or the contents of the file with this path. The text can begin with other lines, as
    /// in the output of openssl: a key must not be mistaken for a path, because errors contain paths.
    fn pem(self, read: Read<'_>) -> Result<Vec<u8>, Error> {
        let Self(text) = self;
        if text.contains("-----BEGIN") {
            return Ok(text.into_bytes());
        }
        let unread = |error: io::Error| ConfigError::File { path: text.clone(), problem: error.to_string() };
        Ok(read(Path::new(&text)).map_err(unread)?)
    }
}

impl KnownRoots {
    fn roots(self) -> Roots {
        match self {
            Self::WebPki => Roots::WebPki,
            #[cfg(feature = "platform-verifier")]
            Self::Platform => Roots::Platform,
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an upstream: its text, or a table with `server`")
            }

            fn visit_str<E: DeserializeError>(self, text: &str) -> Result<Entry, E> {
                let fields = [("server", text)].into_iter();
                Table::deserialize(serde::de::value::MapDeserializer::new(fields)).map(Entry)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(Entry)
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

impl<'de, T: FromStr<Err = Error>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
