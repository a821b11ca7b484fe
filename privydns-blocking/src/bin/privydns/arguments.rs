//! The command line: its options and their meaning.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, CommandFactory as _, Parser, ValueEnum};
use clap_complete::Shell;
use privydns_blocking::{ClientSubnet, Pin, Protocol, Upstream};

use crate::values;

/// The number of concurrent streams that nearly every HTTP/2 server allows (RFC 9113 Section 6.5.2).
const CONCURRENCY: &str = "100";

/// Looks up names over encrypted transports: DNS over TLS, DNS over mutual TLS and DNS over HTTPS.
///
/// No query is sent in clear text. Queries go to Quad9 unless upstreams are given.
///
/// The exit status is 0 when every lookup was answered (NXDOMAIN is an answer), 1 when a lookup failed, and 2 for wrong
/// usage.
#[derive(Debug, Parser)]
#[command(
    name = "privydns",
    version,
    max_term_width = 100,
    override_usage = "privydns [OPTIONS] NAME [TYPE]...\n       \
                      privydns [OPTIONS] -x IP\n       \
                      privydns [OPTIONS] --file FILE [TYPE]...\n       \
                      privydns --list-presets",
    after_help = "Examples:\n  \
                  privydns example.com AAAA MX\n  \
                  privydns -u cloudflare-https --json example.com HTTPS\n  \
                  privydns -u 'tls://192.0.2.53#dns.corp.example' --ca ca.pem --cert me.pem host.corp.example\n  \
                  privydns --file names.txt --short"
)]
pub(crate) struct Arguments {
    /// The name to look up
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Record types, by name or number: AAAA, MX, TYPE65 [default: A]
    #[arg(value_name = "TYPE")]
    pub(crate) types: Vec<String>,

    /// Looks up the name of an IP address
    #[arg(short = 'x', long = "reverse", value_name = "IP", conflicts_with_all = ["name", "file"])]
    pub(crate) reverse: Option<IpAddr>,

    /// Looks up the names in a file, one per line; `-` is standard input. Empty lines and lines that begin with `#` are
    /// ignored
    #[arg(long, value_name = "FILE", help_heading = "Many names")]
    pub(crate) file: Option<PathBuf>,

    /// Maximum number of lookups in flight with `--file`
    #[arg(long, value_name = "N", default_value = CONCURRENCY, help_heading = "Many names")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,

    #[command(flatten)]
    pub(crate) upstreams: Upstreams,

    #[command(flatten)]
    pub(crate) lookup: Lookup,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// The upstreams to ask.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Upstreams")]
pub(crate) struct Upstreams {
    /// An upstream, as `quad9`, `tls://9.9.9.9#dns.quad9.net`, `https://dns.quad9.net/dns-query#ip=9.9.9.9`; may be
    /// repeated [default: quad9, or quad9-https with `--protocol https`]
    #[arg(short = 'u', long = "upstream", value_name = "UPSTREAM")]
    pub(crate) given: Vec<Upstream>,

    /// Trusted root certificates for the upstreams (PEM), in place of the public authorities
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// The client certificate for mutual TLS (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,

    /// The private key of `--cert` (PEM), if it is in another file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// The base64 of the SHA-256 of a public key that the upstreams must have; may be repeated
    #[arg(long = "pin", value_name = "BASE64")]
    pub(crate) pins: Vec<Pin>,

    /// Asks only upstreams with this protocol
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<Transport>,

    /// Sends HTTPS requests with GET, the query in the URL
    #[arg(long)]
    pub(crate) get: bool,

    /// Uses only HTTP/1.1 for HTTPS upstreams
    #[arg(long)]
    pub(crate) http1: bool,

    /// The order in which upstreams are asked
    #[arg(long, value_enum, default_value_t)]
    pub(crate) strategy: Order,
}

/// Options of the lookups.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Lookups")]
#[expect(clippy::struct_excessive_bools, reason = "each field is a separate switch")]
pub(crate) struct Lookup {
    /// The time that a lookup may take in all, as `5s` or `750ms`
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = values::time)]
    pub(crate) timeout: Duration,

    /// The number of attempts per lookup, over all upstreams
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,

    /// Requests DNSSEC records with the answer (sets DO)
    #[arg(long)]
    pub(crate) dnssec: bool,

    /// Requests the answer even if it does not validate (sets CD)
    #[arg(long)]
    pub(crate) cd: bool,

    /// Sends queries without padding, which reveals the length of the name
    #[arg(long)]
    pub(crate) no_padding: bool,

    /// The client subnet to send: `0` asks upstreams to send none, `192.0.2.0/24` sends this network
    #[arg(long, value_name = "0|PREFIX", value_parser = values::subnet)]
    pub(crate) ecs: Option<ClientSubnet>,

    /// Asks an upstream even if the cache has an answer
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// Options of the output.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each field is a separate switch")]
pub(crate) struct Output {
    /// Prints only the data of the records, one per line
    #[arg(long)]
    pub(crate) short: bool,

    /// Prints one JSON object per line for each lookup
    #[arg(long, conflicts_with = "short")]
    pub(crate) json: bool,

    /// Logs to standard error: problems with upstreams; with `-vv` also every connection and attempt, with names; with
    /// `-vvv` also answers from the cache
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Lists the public resolvers known by name
    #[arg(long, exclusive = true)]
    pub(crate) list_presets: bool,

    /// Prints the completions for a shell
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Prints the manual page
    #[arg(long, exclusive = true)]
    pub(crate) man: bool,
}

/// The order in which upstreams are asked.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Order {
    /// The order on the command line
    #[default]
    Ordered,
    /// The fastest first
    Fastest,
    /// All in parallel; the first answer wins
    Race,
    /// By the queried domain, one upstream for each domain
    Spread,
}

/// The protocol of an upstream.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Transport {
    /// DNS over TLS
    Tls,
    /// DNS over TLS with a client certificate
    Mtls,
    /// DNS over HTTPS
    Https,
}

impl From<Transport> for Protocol {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Tls => Self::Tls,
            Transport::Mtls => Self::MutualTls,
            Transport::Https => Self::Https,
        }
    }
}

impl Arguments {
    /// Parses the command line. A mistake is an error text of one line. `Ok(Err(..))` is a requested text: help or
    /// version.
    pub(crate) fn read() -> Result<Result<Self, clap::Error>, String> {
        match Self::try_parse() {
            Ok(arguments) => Ok(Ok(arguments)),
            Err(text) if !text.use_stderr() => Ok(Err(text)),
            Err(error) => Err(in_one_line(&error.render().to_string())),
        }
    }

    /// The completion script for a shell.
    pub(crate) fn completions(shell: Shell) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "privydns", &mut script);
        script
    }

    /// The manual page.
    pub(crate) fn manual() -> std::io::Result<Vec<u8>> {
        let mut page = Vec::new();
        clap_mangen::Man::new(Self::command()).render(&mut page)?;
        Ok(page)
    }
}

/// Joins clap's error text into one line, without the usage.
fn in_one_line(text: &str) -> String {
    let is_wanted = |part: &&str| !part.starts_with("Usage:") && !part.starts_with("For more information");
    let parts = text.split("\n\n").map(str::trim).filter(is_wanted);
    let lines = parts.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let line = lines.collect::<Vec<_>>().join("; ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}
