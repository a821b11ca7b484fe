//! Every limit that this machine keeps, and why it is what it is.

use std::time::Duration;

/// Exchanges on one connection at once, where the server allows as many.
pub(super) const MAX_STREAMS: usize = 1024;

/// Exchanges at once until the server has said how many it allows: RFC 9113 Section 6.5.2 recommends that it
/// be no fewer than 100, and some servers close the connection on the hundred and first.
pub(super) const ASSUMED_STREAMS: usize = 100;

/// Requests that go out while nothing of an answer comes; then comes a pause. BIND closes the connection on
/// 64 requests in one burst, whatever number of streams it allows. The more go out at once, the fewer system
/// calls each costs: with a hundred in flight, no limit at all would make a third more of them a second.
pub(super) const MAX_BURST: usize = 48;

/// How long a burst that nothing answers holds back the next: long enough for a server to read the last one,
/// and short enough that slow answers do not hold back the queries behind them.
pub(super) const BURST_PAUSE: Duration = Duration::from_millis(5);

/// How long the connection may be idle where the server says nothing of it. The common servers take 10 s to
/// 120 s.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// Octets of bodies that the server may send before their answers are whole: the most that bodies may hold
/// here, which is 256 of the longest. It is given back as answers end.
pub(super) const CONNECTION_WINDOW: u32 = 1 << 24;

/// Octets that the server may send on one stream: more than the longest body, so that one that is too long is
/// seen to be, and so that no window need be given back but for padding.
pub(super) const STREAM_WINDOW: u32 = 1 << 17;

/// The dynamic table that the server may use. It is the protocol's default, which is small enough; a server
/// that need not change its table cannot get the change wrong.
pub(crate) const HEADER_TABLE_SIZE: u32 = 4096;

/// The header fields of one response, as RFC 9113 Section 10.5.1 counts them.
pub(super) const MAX_HEADER_LIST: u32 = 16 * 1024;

/// The octets of one field block, all its frames together. What fits into [`MAX_HEADER_LIST`] is never as
/// long.
pub(super) const MAX_FIELD_BLOCK: usize = 32 * 1024;

/// CONTINUATION frames of one field block.
pub(super) const MAX_CONTINUATIONS: u32 = 64;

/// Interim responses (1xx) before a response.
pub(super) const MAX_INTERIM_RESPONSES: u8 = 16;

/// Octets of control frames that wait because nobody takes them: acknowledgements and resets that the server
/// asked for without reading those before.
pub(super) const MAX_PENDING_CONTROL: usize = 64 * 1024;

/// Streams reset by this side whose late frames are told apart from frames that must not come. Those reset
/// before are no longer told apart: all that comes on them, or on streams as old, is passed over.
pub(super) const MAX_REMEMBERED_RESETS: usize = 1024;

/// What one connection holds at the most, all told, of what a server sent.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) const MAX_HELD: usize = CONNECTION_WINDOW as usize
    + super::HEADER_LENGTH
    + super::frame::MAX_PAYLOAD
    + MAX_FIELD_BLOCK
    + MAX_PENDING_CONTROL
    + 2 * HEADER_TABLE_SIZE as usize;

/// PING frames without an answer between them.
pub(super) const MAX_PINGS: u16 = 500;

/// SETTINGS frames without an answer between them.
pub(super) const MAX_SETTINGS: u16 = 100;

/// DATA frames with nothing in them that end nothing either, without an answer between them.
pub(super) const MAX_EMPTY_FRAMES: u16 = 500;

/// `RST_STREAM` frames for streams that are over, without an answer between them.
pub(super) const MAX_RESETS: u16 = 2000;

/// Other frames that bring no answer forward, without an answer between them: `WINDOW_UPDATE`, PRIORITY,
/// unknown ones, and what comes late for a stream that was reset.
pub(super) const MAX_OTHER_FRAMES: u16 = 20_000;
