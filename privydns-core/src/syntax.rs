//! Syntax errors with their position, for the texts of upstreams and proxies.

use std::fmt;
use std::ops::Range;

/// The reason and the position of a syntax error in the text of an upstream or a proxy.
///
/// The error contains the invalid part of the text, at most 40 characters, and no other part, which could be a secret. A
/// program that has the text can show the position:
///
/// ```
/// use privydns_core::{ConfigError, ErrorKind, Upstream};
///
/// let text = "tls://dns.quad9.net:53";
/// let error = text.parse::<Upstream>().unwrap_err();
/// let ErrorKind::Config(ConfigError::Syntax(error)) = error.kind() else { panic!() };
/// assert!(error.to_string().starts_with("at byte 20, `53`: "));
/// assert_eq!(&text[error.span()], "53");
///
/// println!("{text}\n{}{}", " ".repeat(error.span().start), "^".repeat(error.span().len()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    span: Range<usize>,
    found: Box<str>,
    problem: &'static str,
}

/// The maximum length of the part that an error contains, in characters.
const MAX_FOUND: usize = 40;

/// The invalid part of a text and the problem. The part is a slice of the text, which gives its position.
pub(crate) type SyntaxProblem<'a> = (&'a str, &'static str);

impl SyntaxError {
    /// Creates an error. `part` is a slice of `text`; its offset is the difference of their addresses in memory.
    pub(crate) fn new(text: &str, (part, problem): SyntaxProblem<'_>) -> Self {
        let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        let end = start.saturating_add(part.len()).min(text.len());
        Self { span: start..end, found: part.chars().take(MAX_FOUND).collect(), problem }
    }

    /// The position of the invalid part in the text, in bytes.
    pub fn offset(&self) -> usize {
        self.span.start
    }

    /// The range of the invalid part in the text, in bytes. Empty if a part is missing.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The problem with the part.
    pub fn problem(&self) -> &'static str {
        self.problem
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}", self.span.start)?;
        if !self.found.is_empty() {
            write!(f, ", `{}`", self.found.escape_debug())?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for SyntaxError {}
