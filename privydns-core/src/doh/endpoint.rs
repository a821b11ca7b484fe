//! Where requests go, and how a query is put into one.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::message::{self, Carrier, Query};
use crate::upstream::HttpMethod;

/// One DoH resource: what every request of a connection has in common.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    authority: Box<str>,
    method: HttpMethod,
    /// The path up to where the query goes, with what introduces it (`/dns-query?dns=`). Over POST the whole path.
    before: Box<str>,
    /// What follows the query in the path; empty over POST.
    after: Box<str>,
}

/// Encodes the message that a request carries: its ID is 0, so that equal queries make equal requests
/// (RFC 8484 Section 4.1).
pub(crate) fn encode_query(query: &Query, out: &mut Vec<u8>) {
    message::encode(query, 0, Carrier::Http, out);
}

impl Endpoint {
    /// An endpoint from parts that were checked where they were configured: the authority (`host`, or
    /// `host:port` where the port is not 443) and the template's path with its expression, as in
    /// `/dns-query{?dns}`.
    pub(crate) fn new(authority: &str, template: &str, method: HttpMethod) -> Self {
        let (before, after) = match method {
            HttpMethod::Post => (without_expressions(template), String::new()),
            HttpMethod::Get => around_query(template),
        };
        Self { authority: authority.into(), method, before: before.into(), after: after.into() }
    }

    /// The value of `Host` and `:authority`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn method(&self) -> HttpMethod {
        self.method
    }

    /// Appends the request's path, with `message` (made by [`encode_query`]) in it over GET.
    pub(crate) fn append_path(&self, message: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        if self.method == HttpMethod::Get {
            let start = out.len();
            out.resize(start + BASE64URL_NOPAD.encode_len(message.len()), 0);
            BASE64URL_NOPAD.encode_mut(message, &mut out[start..]);
            out.extend_from_slice(self.after.as_bytes());
        }
    }

    /// The request's body: `message` over POST, and none over GET.
    pub(crate) fn body<'a>(&self, message: &'a [u8]) -> Option<&'a [u8]> {
        match self.method {
            HttpMethod::Post => Some(message),
            HttpMethod::Get => None,
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority, method, before, after } = self;
        write!(f, "Endpoint({method:?} https://{authority}{before}{after})")
    }
}

/// The template with every expression expanded without variables: to nothing (RFC 6570 Section 3.2.1).
fn without_expressions(template: &str) -> String {
    let mut path = String::with_capacity(template.len());
    for part in parts(template) {
        if let Part::Literal(text) = part {
            path.push_str(text);
        }
    }
    path
}

/// The template's text before and after the value of its first expression with the variable `dns`. A template
/// without one is taken as if it ended in `{?dns}`.
fn around_query(template: &str) -> (String, String) {
    let mut before = String::with_capacity(template.len());
    let mut after = None;
    for part in parts(template) {
        match part {
            Part::Literal(text) => after.as_mut().unwrap_or(&mut before).push_str(text),
            Part::Query(operator) if after.is_none() => {
                before.push_str(introduction(operator));
                after = Some(String::new());
            }
            Part::Query(_) | Part::Nothing => {}
        }
    }
    if after.is_none() {
        before.push_str(introduction(if before.contains('?') { b'&' } else { b'?' }));
    }
    (before, after.unwrap_or_default())
}

/// What an expression's operator puts before a variable's value (RFC 6570 Appendix A).
fn introduction(operator: u8) -> &'static str {
    match operator {
        b'?' => "?dns=",
        b'&' => "&dns=",
        b'/' => "/",
        b';' => ";dns=",
        b'.' => ".",
        _ => "",
    }
}

enum Part<'a> {
    Literal(&'a str),
    /// An expression with the variable `dns`, and its first octet, which is the operator if it has one.
    Query(u8),
    /// An expression of other variables, which have no value here.
    Nothing,
}

fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    template.split('{').enumerate().flat_map(|(index, text)| {
        let (expression, literal) = match text.split_once('}') {
            Some((expression, literal)) if index > 0 => (Some(expression), literal),
            _ => (None, text),
        };
        let expression = expression.map(|expression| {
            let variables = expression.trim_start_matches(['?', '&', '/', ';', '.', '+', '#']);
            match variables.split(',').any(|variable| variable.trim_end_matches('*') == "dns") {
                true => Part::Query(expression.bytes().next().unwrap_or_default()),
                false => Part::Nothing,
            }
        });
        expression.into_iter().chain([Part::Literal(literal)])
    })
}
