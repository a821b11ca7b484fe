//! What is wrong with a text, and where.

use std::fmt;
use std::ops::Range;

/// Why a text is no upstream, or no proxy, and where.
///
/// It repeats the part at fault, at most 40 characters of it, and nothing else of the text, which may hold secrets.
/// A program that has the text can point at the place:
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

/// As much of the text as an error repeats, in characters.
const MAX_FOUND: usize = 40;

/// A problem with a part of the text; the part is a slice of the text, so that its place is known.
pub(crate) type SyntaxProblem<'a> = (&'a str, &'static str);

impl SyntaxError {
    /// `part` is a slice of `text`: where it begins follows from where both are in memory.
    pub(crate) fn new(text: &str, (part, problem): SyntaxProblem<'_>) -> Self {
        let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        let end = start.saturating_add(part.len()).min(text.len());
        Self { span: start..end, found: part.chars().take(MAX_FOUND).collect(), problem }
    }

    /// Where the part at fault begins in the text, in bytes.
    pub fn offset(&self) -> usize {
        self.span.start
    }

    /// The part at fault, as bytes of the text; empty where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What is wrong there.
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
