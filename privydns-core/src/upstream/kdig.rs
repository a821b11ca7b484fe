//! Upstreams as command lines of kdig: `@IP +tls-hostname=NAME`.

use super::parse::{self, PLAINTEXT, QUIC, Scheme};
use super::{Identity, Template, Upstream};
use crate::syntax::SyntaxProblem;

/// Whether a text contains options. A text without options has one of the other forms.
pub(super) fn is_command_line(text: &str) -> bool {
    text.split_whitespace().any(|word| word.starts_with(['+', '-']))
}

/// The words of a command line by their meaning.
#[derive(Default)]
struct Words<'a> {
    server: Option<&'a str>,
    port: Option<&'a str>,
    name: Option<&'a str>,
    pins: Vec<&'a str>,
    /// `+tls-ca`: a certificate from a trusted authority is required in addition to pins.
    has_authority: bool,
    is_tls: bool,
    /// The value of `+https`; empty without a value.
    https: Option<&'a str>,
}

/// Parses `@SERVER [-p PORT] {+OPTION}`, in any order. `+tls` alone is stricter than in kdig, which accepts any
/// certificate: here the certificate must be for the server's address.
pub(super) fn command_line(text: &str) -> Result<Upstream, SyntaxProblem<'_>> {
    let words = Words::sort(text)?;
    let server = words.server.ok_or((&text[text.len()..], "the server is missing: `@` and an address"))?;
    let scheme = match (words.https, words.is_tls) {
        (Some(_), _) => Scheme::Https,
        (None, true) => Scheme::Tls,
        (None, false) => return Err((server, "without `+tls` or `+https` this is DNS in clear text")),
    };
    let mut upstream = parse::server(scheme, parse::bare_host_and_port(server)?)?;
    if let Some(url) = words.https {
        set_url(&mut upstream, url)?;
    }
    if let Some(port) = words.port {
        upstream.port = parse::port(port)?;
    }
    if let Some(name) = words.name {
        set_name(&mut upstream, name)?;
    }
    for pin in words.pins {
        upstream.tls.add_pin(parse::pin(pin)?);
    }
    upstream.identity = match upstream.identity {
        Identity::Unnamed(address) if words.has_authority => Identity::Address(address),
        identity => identity,
    };
    Ok(upstream.relabelled())
}

impl<'a> Words<'a> {
    fn sort(text: &'a str) -> Result<Self, SyntaxProblem<'a>> {
        let mut sorted = Self::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            if let Some(option) = word.strip_prefix('+') {
                sorted.add_option(option)?;
            } else if let Some(port) = word.strip_prefix("-p") {
                let next = if port.is_empty() { words.next() } else { Some(port) };
                sorted.port = Some(next.ok_or((word, "a port is missing"))?);
            } else if word.starts_with('-') {
                return Err((word, "unknown option; known is `-p`"));
            } else if sorted.server.is_some() {
                return Err((word, "more than one server"));
            } else {
                sorted.server = Some(word.strip_prefix('@').unwrap_or(word));
            }
        }
        Ok(sorted)
    }

    fn add_option(&mut self, option: &'a str) -> Result<(), SyntaxProblem<'a>> {
        let (key, value) = match option.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (option, None),
        };
        match (key, value) {
            ("tls", None) => {}
            ("tls-ca", None) => self.has_authority = true,
            ("tls-hostname", Some(name)) if self.name.is_none() => self.name = Some(name),
            ("tls-hostname", Some(_)) => return Err((option, "more than one name")),
            ("tls-pin", Some(pin)) => self.pins.push(pin),
            ("https", url) => self.https = Some(url.unwrap_or_default()),
            _ => return Err((option, refusal(key))),
        }
        self.is_tls |= key.starts_with("tls");
        Ok(())
    }
}

/// The reason why an option is refused.
fn refusal(key: &str) -> &'static str {
    match key {
        "tls-ca" => "files are not read: pass the contents to `Upstream::roots`",
        "tls-certfile" | "tls-keyfile" => {
            "files are not read: pass certificate and key to `Upstream::client_certificate`"
        }
        "tls-sni" => "SNI is always the name in the certificate: `+tls-hostname`",
        "https-get" => "set the method with `Upstream::with_http_method`",
        "tls-hostname" | "tls-pin" => "a value is missing",
        "quic" => QUIC,
        "notls" | "nohttps" | "tcp" | "notcp" | "ignore" => PLAINTEXT,
        _ => "unknown option; known are `tls`, `tls-ca`, `tls-hostname`, `tls-pin` and `https`",
    }
}

/// Applies `[https://]HOST[:PORT][/PATH]`, or a path alone.
fn set_url<'a>(upstream: &mut Upstream, url: &'a str) -> Result<(), SyntaxProblem<'a>> {
    let url = url.strip_prefix("https://").unwrap_or(url);
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    if !authority.is_empty() {
        let (host, port) = parse::split_port(authority, ':')?;
        set_name(upstream, host)?;
        if let Some(port) = port {
            upstream.port = parse::port(port)?;
        }
    }
    if let (Some(http), false) = (&mut upstream.http, path.is_empty()) {
        http.template = Template::parse(path)?;
    }
    Ok(())
}

fn set_name<'a>(upstream: &mut Upstream, name: &'a str) -> Result<(), SyntaxProblem<'a>> {
    let host = parse::host(name).map_err(|problem| (name, problem))?;
    upstream.set_identity(host).map_err(|problem| (name, problem))
}
