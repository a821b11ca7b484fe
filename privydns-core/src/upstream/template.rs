//! The path of a DoH server, as a URI template (RFC 8484 Section 4.1.1).

use std::fmt;

/// The path and the literal query of a DoH server's URL. GET appends the variable `dns`.
///
/// The only supported expression of RFC 6570 is the variable at the end: `{?dns}`, or `{&dns}` after a literal query.
/// The expression is optional in the text and is not printed.
///
/// ```
/// use privydns_core::Upstream;
///
/// let upstream = Upstream::https("https://dns.example/q?key=value{&dns}")?;
/// let template = upstream.template().expect("an https upstream has one");
/// assert_eq!(template.path_and_query(), "/q?key=value");
/// assert_eq!(template.separator(), '&');
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    path_and_query: Box<str>,
}

impl Template {
    /// The default path, which RFC 8484 uses in its examples and most servers have.
    const DEFAULT: &'static str = "/dns-query";

    /// The path and the literal query without the variable, as in a POST request.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The character between [`path_and_query`](Self::path_and_query) and `dns=` in a GET request: `?`, or `&` after a
    /// literal query.
    pub fn separator(&self) -> char {
        if self.path_and_query.contains('?') { '&' } else { '?' }
    }

    /// Parses the template of a `dohpath` parameter, in which the variable is mandatory (RFC 9461 Section 5).
    pub(crate) fn of_dohpath(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(|_| text.contains('{'))
    }

    /// Parses a template, which begins with a slash. The error contains the invalid part of the text.
    pub(super) fn parse(text: &str) -> Result<Self, (&str, &'static str)> {
        let (path, expression) = match text.find('{') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        if !path.starts_with('/') {
            return Err((text, "a path begins with `/`"));
        }
        if let Some((at, wrong)) = path.char_indices().find(|(_, char)| !is_allowed(*char)) {
            return Err((&path[at..at + wrong.len_utf8()], "not allowed in a URL; percent-encode it"));
        }
        if let Some(at) = bad_escape(path) {
            return Err((&path[at..], "`%` is followed by two hexadecimal digits"));
        }
        let template = Self { path_and_query: path.into() };
        match (expression, template.separator()) {
            ("", _) | ("{?dns}", '?') | ("{&dns}", '&') => Ok(template),
            ("{?dns}", _) => Err((expression, "after a query, write `{&dns}`")),
            ("{&dns}", _) => Err((expression, "without a query, write `{?dns}`")),
            _ => Err((expression, "the only supported expression is `{?dns}` at the end")),
        }
    }
}

impl Default for Template {
    fn default() -> Self {
        Self { path_and_query: Self::DEFAULT.into() }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path_and_query)
    }
}

/// The characters of a path and a query (RFC 3986 Sections 3.3 and 3.4).
fn is_allowed(char: char) -> bool {
    char.is_ascii_alphanumeric() || "/?:@-._~!$&'()*+,;=%".contains(char)
}

/// The position of the first `%` that does not begin a percent-encoded byte.
fn bad_escape(text: &str) -> Option<usize> {
    let is_escape = |digits: Option<&str>| digits.is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    text.match_indices('%').map(|(at, _)| at).find(|at| !is_escape(text.get(at + 1..at + 3)))
}
