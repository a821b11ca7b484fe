//! How long a connection without an exchange is kept.

use std::time::Duration;

/// The longest, whatever the server offers: middleboxes forget sooner.
const LONGEST: Duration = Duration::from_secs(600);

/// How much earlier than the server the client closes, so that no query crosses the server's close; a quarter of
/// the server's time where that is less.
const MARGIN: Duration = Duration::from_secs(1);

/// The limit to keep to, where the server says that it closes after `told`.
pub(super) fn limit(told: Duration) -> Duration {
    told.saturating_sub(MARGIN.min(told / 4)).min(LONGEST)
}
