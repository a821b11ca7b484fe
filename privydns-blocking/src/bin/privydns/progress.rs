//! A progress bar for a list of names.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::names::{self, Names};
use crate::output;

const PLAIN: &str = "{bar:32} {human_pos}/{human_len}  {per_sec:>12}  {msg}{eta} left";
const COLOURED: &str = "{bar:32.cyan/blue} {human_pos}/{human_len}  {per_sec:>12}  {msg:.red}{eta} left";
/// The template for an unknown number of names.
const ENDLESS: &str = "{spinner} {human_pos}  {per_sec}  {msg}";

/// How often the bar is drawn while no lookup ends.
const TICK: Duration = Duration::from_millis(200);

/// A bar on standard error if that is a terminal; otherwise hidden.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether standard output is the same terminal, so that the bar has to be hidden while results are printed.
    shares_terminal: bool,
    started: Instant,
    failed: u64,
}

impl Progress {
    pub(crate) fn new(path: &Path, types: usize, is_wanted: bool) -> Self {
        let bar =
            if is_wanted && io::stderr().is_terminal() { bar(path, types) } else { ProgressBar::hidden() };
        let shares_terminal = !bar.is_hidden() && io::stdout().is_terminal();
        Self { bar, shares_terminal, started: Instant::now(), failed: 0 }
    }

    /// Counts one ended lookup.
    pub(crate) fn advance(&mut self, has_failed: bool) {
        if has_failed {
            self.failed += 1;
            self.bar.set_message(format!("{} failed  ", self.failed));
        }
        self.bar.inc(1);
    }

    /// Hides the bar while `write` runs.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.shares_terminal { self.bar.suspend(write) } else { write() }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Replaces the bar by a summary line.
    pub(crate) fn finish(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let (lookups, failed) = (self.bar.position(), self.failed);
        self.bar.finish_and_clear();
        let elapsed = self.started.elapsed();
        let answered = lookups - failed;
        let _ = writeln!(
            io::stderr(),
            ";; {lookups} lookups in {elapsed:.1?}: {answered} answered, {failed} failed"
        );
    }
}

fn bar(path: &Path, types: usize) -> ProgressBar {
    let (length, template) = match count(path) {
        Some(names) if output::has_colours(&io::stderr()) => (Some(names * types as u64), COLOURED),
        Some(names) => (Some(names * types as u64), PLAIN),
        None => (None, ENDLESS),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
    bar.enable_steady_tick(TICK);
    bar
}

/// The number of names in a file; `None` for an input that can be read only once.
fn count(path: &Path) -> Option<u64> {
    if !names::is_complete(path) {
        return None;
    }
    let names = Names::open(path).ok()?;
    Some(names.map_while(Result::ok).count() as u64)
}
