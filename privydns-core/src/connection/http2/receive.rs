//! Handling of received frames (RFC 9113 Section 6).

use tracing::debug;

use super::connection::{Goaway, H2Connection, failed};
use super::error::{self, H2Error};
use super::frame::{self, ErrorCode, Header, MAX_PAYLOAD, flag, kind};
use super::frame_budget::Overhead;
use super::hpack::HpackError;
use super::limits::MAX_PENDING_CONTROL;
use super::streams::StreamState;
use crate::connection::Event;
use crate::logging::CONNECTION;

/// The result of a frame: an event, if the frame causes one.
type Outcome = Result<Option<Event>, H2Error>;

impl H2Connection {
    /// Checks the header of a frame, before the payload has arrived.
    pub(super) fn admit(&self, header: Header) -> Result<(), H2Error> {
        if !self.peer.was_received() {
            let is_settings = header.kind == kind::SETTINGS && !header.has(flag::ACK);
            if header.kind > kind::CONTINUATION || header.length > MAX_PAYLOAD {
                return Err(H2Error::NOT_HTTP2);
            }
            if !is_settings {
                // RFC 9113 Section 3.4.
                return Err(H2Error::protocol("the first frame is not SETTINGS"));
            }
        }
        if header.length > MAX_PAYLOAD {
            return Err(H2Error::frame_size("a frame longer than 16384 bytes"));
        }
        let continues = header.kind == kind::CONTINUATION && self.block.stream() == Some(header.stream);
        match self.block.stream() {
            Some(_) if !continues => Err(H2Error::protocol("a field block interrupted by another frame")),
            None if header.kind == kind::CONTINUATION => {
                Err(H2Error::protocol("CONTINUATION without HEADERS"))
            }
            _ => Ok(()),
        }
    }

    /// Handles a frame that was [admitted](Self::admit).
    pub(super) fn handle_frame(&mut self, header: Header, payload: &[u8]) -> Outcome {
        if self.pending_control.len() > MAX_PENDING_CONTROL {
            return Err(H2Error::too_much("too many replies that the server requested and did not read"));
        }
        match header.kind {
            kind::DATA => self.handle_data(header, payload),
            kind::HEADERS => self.handle_headers(header, payload),
            kind::CONTINUATION => self.handle_continuation(header, payload),
            kind::RST_STREAM => self.handle_rst_stream(header, payload),
            kind::SETTINGS => self.handle_settings(header, payload).map(|()| None),
            kind::PING => self.handle_ping(header, payload),
            kind::GOAWAY => self.handle_goaway(header, payload).map(|()| None),
            kind::WINDOW_UPDATE => self.handle_window_update(header, payload).map(|()| None),
            kind::PRIORITY => self.handle_priority(header, payload).map(|()| None),
            // Without this rule a pushed response would have to be decoded and reset (RFC 9113 Section 8.4).
            kind::PUSH_PROMISE => Err(H2Error::protocol("PUSH_PROMISE, which was disabled")),
            _ => self.frame_budget.charge(Overhead::Other).map(|()| None),
        }
    }

    fn handle_data(&mut self, header: Header, payload: &[u8]) -> Outcome {
        let identifier = header.stream;
        let state = self.data_or_headers_state(identifier)?;
        let data = frame::without_padding(header, payload)
            .ok_or(H2Error::protocol("DATA with more padding than payload"))?;
        let is_end = header.has(flag::END_STREAM);
        // Padding counts (RFC 9113 Section 6.9.1), and so does data for a stream that was reset (5.1).
        self.receive_window
            .receive(payload.len())
            .map_err(|_| H2Error::flow_control("DATA that exceeds the connection's window"))?;
        if data.is_empty() && !is_end {
            self.frame_budget.charge(Overhead::EmptyData)?;
        }
        if state == StreamState::Reset {
            if is_end {
                self.streams.settle_reset(identifier);
            }
            self.frame_budget.charge(Overhead::Other)?;
            return Ok(None);
        }
        let Some(stream) = self.streams.find(identifier) else { return Ok(None) };
        stream.receive_window.receive(payload.len()).map_err(|_| H2Error::Stream {
            stream: identifier,
            code: ErrorCode::FLOW_CONTROL_ERROR,
            what: "DATA that exceeds the stream's window",
        })?;
        stream.response.check_data(data).map_err(|what| H2Error::malformed(identifier, what))?;
        if is_end || stream.response.is_too_long() {
            return self.finish(identifier, data, is_end);
        }
        let held = stream.response.keep(data);
        self.receive_window.hold(held);
        stream.receive_window.hold(held);
        if let Some(credit) = stream.receive_window.credit() {
            // Returns the credit of the padding, which would otherwise exhaust the body's window.
            frame::write_window_update(identifier, credit, &mut self.pending_control);
        }
        Ok(None)
    }

    fn handle_headers(&mut self, header: Header, payload: &[u8]) -> Outcome {
        self.data_or_headers_state(header.stream)?;
        let payload = frame::without_padding(header, payload)
            .ok_or(H2Error::protocol("HEADERS with more padding than payload"))?;
        // Priorities are ignored (RFC 9113 Section 5.3.2).
        let priority = if header.has(flag::PRIORITY) { 5 } else { 0 };
        let fragment =
            payload.get(priority..).ok_or(H2Error::frame_size("HEADERS too short for a priority"))?;
        let is_end = header.has(flag::END_STREAM);
        if header.has(flag::END_HEADERS) {
            return self.handle_fields(header.stream, is_end, fragment);
        }
        self.block.begin(header.stream, is_end, fragment);
        Ok(None)
    }

    fn handle_continuation(&mut self, header: Header, payload: &[u8]) -> Outcome {
        self.block.add(payload)?;
        if !header.has(flag::END_HEADERS) {
            return Ok(None);
        }
        let (is_end, fields) = self.block.finish();
        self.handle_fields(header.stream, is_end, &fields)
    }

    /// Handles a complete field block. Every block is decoded, because the next one may depend on it.
    fn handle_fields(&mut self, identifier: u32, is_end: bool, block: &[u8]) -> Outcome {
        let undecodable = |error: HpackError| H2Error::Connection {
            code: ErrorCode::COMPRESSION_ERROR,
            what: error.what(),
        };
        let Some(stream) = self.streams.find(identifier) else {
            self.decoder.decode(block, |_, _| {}).map_err(undecodable)?;
            if is_end {
                self.streams.settle_reset(identifier);
            }
            self.frame_budget.charge(Overhead::Other)?;
            return Ok(None);
        };
        let mut fields = stream.response.expected_fields();
        self.decoder.decode(block, |name, value| fields.add(name, value)).map_err(undecodable)?;
        self.pacer.answered();
        stream.response.take_fields(fields, is_end).map_err(|what| H2Error::malformed(identifier, what))?;
        if is_end { self.finish(identifier, &[], true) } else { Ok(None) }
    }

    /// Ends a query with the result of the response.
    fn finish(&mut self, identifier: u32, last: &[u8], is_end: bool) -> Outcome {
        let Some(stream) = self.streams.find(identifier) else { return Ok(None) };
        if is_end {
            stream.response.check_end().map_err(|what| H2Error::malformed(identifier, what))?;
        }
        let stream = if is_end && stream.unsent.is_empty() {
            let stream = self.streams.remove(identifier);
            self.receive_window.release(stream.as_ref().map_or(0, |stream| stream.response.held()));
            stream
        } else {
            // The body is too long, or the server answered before the request was complete.
            self.reset(identifier, ErrorCode::CANCEL)
        };
        let Some(mut stream) = stream else { return Ok(None) };
        self.frame_budget.renew();
        Ok(stream.response.finish(stream.key, &stream.query, last))
    }

    fn handle_rst_stream(&mut self, header: Header, payload: &[u8]) -> Outcome {
        if payload.len() != 4 {
            return Err(H2Error::frame_size("RST_STREAM whose length is not 4"));
        }
        let code = ErrorCode(frame::read_32_bits(payload).unwrap_or_default());
        if self.state_of(header.stream)? != StreamState::Open {
            self.streams.settle_reset(header.stream);
            self.frame_budget.charge(Overhead::Reset)?;
            return Ok(None);
        }
        self.pacer.answered();
        let Some(stream) = self.streams.remove(header.stream) else { return Ok(None) };
        self.receive_window.release(stream.response.held());
        let (cause, retry_safe) = error::of_reset(code);
        Ok(Some(failed(stream.key, cause, retry_safe)))
    }

    fn handle_settings(&mut self, header: Header, payload: &[u8]) -> Result<(), H2Error> {
        if header.stream != 0 {
            return Err(H2Error::protocol("SETTINGS on a stream"));
        }
        if header.has(flag::ACK) {
            if !payload.is_empty() {
                return Err(H2Error::frame_size("SETTINGS ACK with a payload"));
            }
            self.unacknowledged = self
                .unacknowledged
                .checked_sub(1)
                .ok_or(H2Error::protocol("SETTINGS ACK without SETTINGS"))?;
            return Ok(());
        }
        self.frame_budget.charge(Overhead::Settings)?;
        let (window, had_shrunk_table) = (self.peer.initial_window, self.peer.has_shrunk_table);
        self.peer.update(payload)?;
        // RFC 9113 Section 6.9.2: the windows of open streams move with the initial size.
        self.streams
            .shift_send_windows(i64::from(self.peer.initial_window) - i64::from(window))
            .map_err(|_| H2Error::flow_control("SETTINGS that increase a stream's window over 2^31-1"))?;
        if self.peer.has_shrunk_table && !had_shrunk_table {
            self.requests.require_table_size();
        }
        frame::write_settings_ack(&mut self.pending_control);
        Ok(())
    }

    fn handle_ping(&mut self, header: Header, payload: &[u8]) -> Outcome {
        if header.stream != 0 {
            return Err(H2Error::protocol("PING on a stream"));
        }
        let opaque =
            <[u8; 8]>::try_from(payload).map_err(|_| H2Error::frame_size("PING whose length is not 8"))?;
        if header.has(flag::ACK) && self.probe.is_some_and(|probe| probe.to_be_bytes() == opaque) {
            // This client caused the frame, so the frame does not count against the server.
            self.probe = None;
            return Ok(Some(Event::Alive));
        }
        self.frame_budget.charge(Overhead::Ping)?;
        if header.has(flag::ACK) {
            return Ok(None);
        }
        frame::write_ping(opaque, flag::ACK, &mut self.pending_control);
        Ok(None)
    }

    fn handle_goaway(&mut self, header: Header, payload: &[u8]) -> Result<(), H2Error> {
        if header.stream != 0 {
            return Err(H2Error::protocol("GOAWAY on a stream"));
        }
        let (Some(last_stream), Some(code)) =
            (frame::read_31_bits(payload), payload.get(4..).and_then(frame::read_32_bits))
        else {
            return Err(H2Error::frame_size("GOAWAY shorter than 8 bytes"));
        };
        if self.goaway.is_some_and(|before| last_stream > before.last_stream) {
            return Err(H2Error::protocol("GOAWAY with a higher last stream than an earlier one"));
        }
        self.frame_budget.charge(Overhead::Other)?;
        debug!(target: CONNECTION, last_stream, code, "GOAWAY received");
        self.goaway = Some(Goaway { last_stream, code: ErrorCode(code) });
        self.phase.drain();
        Ok(())
    }

    fn handle_window_update(&mut self, header: Header, payload: &[u8]) -> Result<(), H2Error> {
        if payload.len() != 4 {
            return Err(H2Error::frame_size("WINDOW_UPDATE whose length is not 4"));
        }
        let increment = frame::read_31_bits(payload).unwrap_or_default();
        self.frame_budget.charge(Overhead::Other)?;
        if header.stream == 0 {
            if increment == 0 {
                return Err(H2Error::protocol("WINDOW_UPDATE with an increment of 0"));
            }
            return self.send_window.shift(increment.into()).map_err(|_| {
                H2Error::flow_control("WINDOW_UPDATE that increases the connection's window over 2^31-1")
            });
        }
        self.state_of(header.stream)?;
        let Some(stream) = self.streams.find(header.stream) else { return Ok(()) };
        if increment == 0 {
            return Err(H2Error::malformed(header.stream, "WINDOW_UPDATE with an increment of 0"));
        }
        stream.send_window.shift(increment.into()).map_err(|_| H2Error::Stream {
            stream: header.stream,
            code: ErrorCode::FLOW_CONTROL_ERROR,
            what: "WINDOW_UPDATE that increases a stream's window over 2^31-1",
        })
    }

    /// Priorities are ignored (RFC 9113 Section 5.3.2), and may name any stream, also an idle one.
    fn handle_priority(&mut self, header: Header, payload: &[u8]) -> Result<(), H2Error> {
        if header.stream == 0 {
            return Err(H2Error::protocol("PRIORITY on stream 0"));
        }
        self.frame_budget.charge(Overhead::Other)?;
        if payload.len() != 5 {
            return Err(H2Error::Stream {
                stream: header.stream,
                code: ErrorCode::FRAME_SIZE_ERROR,
                what: "PRIORITY of a wrong length",
            });
        }
        Ok(())
    }

    /// The state of a frame's stream. Only PRIORITY may name an idle stream (RFC 9113 Section 5.1).
    fn state_of(&self, identifier: u32) -> Result<StreamState, H2Error> {
        match self.streams.state(identifier) {
            StreamState::Idle if identifier == 0 => Err(H2Error::protocol("a stream frame on stream 0")),
            StreamState::Idle => Err(H2Error::protocol("a frame on an idle stream")),
            state => Ok(state),
        }
    }

    /// The same for DATA and HEADERS, which are forbidden on a stream that the server has ended.
    fn data_or_headers_state(&self, identifier: u32) -> Result<StreamState, H2Error> {
        match self.state_of(identifier)? {
            StreamState::Ended => Err(H2Error::Connection {
                code: ErrorCode::STREAM_CLOSED,
                what: "a frame on a stream that the server has closed",
            }),
            state => Ok(state),
        }
    }
}
