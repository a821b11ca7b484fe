//! The resolver and the queries, built from the arguments.

use std::fs;
use std::path::Path;

use privydns_blocking::presets;
use privydns_blocking::{
    CacheUse, ClientCertificate, Error, HttpMethod, HttpVersion, Protocol, Query, RecordType, Resolver,
    Roots, Strategy, Upstream,
};

use crate::arguments::{Arguments, Lookup, Order, Transport, Upstreams};
use crate::values;

/// Builds the resolver. The error is a text of one line.
pub(crate) fn resolver(arguments: &Arguments) -> Result<Resolver, String> {
    let upstreams = upstreams(&arguments.upstreams)?;
    let strategy = match arguments.upstreams.strategy {
        Order::Ordered => Strategy::Ordered,
        Order::Fastest => Strategy::Fastest,
        Order::Race => Strategy::race(upstreams.len()),
        Order::Spread => Strategy::Spread,
    };
    let mut builder = Resolver::builder()
        .upstreams(upstreams)
        .strategy(strategy)
        .timeout(arguments.lookup.timeout)
        .attempts(arguments.lookup.attempts)
        // Queries wait for a full connection: a list of names does not justify a second one.
        .max_connections(1);
    if arguments.file.is_some() {
        builder = builder.max_lookups(arguments.concurrency.into());
    }
    builder.build().map_err(|error| error.to_string())
}

fn upstreams(wanted: &Upstreams) -> Result<Vec<Upstream>, String> {
    let mut upstreams = wanted.given.clone();
    if upstreams.is_empty() {
        let is_https = matches!(wanted.protocol, Some(Transport::Https));
        let preset = if is_https { presets::QUAD9_HTTPS } else { presets::QUAD9 };
        upstreams.push(preset.upstream());
    }
    let roots = wanted.ca.as_deref().map(|file| from_pem(file, &read(file)?, Roots::from_pem));
    let roots = roots.transpose()?;
    let certificate = wanted.cert.as_deref().map(|file| client_certificate(file, wanted.key.as_deref()));
    let certificate = certificate.transpose()?;
    for upstream in &mut upstreams {
        let mut dressed = upstream.clone();
        if let Some(roots) = &roots {
            dressed = dressed.roots(roots.clone());
        }
        if let Some(certificate) = &certificate {
            dressed = dressed.client_certificate(certificate.clone());
        }
        if wanted.get {
            dressed = dressed.with_http_method(HttpMethod::Get);
        }
        if wanted.http1 {
            dressed = dressed.with_http_version(HttpVersion::Http1);
        }
        *upstream = wanted.pins.iter().fold(dressed, |upstream, pin| upstream.pin(*pin));
    }
    let protocol = wanted.protocol.map(Protocol::from);
    if let Some(protocol) = protocol
        && !upstreams.iter().any(|upstream| upstream.protocol() == protocol)
    {
        let labels = upstreams.iter().map(|upstream| upstream.label().to_string()).collect::<Vec<_>>();
        return Err(format!("--protocol {protocol}: no upstream has this protocol: {}", labels.join(", ")));
    }
    Ok(upstreams)
}

fn client_certificate(file: &Path, key: Option<&Path>) -> Result<ClientCertificate, String> {
    let key = key.unwrap_or(file);
    let key_pem = read(key)?;
    from_pem(file, &read(file)?, |chain| ClientCertificate::from_pem(chain, &key_pem))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn from_pem<T>(file: &Path, pem: &[u8], make: impl FnOnce(&[u8]) -> Result<T, Error>) -> Result<T, String> {
    make(pem).map_err(|error| format!("{}: {error}", file.display()))
}

/// The requested record types; A by default.
pub(crate) fn record_types<'a>(
    words: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<RecordType>, String> {
    let mut types = Vec::new();
    for word in words {
        let record_type = values::record_type(word)?;
        if !types.contains(&record_type) {
            types.push(record_type);
        }
    }
    if types.is_empty() {
        types.push(RecordType::A);
    }
    Ok(types)
}

/// Applies the options of the command line to a query.
pub(crate) fn dress(query: Query, options: &Lookup, protocol: Option<Transport>) -> Query {
    let mut query =
        query.dnssec_ok(options.dnssec).checking_disabled(options.cd).padding(!options.no_padding);
    if let Some(subnet) = options.ecs {
        query = query.with_client_subnet(subnet);
    }
    if options.no_cache {
        query = query.with_cache_use(CacheUse::Bypass);
    }
    match protocol {
        Some(protocol) => query.with_protocol(protocol.into()),
        None => query,
    }
}
