//! The layer between `h2` and TLS. This layer changes the server's frames as the script requires, and logs the client's
//! frames.
//!
//! `h2` keeps the connection's state and encodes header blocks. Frames that `h2` cannot be made to send (a
//! GOAWAY with an arbitrary last stream, CONTINUATION frames, padding) are inserted into the output here.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::UnboundedSender;

use super::connection::ConnectionLog;
use super::pending_answers::{Changes, PendingAnswers};
use super::secured::Secured;
use crate::frame::Frame;
use crate::observe::keep;
use crate::script::{End, Http2Fault, Moment};

/// The length of the client's connection preface (RFC 9113 Section 3.4).
const PREFACE: usize = 24;

/// The number of bytes that may wait for the client to read before `h2` must wait, too.
const MAX_WAITING: usize = 1 << 20;

/// The stream that `h2` reads and writes.
pub(super) struct Rewriter<'a, 'b> {
    stream: &'a mut Secured<'b>,
    log: Arc<ConnectionLog>,
    pending: PendingAnswers,
    /// Receives the end of the connection, after everything before it has been written.
    ends: UnboundedSender<End>,
    /// The incomplete frame that `h2` has written so far.
    partial: Vec<u8>,
    waiting: VecDeque<Segment>,
    /// Streams whose remaining frames are dropped.
    silenced: BTreeSet<u32>,
    /// For each SETTINGS frame without acknowledgement, whether `h2` sent it. If so, `h2` gets the
    /// acknowledgement.
    settings: VecDeque<bool>,
    incoming: Incoming,
}

/// Output that waits to be written.
enum Segment {
    Whole(Vec<u8>),
    Pieces(Vec<u8>, usize),
    End(End),
    /// The end has been announced. No further output is written.
    Over,
}

/// Input from the client.
#[derive(Default)]
struct Incoming {
    preface: usize,
    partial: Vec<u8>,
    /// Complete frames for `h2` to read.
    whole: VecDeque<u8>,
    is_over: bool,
}

impl<'a, 'b> Rewriter<'a, 'b> {
    pub(super) fn new(
        stream: &'a mut Secured<'b>,
        log: Arc<ConnectionLog>,
        pending: PendingAnswers,
        ends: UnboundedSender<End>,
    ) -> Self {
        Self {
            stream,
            log,
            pending,
            ends,
            partial: Vec::new(),
            waiting: VecDeque::new(),
            silenced: BTreeSet::new(),
            settings: VecDeque::new(),
            incoming: Incoming::default(),
        }
    }

    /// Processes a frame that `h2` has written.
    fn rewrite(&mut self, frame: Frame) {
        let stream = frame.stream;
        if frame.kind == Frame::SETTINGS && !frame.has(Frame::ACK) {
            self.settings.push_back(true);
        }
        if self.silenced.contains(&stream) {
            return;
        }
        let Some(mut changes) = self.pending.take(stream) else { return self.put(&frame, None) };
        let is_last = frame.kind == Frame::RST_STREAM
            || matches!(frame.kind, Frame::HEADERS | Frame::DATA) && frame.has(Frame::END_STREAM);
        match frame.kind {
            Frame::HEADERS => self.rewrite_headers(frame, &mut changes),
            Frame::DATA => self.rewrite_data(frame, &mut changes),
            Frame::RST_STREAM if !changes.has_begun => {
                self.insert(Moment::Before, stream, &changes);
                self.insert(Moment::Instead, stream, &changes);
                self.silenced.insert(stream);
            }
            _ => self.put(&frame, changes.piece),
        }
        if is_last && !self.silenced.contains(&stream) {
            self.insert(Moment::After, stream, &changes);
        }
        if is_last || self.silenced.contains(&stream) {
            self.waiting.extend(changes.end_after.map(Segment::End));
        } else {
            self.pending.put_back(stream, changes);
        }
    }

    fn rewrite_headers(&mut self, frame: Frame, changes: &mut Changes) {
        let stream = frame.stream;
        if !mem::replace(&mut changes.has_begun, true) {
            self.insert(Moment::Before, stream, changes);
        }
        let (mut flags, mut block) = (frame.flags & !Frame::END_HEADERS, frame.payload);
        let rest = changes.faults.iter().find_map(|fault| match fault {
            Http2Fault::Continuation(size) if *size < block.len() => Some((*size, block.split_off(*size))),
            _ => None,
        });
        if changes.faults.contains(&Http2Fault::Priority) {
            flags |= Frame::PRIORITY;
            block.splice(0..0, [0, 0, 0, 0, 15]);
        }
        changes.pad(&mut flags, &mut block);
        let Some((size, rest)) = rest else {
            return self.put(&Frame::headers(stream, &block, flags | Frame::END_HEADERS), changes.piece);
        };
        self.put(&Frame::headers(stream, &block, flags), changes.piece);
        let mut parts = rest.chunks(size.max(1)).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { Frame::END_HEADERS } else { 0 };
            self.put(&Frame::continuation(stream, part, flags), changes.piece);
        }
    }

    fn rewrite_data(&mut self, frame: Frame, changes: &mut Changes) {
        let Frame { stream, flags, mut payload, .. } = frame;
        let is_first = !payload.is_empty() && !mem::replace(&mut changes.has_body, true);
        if is_first && (changes.end_mid_body.is_some() || changes.has(Moment::During)) {
            let second = payload.split_off(payload.len() / 2);
            self.put_data(stream, &payload, 0, changes);
            if let Some(end) = changes.end_mid_body {
                self.waiting.push_back(Segment::End(end));
                self.silenced.insert(stream);
                return;
            }
            self.insert(Moment::During, stream, changes);
            if self.silenced.contains(&stream) {
                return;
            }
            payload = second;
        }
        self.put_data(stream, &payload, flags, changes);
    }

    fn put_data(&mut self, stream: u32, payload: &[u8], flags: u8, changes: &Changes) {
        let size = changes.faults.iter().find_map(|fault| match fault {
            Http2Fault::DataFrames(size) => Some(*size),
            _ => None,
        });
        if size == Some(0) {
            self.put(&Frame::data(stream, b"", 0), changes.piece);
        }
        let size = size.filter(|size| *size > 0).unwrap_or(payload.len()).max(1);
        let mut start = 0;
        loop {
            let end = payload.len().min(start + size);
            let is_last = end == payload.len();
            let (mut flags, mut part) = (if is_last { flags } else { 0 }, payload[start..end].to_vec());
            changes.pad(&mut flags, &mut part);
            self.put(&Frame::data(stream, &part, flags), changes.piece);
            if is_last {
                return;
            }
            start = end;
        }
    }

    /// Inserts the response's frames for this position.
    fn insert(&mut self, moment: Moment, stream: u32, changes: &Changes) {
        for fault in changes.faults.iter().filter(|fault| fault.moment() == Some(moment)) {
            if fault.cuts_all(stream) || fault.cuts_body(stream) {
                self.silenced.insert(stream);
            }
            match fault {
                Http2Fault::GoAway { last, code, .. } => {
                    self.put(&Frame::go_away(last.seen_from(stream), *code), changes.piece);
                }
                Http2Fault::ResetStream { code, .. } => {
                    self.put(&Frame::reset_stream(stream, *code), changes.piece);
                }
                Http2Fault::Insert(_, frame) => {
                    let mut frame = frame.clone();
                    if frame.stream == Frame::THIS_STREAM {
                        frame.stream = stream;
                    }
                    if frame.kind == Frame::SETTINGS && !frame.has(Frame::ACK) {
                        self.settings.push_back(false);
                    }
                    self.put(&frame, changes.piece);
                }
                _ => {}
            }
        }
    }

    fn put(&mut self, frame: &Frame, piece: Option<usize>) {
        let bytes = frame.to_bytes();
        match (self.waiting.back_mut(), piece) {
            (Some(Segment::Whole(waiting)), None) => waiting.extend(bytes),
            (_, None) => self.waiting.push_back(Segment::Whole(bytes)),
            (_, Some(piece)) => self.waiting.push_back(Segment::Pieces(bytes, piece.max(1))),
        }
    }

    /// Writes the waiting output.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(segment) = self.waiting.front_mut() {
            match segment {
                Segment::Whole(bytes) => {
                    let written = ready!(Pin::new(&mut *self.stream).poll_write(cx, bytes))?;
                    bytes.drain(..written);
                    if !bytes.is_empty() {
                        continue;
                    }
                }
                Segment::Pieces(bytes, piece) => {
                    ready!(Pin::new(&mut *self.stream).poll_flush(cx))?;
                    let length = bytes.len().min(*piece);
                    let written = ready!(Pin::new(&mut *self.stream).poll_write(cx, &bytes[..length]))?;
                    bytes.drain(..written);
                    if !bytes.is_empty() {
                        continue;
                    }
                    ready!(Pin::new(&mut *self.stream).poll_flush(cx))?;
                }
                Segment::End(end) => {
                    ready!(Pin::new(&mut *self.stream).poll_flush(cx))?;
                    // The receiver serves the connection and drops this object when the message arrives.
                    _ = self.ends.send(*end);
                    *segment = Segment::Over;
                }
                Segment::Over => return Poll::Pending,
            }
            if !matches!(self.waiting.front(), Some(Segment::Over)) {
                self.waiting.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Processes bytes of the client.
    fn receive(&mut self, mut bytes: &[u8]) {
        let incoming = &mut self.incoming;
        if incoming.preface < PREFACE {
            let (preface, rest) = bytes.split_at(bytes.len().min(PREFACE - incoming.preface));
            incoming.preface += preface.len();
            incoming.whole.extend(preface);
            bytes = rest;
        }
        incoming.partial.extend(bytes);
        while let Some(frame) = Frame::take(&mut incoming.partial) {
            let is_acknowledgement = frame.kind == Frame::SETTINGS && frame.has(Frame::ACK);
            if !is_acknowledgement || self.settings.pop_front() != Some(false) {
                incoming.whole.extend(frame.to_bytes());
            }
            if !matches!(frame.kind, Frame::DATA | Frame::HEADERS | Frame::CONTINUATION) {
                self.log.update(|seen| keep(&mut seen.frames, || frame));
            }
        }
    }
}

impl AsyncRead for Rewriter<'_, '_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.incoming.whole.is_empty() && !this.incoming.is_over {
            let mut buffer = [0; 16 * 1024];
            let mut read = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut *this.stream).poll_read(cx, &mut read))?;
            this.incoming.is_over = read.filled().is_empty();
            this.receive(read.filled());
        }
        let length = this.incoming.whole.len().min(out.remaining());
        out.put_slice(&this.incoming.whole.drain(..length).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewriter<'_, '_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let waiting = |segment: &Segment| match segment {
            Segment::Whole(bytes) | Segment::Pieces(bytes, _) => bytes.len(),
            Segment::End(_) | Segment::Over => 0,
        };
        if this.waiting.iter().map(waiting).sum::<usize>() > MAX_WAITING {
            ready!(this.poll_drain(cx))?;
        }
        this.partial.extend(bytes);
        while let Some(frame) = Frame::take(&mut this.partial) {
            this.rewrite(frame);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut *this.stream).poll_flush(cx)
    }

    /// Writes the waiting output, but does not close: the script determines how the connection ends.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
