//! All limits of this machine, with reasons.

use std::time::Duration;

/// The maximum number of concurrent streams, if the server allows as many.
pub(super) const MAX_STREAMS: usize = 1024;

/// The number of concurrent streams before the server's SETTINGS: RFC 9113 Section 6.5.2 recommends at least 100, and
/// some servers close the connection on stream 101.
pub(super) const ASSUMED_STREAMS: usize = 100;

/// The number of requests sent before a pause, if no answer arrives in the meantime. BIND closes the connection on 64
/// requests in one burst, whatever number of streams it allows. Larger bursts need fewer system calls per request: with
/// 100 in flight, removing the limit would raise the throughput by a third.
pub(super) const MAX_BURST: usize = 48;

/// The pause after a burst without answers: long enough for a server to read the burst, and short enough that slow
/// answers do not delay the queries behind them.
pub(super) const BURST_PAUSE: Duration = Duration::from_millis(5);

/// The idle timeout if the server sends none. The common servers close after 10 s to 120 s.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// The window for response bodies on the connection, in bytes: the maximum memory for bodies, 256 of the longest.
/// Credit is returned as answers end.
pub(super) const CONNECTION_WINDOW: u32 = 1 << 24;

/// The window of one stream in bytes: more than the longest body, so that an overlong body is detected, and credit is
/// returned only for padding.
pub(super) const STREAM_WINDOW: u32 = 1 << 17;

/// The size of the server's dynamic table in bytes. The protocol's default is small enough, and a server that need not
/// change the size cannot make a mistake in doing so.
pub(crate) const HEADER_TABLE_SIZE: u32 = 4096;

/// The size of one response's header fields in bytes, as RFC 9113 Section 10.5.1 counts it.
pub(super) const MAX_HEADER_LIST: u32 = 16 * 1024;

/// The length of one field block over all frames, in bytes. A block within [`MAX_HEADER_LIST`] is always shorter.
pub(super) const MAX_FIELD_BLOCK: usize = 32 * 1024;

/// CONTINUATION frames of one field block.
pub(super) const MAX_CONTINUATIONS: u32 = 64;

/// Interim responses (1xx) before the final response.
pub(super) const MAX_INTERIM_RESPONSES: u8 = 16;

/// Bytes of pending control frames: acknowledgements and resets that the server causes without reading earlier ones.
pub(super) const MAX_PENDING_CONTROL: usize = 64 * 1024;

/// Streams reset by this side whose late frames are distinguished from forbidden frames. Frames on streams that were
/// reset earlier, or on streams as old, are all ignored.
pub(super) const MAX_REMEMBERED_RESETS: usize = 1024;

/// The maximum memory for a server's data on one connection, in bytes.
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

/// Empty DATA frames that do not end a stream, without an answer between them.
pub(super) const MAX_EMPTY_FRAMES: u16 = 500;

/// `RST_STREAM` frames for ended streams, without an answer between them.
pub(super) const MAX_RESETS: u16 = 2000;

/// Other frames without effect, without an answer between them: `WINDOW_UPDATE`, PRIORITY, unknown frames, and late
/// frames on streams that were reset.
pub(super) const MAX_OTHER_FRAMES: u16 = 20_000;
