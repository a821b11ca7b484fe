//! Sending: first the preface, then pending control frames, then requests.

use std::time::Instant;

use super::connection::H2Connection;
use super::flow::SendWindow;
use super::frame;
use super::limits::CONNECTION_WINDOW;
use super::request;
use super::settings::{self, DEFAULT_WINDOW};
use super::streams::Stream;

/// The client connection preface (RFC 9113 Section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl H2Connection {
    /// Appends the next message for the server.
    pub(super) fn transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        self.has_transport()
            && (self.transmit_preface(out)
                || self.transmit_control(out)
                || self.phase.is_connected() && self.transmit_unfinished(out)
                || self.phase.is_open() && self.transmit_request(now, out))
    }

    fn transmit_preface(&mut self, out: &mut Vec<u8>) -> bool {
        if self.sent_preface {
            return false;
        }
        self.sent_preface = true;
        out.extend_from_slice(PREFACE);
        frame::write_settings(&settings::OURS, out);
        frame::write_window_update(0, CONNECTION_WINDOW - DEFAULT_WINDOW, out);
        true
    }

    fn transmit_control(&mut self, out: &mut Vec<u8>) -> bool {
        if self.phase.is_connected()
            && let Some(credit) = self.receive_window.credit()
        {
            frame::write_window_update(0, credit, &mut self.pending_control);
        }
        if self.pending_control.is_empty() {
            return false;
        }
        out.append(&mut self.pending_control);
        true
    }

    /// Opens a stream for the next query, and sends the request: HEADERS and DATA as one message, because BIND hangs
    /// if many HEADERS come before their DATA.
    fn transmit_request(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let has_room = self.streams.len() < self.peer.max_streams && self.streams.identifiers_left() > 0;
        if !has_room || self.waiting.is_empty() || !self.pacer.has_room(now) {
            return false;
        }
        let Some((_, query)) = self.waiting.front() else { return false };
        let length = self.requests.prepare(query);
        // A request does not begin with the last bytes of the connection's window, which grows as the server continues.
        if length > self.send_window.available() {
            return false;
        }
        let Some((key, query)) = self.waiting.pop_front() else { return false };
        let identifier =
            self.streams.open(Stream::new(key, query, SendWindow::new(self.peer.initial_window)));
        self.requests.write_headers(identifier, out);
        if length > 0 {
            self.begin_body(identifier, out);
        }
        self.pacer.sent(now);
        true
    }

    /// Sends the body of the prepared request, as far as the windows allow.
    fn begin_body(&mut self, identifier: u32, out: &mut Vec<u8>) {
        let Some(stream) = self.streams.find(identifier) else { return };
        let body = self.requests.body();
        let allowed = stream.send_window.available().min(body.len());
        let (now, later) = body.split_at(allowed);
        if !now.is_empty() {
            request::write_data(now, later.is_empty(), identifier, out);
            stream.send_window.spend(now.len());
            self.send_window.spend(now.len());
        }
        if !later.is_empty() {
            stream.unsent = later.to_vec();
            self.unfinished.push_back(identifier);
        }
    }

    /// Continues a body that was limited by the windows.
    fn transmit_unfinished(&mut self, out: &mut Vec<u8>) -> bool {
        for _ in 0..self.unfinished.len() {
            let Some(identifier) = self.unfinished.pop_front() else { break };
            let Some(stream) = self.streams.find(identifier) else { continue };
            let allowed = stream.send_window.available().min(self.send_window.available());
            let length = allowed.min(stream.unsent.len());
            if length == 0 {
                self.unfinished.push_back(identifier);
                continue;
            }
            let later = stream.unsent.split_off(length);
            request::write_data(&stream.unsent, later.is_empty(), identifier, out);
            stream.send_window.spend(length);
            self.send_window.spend(length);
            stream.unsent = later;
            if !stream.unsent.is_empty() {
                self.unfinished.push_back(identifier);
            }
            return true;
        }
        false
    }
}
