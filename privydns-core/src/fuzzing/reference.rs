//! `h2`'s HPACK decoder as a reference. The fuzz target includes this file as well.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use h2::Codec;
use h2::frame::{Frame, Pseudo};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A field: name and value.
type Field = (Vec<u8>, Vec<u8>);

/// The receiving side of an `h2` connection.
pub(crate) struct Reference(Codec<Wire, io::Cursor<Vec<u8>>>);

/// The transport below `h2`: frames to read. Output of `h2` is ignored.
#[derive(Debug, Default)]
struct Wire(Vec<u8>);

/// Frame type and flags of a field block in one frame that ends the stream.
const HEADERS: u8 = 1;
const END_STREAM_AND_HEADERS: u8 = 5;
/// The maximum payload of one frame.
const MOST_BYTES: usize = 16_384;

impl Reference {
    pub(crate) fn new() -> Self {
        Self(Codec::new(Wire::default()))
    }

    /// Decodes a block with `h2` and compares the result with ours: all `fields` of a block that `is_whole`, or the
    /// fields before the error. Returns `false` if the two can no longer be compared, because `h2` rejects some fields
    /// while decoding that we reject afterwards.
    pub(crate) fn agrees(&mut self, block: &[u8], is_whole: bool, fields: &[Field]) -> bool {
        if block.len() > MOST_BYTES {
            return false;
        }
        let [.., l0, l1, l2] = block.len().to_be_bytes();
        let header = [l0, l1, l2, HEADERS, END_STREAM_AND_HEADERS, 0, 0, 0, 1];
        self.0.get_mut().0.extend(header.iter().chain(block));
        let Poll::Ready(Some(came)) = pin!(&mut self.0).poll_next(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("h2 did not read a complete frame");
        };
        match came {
            Ok(Frame::Headers(headers)) => {
                assert!(is_whole, "only h2 accepts the block");
                if !headers.is_over_size() {
                    let (pseudo, map) = headers.into_parts();
                    let regular = map.iter().map(|(name, value)| field(name.as_str(), value.as_bytes()));
                    let mut theirs: Vec<_> = pseudo_fields(&pseudo).chain(regular).collect();
                    let mut ours = fields.to_vec();
                    // Both sorts keep the order of fields with one name.
                    theirs.sort_by(|(one, _), (other, _)| one.cmp(other));
                    ours.sort_by(|(one, _), (other, _)| one.cmp(other));
                    assert_eq!(ours, theirs, "the same fields");
                }
                true
            }
            Ok(other) => panic!("{other:?}"),
            // A response that is malformed for another reason than its compression counts as decoded.
            Err(h2::proto::Error::Reset(..)) => {
                assert!(is_whole, "only h2 accepts the block");
                true
            }
            Err(h2::proto::Error::GoAway(_, reason, _)) => {
                let is_excess = reason == h2::Reason::ENHANCE_YOUR_CALM;
                assert!(
                    !is_whole || is_excess || fields.iter().any(is_refused),
                    "only our decoder accepts the block"
                );
                false
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Whether `h2` rejects a field during decoding.
fn is_refused((name, value): &Field) -> bool {
    let is_text = std::str::from_utf8(value).is_ok();
    match &name[..] {
        b":authority" | b":scheme" | b":path" | b":protocol" => !is_text,
        b":method" => Method::from_bytes(value).is_err(),
        b":status" => StatusCode::from_bytes(value).is_err(),
        b"" | [b':', ..] => true,
        _ => HeaderName::from_lowercase(name).is_err() || HeaderValue::from_bytes(value).is_err(),
    }
}

fn pseudo_fields(pseudo: &Pseudo) -> impl Iterator<Item = Field> {
    let fields = [
        pseudo.method.as_ref().map(|method| field(":method", method.as_str())),
        pseudo.scheme.as_ref().map(|scheme| field(":scheme", scheme.as_bytes())),
        pseudo.authority.as_ref().map(|authority| field(":authority", authority.as_bytes())),
        pseudo.path.as_ref().map(|path| field(":path", path.as_bytes())),
        pseudo.protocol.as_ref().map(|protocol| field(":protocol", protocol.as_str())),
        pseudo.status.as_ref().map(|status| field(":status", status.as_str())),
    ];
    fields.into_iter().flatten()
}

fn field(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Field {
    (name.as_ref().to_vec(), value.as_ref().to_vec())
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.0.len().min(buffer.remaining());
        if length == 0 {
            return Poll::Pending;
        }
        buffer.put_slice(&self.0[..length]);
        self.0.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
