//! Colours: record data stands out, and the surrounding text is dim.

use anstyle::{AnsiColor, Style};
use privydns_blocking::Outcome;

pub(super) const PLAIN: Style = Style::new();
/// Text around the answer.
pub(super) const LABEL: Style = Style::new().dimmed();
pub(super) const NAME: Style = AnsiColor::Cyan.on_default();
pub(super) const DATA: Style = Style::new().bold();
pub(super) const FAILURE: Style = AnsiColor::Red.on_default().bold();
const FOUND: Style = AnsiColor::Green.on_default().bold();
const NOT_FOUND: Style = AnsiColor::Yellow.on_default().bold();

pub(super) fn outcome(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Records => FOUND,
        Outcome::NoData | Outcome::NxDomain => NOT_FOUND,
        Outcome::Failure => FAILURE,
    }
}
