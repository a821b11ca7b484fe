//! Between `h2` and TLS: frames of the server's side are rewritten as a script says, and those of the client's
//! side are written down.
//!
//! `h2` keeps the connection's state and does the HPACK; what it cannot be made to send (a GOAWAY with a made-up
//! last stream, CONTINUATION frames, padding) is put into its output here, frame by frame.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::UnboundedSender;

use super::connection::ConnectionLog;
use super::pending_answers::{Order, PendingAnswers};
use super::secured::Secured;
use crate::frame::Frame;
use crate::observe::keep;
use crate::script::{End, Http2Fault, Moment};

/// What a client says first (RFC 9113 Section 3.4).
const PREFACE: usize = 24;

/// Octets that wait for the client to read before `h2` has to wait, too.
const MAX_WAITING: usize = 1 << 20;

/// A stream for `h2` to read and write.
pub(super) struct Rewriter<'a, 'b> {
    stream: &'a mut Secured<'b>,
    log: Arc<ConnectionLog>,
    orders: PendingAnswers,
    /// Where the end of the connection is announced, once everything before it is written.
    ends: UnboundedSender<End>,
    /// What `h2` has written of a frame.
    partial: Vec<u8>,
    waiting: VecDeque<Segment>,
    /// Streams whose responses are cut off.
    silenced: BTreeSet<u32>,
    /// The SETTINGS that the client has not acknowledged: whether each was `h2`'s, who wants to know.
    settings: VecDeque<bool>,
    incoming: Incoming,
}

/// What waits to be written.
enum Segment {
    Whole(Vec<u8>),
    Pieces(Vec<u8>, usize),
    End(End),
    /// The end has been announced, and nothing more is written.
    Over,
}

/// What the client has sent.
#[derive(Default)]
struct Incoming {
    preface: usize,
    partial: Vec<u8>,
    /// For `h2` to read.
    whole: VecDeque<u8>,
    is_over: bool,
}

impl<'a, 'b> Rewriter<'a, 'b> {
    pub(super) fn new(
        stream: &'a mut Secured<'b>,
        log: Arc<ConnectionLog>,
        orders: PendingAnswers,
        ends: UnboundedSender<End>,
    ) -> Self {
        Self {
            stream,
            log,
            orders,
            ends,
            partial: Vec::new(),
            waiting: VecDeque::new(),
            silenced: BTreeSet::new(),
            settings: VecDeque::new(),
            incoming: Incoming::default(),
        }
    }

    /// Takes a frame of `h2`'s.
    fn rewrite(&mut self, frame: Frame) {
        let stream = frame.stream;
        if frame.kind == Frame::SETTINGS && !frame.has(Frame::ACK) {
            self.settings.push_back(true);
        }
        if self.silenced.contains(&stream) {
            return;
        }
        let Some(mut order) = self.orders.take(stream) else { return self.put(&frame, None) };
        let is_last = frame.kind == Frame::RST_STREAM
            || matches!(frame.kind, Frame::HEADERS | Frame::DATA) && frame.has(Frame::END_STREAM);
        match frame.kind {
            Frame::HEADERS => self.rewrite_headers(frame, &mut order),
            Frame::DATA => self.rewrite_data(frame, &mut order),
            Frame::RST_STREAM if !order.has_begun => {
                self.insert(Moment::Before, stream, &order);
                self.insert(Moment::Instead, stream, &order);
                self.silenced.insert(stream);
            }
            _ => self.put(&frame, order.piece),
        }
        if is_last && !self.silenced.contains(&stream) {
            self.insert(Moment::After, stream, &order);
        }
        if is_last || self.silenced.contains(&stream) {
            self.waiting.extend(order.end_after.map(Segment::End));
        } else {
            self.orders.put_back(stream, order);
        }
    }

    fn rewrite_headers(&mut self, frame: Frame, order: &mut Order) {
        let stream = frame.stream;
        if !mem::replace(&mut order.has_begun, true) {
            self.insert(Moment::Before, stream, order);
        }
        let (mut flags, mut block) = (frame.flags & !Frame::END_HEADERS, frame.payload);
        let rest = order.faults.iter().find_map(|fault| match fault {
            Http2Fault::Continuation(size) if *size < block.len() => Some((*size, block.split_off(*size))),
            _ => None,
        });
        if order.faults.contains(&Http2Fault::Priority) {
            flags |= Frame::PRIORITY;
            block.splice(0..0, [0, 0, 0, 0, 15]);
        }
        order.pad(&mut flags, &mut block);
        let Some((size, rest)) = rest else {
            return self.put(&Frame::headers(stream, &block, flags | Frame::END_HEADERS), order.piece);
        };
        self.put(&Frame::headers(stream, &block, flags), order.piece);
        let mut parts = rest.chunks(size.max(1)).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { Frame::END_HEADERS } else { 0 };
            self.put(&Frame::continuation(stream, part, flags), order.piece);
        }
    }

    fn rewrite_data(&mut self, frame: Frame, order: &mut Order) {
        let Frame { stream, flags, mut payload, .. } = frame;
        let is_first = !payload.is_empty() && !mem::replace(&mut order.has_body, true);
        if is_first && (order.end_mid_body.is_some() || order.has(Moment::During)) {
            let second = payload.split_off(payload.len() / 2);
            self.put_data(stream, &payload, 0, order);
            if let Some(end) = order.end_mid_body {
                self.waiting.push_back(Segment::End(end));
                self.silenced.insert(stream);
                return;
            }
            self.insert(Moment::During, stream, order);
            if self.silenced.contains(&stream) {
                return;
            }
            payload = second;
        }
        self.put_data(stream, &payload, flags, order);
    }

    fn put_data(&mut self, stream: u32, payload: &[u8], flags: u8, order: &Order) {
        let size = order.faults.iter().find_map(|fault| match fault {
            Http2Fault::DataFrames(size) => Some(*size),
            _ => None,
        });
        if size == Some(0) {
            self.put(&Frame::data(stream, b"", 0), order.piece);
        }
        let size = size.filter(|size| *size > 0).unwrap_or(payload.len()).max(1);
        let mut start = 0;
        loop {
            let end = payload.len().min(start + size);
            let is_last = end == payload.len();
            let (mut flags, mut part) = (if is_last { flags } else { 0 }, payload[start..end].to_vec());
            order.pad(&mut flags, &mut part);
            self.put(&Frame::data(stream, &part, flags), order.piece);
            if is_last {
                return;
            }
            start = end;
        }
    }

    /// Puts in what the order has for this moment.
    fn insert(&mut self, moment: Moment, stream: u32, order: &Order) {
        for fault in order.faults.iter().filter(|fault| fault.moment() == Some(moment)) {
            if fault.cuts_all(stream) || fault.cuts_body(stream) {
                self.silenced.insert(stream);
            }
            match fault {
                Http2Fault::GoAway { last, code, .. } => {
                    self.put(&Frame::go_away(last.seen_from(stream), *code), order.piece);
                }
                Http2Fault::ResetStream { code, .. } => {
                    self.put(&Frame::reset_stream(stream, *code), order.piece);
                }
                Http2Fault::Insert(_, frame) => {
                    let mut frame = frame.clone();
                    if frame.stream == Frame::THIS_STREAM {
                        frame.stream = stream;
                    }
                    if frame.kind == Frame::SETTINGS && !frame.has(Frame::ACK) {
                        self.settings.push_back(false);
                    }
                    self.put(&frame, order.piece);
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

    /// Writes what waits.
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
                    // Whoever serves the connection takes it, and drops this.
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

    /// Takes octets of the client's.
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

    /// Writes everything. How the connection ends is not for `h2` to say.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
