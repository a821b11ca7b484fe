//! How far a list of names is, for a person who waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::names::{self, Names};
use crate::output;

const PLAIN: &str = "{bar:32} {human_pos}/{human_len}  {per_sec:>12}  {msg}{eta} left";
const COLOURED: &str = "{bar:32.cyan/blue} {human_pos}/{human_len}  {per_sec:>12}  {msg:.red}{eta} left";
/// Where nobody knows how many there are.
const ENDLESS: &str = "{spinner} {human_pos}  {per_sec}  {msg}";

/// How often it is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// A bar on the standard error, where that is a terminal; else nothing.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether what is printed would run into the bar.
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

    /// One more lookup is over.
    pub(crate) fn advance(&mut self, has_failed: bool) {
        if has_failed {
            self.failed += 1;
            self.bar.set_message(format!("{} failed  ", self.failed));
        }
        self.bar.inc(1);
    }

    /// Has the bar out of the way while something is written.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.shares_terminal { self.bar.suspend(write) } else { write() }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Leaves a line in place of the bar.
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
    bar.set_style(ProgressStyle::with_template(template).expect("a template that was tried"));
    bar.enable_steady_tick(TICK);
    bar
}

/// How many names a file has. What is no file can be read once only.
fn count(path: &Path) -> Option<u64> {
    if !names::is_complete(path) {
        return None;
    }
    let names = Names::open(path).ok()?;
    Some(names.map_while(Result::ok).count() as u64)
}
