//! The path of a DoH server, as a URI template (RFC 8484 Section 4.1.1).

use std::fmt;

/// Path and literal query of a DoH server's URL, to which GET adds the variable `dns`.
///
/// Of the templates that RFC 6570 allows, a DoH server needs one variable in one place: at the end, as `{?dns}`,
/// or as `{&dns}` after a literal query. Since there is no other place, it may be left out of the text, and is
/// left out when printed.
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
    /// The path where a URL has none: the one that RFC 8484 uses throughout, and most servers have.
    const DEFAULT: &'static str = "/dns-query";

    /// Path and literal query, without the variable: what POST asks for.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// What stands between [`path_and_query`](Self::path_and_query) and `dns=` in a GET: `?`, or `&` after a
    /// literal query.
    pub fn separator(&self) -> char {
        if self.path_and_query.contains('?') { '&' } else { '?' }
    }

    /// Reads a template that a server gives away, which has the variable spelled out (RFC 9461 Section 5).
    pub(crate) fn of_dohpath(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(|_| text.contains('{'))
    }

    /// Reads a template that begins with its slash. The error names the place as a part of the text.
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
            ("{?dns}", _) => Err((expression, "after a query it is `{&dns}`")),
            ("{&dns}", _) => Err((expression, "without a query before it, it is `{?dns}`")),
            _ => Err((expression, "the one variable understood is `{?dns}`, at the end")),
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

/// Where the first `%` stands that is no percent-encoded octet.
fn bad_escape(text: &str) -> Option<usize> {
    let is_escape = |digits: Option<&str>| digits.is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    text.match_indices('%').map(|(at, _)| at).find(|at| !is_escape(text.get(at + 1..at + 3)))
}
