//! The command line: what can be said on it, and what it means.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, CommandFactory as _, Parser, ValueEnum};
use clap_complete::Shell;
use privydns_blocking::{ClientSubnet, Pin, Protocol, Upstream};

use crate::values;

/// As many as nearly every server of HTTP/2 takes at once (RFC 9113 Section 6.5.2).
const CONCURRENCY: &str = "100";

/// Looks names up over encrypted transports: DNS over TLS, over mutual TLS and over HTTPS.
///
/// Nothing is ever sent in clear. Names are asked of Quad9 unless upstreams are given.
///
/// The exit status is 0 when an answer came (a name that does not exist is an answer), 1 when a lookup failed, and 2
/// for wrong usage.
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

    /// The types of the records wanted, by name or number: AAAA, MX, TYPE65 [default: A]
    #[arg(value_name = "TYPE")]
    pub(crate) types: Vec<String>,

    /// Looks up the name of an address
    #[arg(short = 'x', long = "reverse", value_name = "IP", conflicts_with_all = ["name", "file"])]
    pub(crate) reverse: Option<IpAddr>,

    /// Looks up the names of a file, one a line; `-` is the standard input. What is empty or begins with `#` is
    /// passed over
    #[arg(long, value_name = "FILE", help_heading = "Many names")]
    pub(crate) file: Option<PathBuf>,

    /// Lookups of `--file` that are on their way at once
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

/// Who is asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Upstreams")]
pub(crate) struct Upstreams {
    /// A resolver to ask, as `quad9`, `tls://9.9.9.9#dns.quad9.net`, `https://dns.quad9.net/dns-query#ip=9.9.9.9`;
    /// may be repeated [default: quad9, or quad9-https with `--protocol https`]
    #[arg(short = 'u', long = "upstream", value_name = "UPSTREAM")]
    pub(crate) given: Vec<Upstream>,

    /// The authorities that may have issued the upstreams' certificates, as PEM, in place of the public ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// The client's certificate, as PEM, for mutual TLS
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,

    /// The key of `--cert`, where it is not in the same file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// The base64 of the SHA-256 of a key that the upstreams must have; may be repeated
    #[arg(long = "pin", value_name = "BASE64")]
    pub(crate) pins: Vec<Pin>,

    /// Asks only upstreams that speak this
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<Transport>,

    /// Sends queries over HTTPS in the URL (GET) and not in the body
    #[arg(long)]
    pub(crate) get: bool,

    /// Speaks HTTP/1.1 alone to upstreams of HTTPS
    #[arg(long)]
    pub(crate) http1: bool,

    /// Which upstream is asked first
    #[arg(long, value_enum, default_value_t)]
    pub(crate) strategy: Order,
}

/// How it is asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Lookups")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct Lookup {
    /// How long a lookup may take in all, as `5s` or `750ms`
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = values::time)]
    pub(crate) timeout: Duration,

    /// How many attempts a lookup makes, over all upstreams
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,

    /// Asks for DNSSEC records beside the answer (DO)
    #[arg(long)]
    pub(crate) dnssec: bool,

    /// Asks for the answer even if it does not validate (CD)
    #[arg(long)]
    pub(crate) cd: bool,

    /// Sends queries at their own length, which gives that of the name away
    #[arg(long)]
    pub(crate) no_padding: bool,

    /// What is told about the network of the one who asks: `0` asks that nothing be told, `192.0.2.0/24` tells that
    #[arg(long, value_name = "0|PREFIX", value_parser = values::subnet)]
    pub(crate) ecs: Option<ClientSubnet>,

    /// Asks an upstream even where the same was answered a moment ago
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// What is shown.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct Output {
    /// Prints the data of the records, one a line, and nothing else
    #[arg(long)]
    pub(crate) short: bool,

    /// Prints one JSON object a line for each lookup
    #[arg(long, conflicts_with = "short")]
    pub(crate) json: bool,

    /// Logs to the standard error: what is wrong with upstreams; twice, every connection and attempt as well, names
    /// included; three times, answers from the cache
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Lists the resolvers that are known by name
    #[arg(long, exclusive = true)]
    pub(crate) list_presets: bool,

    /// Prints the completions of a shell
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,

    /// Prints the manual page
    #[arg(long, exclusive = true)]
    pub(crate) man: bool,
}

/// Which upstream is asked first.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Order {
    /// The order given
    #[default]
    Ordered,
    /// The one that answers fastest
    Fastest,
    /// All at once, the first answer wins
    Race,
    /// Each name has its own
    Spread,
}

/// How an upstream is spoken to.
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
    /// Reads the command line. What is wrong with it is said in one line; `Ok(Err(..))` is a text that was asked
    /// for, help or version.
    pub(crate) fn read() -> Result<Result<Self, clap::Error>, String> {
        match Self::try_parse() {
            Ok(arguments) => Ok(Ok(arguments)),
            Err(text) if !text.use_stderr() => Ok(Err(text)),
            Err(error) => Err(in_one_line(&error.render().to_string())),
        }
    }

    /// The completions of a shell.
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

/// What clap says in several lines, without the usage.
fn in_one_line(text: &str) -> String {
    let is_wanted = |part: &&str| !part.starts_with("Usage:") && !part.starts_with("For more information");
    let parts = text.split("\n\n").map(str::trim).filter(is_wanted);
    let lines = parts.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let line = lines.collect::<Vec<_>>().join("; ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}
