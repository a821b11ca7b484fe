//! Faults of HTTP responses (RFC 8484, RFC 9110, RFC 9112).

use super::End;

/// A fault of an HTTP response of either version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpFault {
    /// The response has this status. The body is still the DNS message.
    Status(u16),
    /// The whole response is replaced by this one.
    Respond(Response),
    /// The content type is replaced or, with `None`, removed.
    ContentType(Option<String>),
    /// A header field is added.
    Header(String, String),
    /// The body is replaced by these bytes.
    Body(Vec<u8>),
    /// An interim response of this status (100 to 199, but not 101) precedes the response.
    Interim(u16),
    /// Trailer fields follow the body. In HTTP/1.1, the body is therefore chunked.
    Trailers(Vec<(String, String)>),
    /// The connection ends after half of the body; if the body is chunked, after half of the first chunk.
    EndMidBody(End),
}

impl HttpFault {
    /// A response of this status with an HTML page, as web servers send for errors.
    pub fn page(status: u16) -> Self {
        let body = format!("<html><body><h1>{status}</h1></body></html>\r\n");
        let mut response = Response { status, headers: Vec::new(), body: body.into_bytes() };
        response.set("content-type", "text/html");
        Self::Respond(response)
    }

    /// A 429 response with `Retry-After` in seconds (RFC 6585 Section 4).
    pub fn too_many_requests(retry_after: u32) -> Self {
        Self::page(429).with("retry-after", &retry_after.to_string())
    }

    /// A 503 response with `Retry-After` in seconds (RFC 9110 Section 15.6.4).
    pub fn unavailable(retry_after: u32) -> Self {
        Self::page(503).with("retry-after", &retry_after.to_string())
    }

    /// A 302 response that redirects to this location.
    pub fn redirect(location: &str) -> Self {
        Self::page(302).with("location", location)
    }

    /// A body of more than 65535 bytes, the maximum length of a DNS message.
    pub fn oversize() -> Self {
        Self::Body(vec![0; 70_000])
    }

    /// An `Age` header field: the response has been in caches for this many seconds (RFC 9111 Section 5.1).
    pub fn age(seconds: u32) -> Self {
        Self::Header("age".to_owned(), seconds.to_string())
    }

    /// Applies the fault to a response. Interim responses, trailers and ends are not part of a [`Response`];
    /// the server applies them.
    pub(crate) fn apply(&self, response: &mut Response) {
        match self {
            Self::Status(status) => response.status = *status,
            Self::Respond(other) => response.clone_from(other),
            Self::ContentType(None) => response.remove("content-type"),
            Self::ContentType(Some(value)) => response.set("content-type", value),
            Self::Header(name, value) => response.headers.push((name.clone(), value.clone())),
            Self::Body(body) => response.body.clone_from(body),
            Self::Interim(_) | Self::Trailers(_) | Self::EndMidBody(_) => {}
        }
    }

    /// The response that this fault makes of an empty response with status 200.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response { status: 200, headers: Vec::new(), body: Vec::new() };
        self.apply(&mut response);
        response
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Respond(response) = &mut self {
            response.set(name, value);
        }
        self
    }
}

/// An HTTP response of either version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, with names in lower case, without `content-length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }
}

/// A fault of an HTTP/1.1 response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http1Fault {
    /// The body is sent in chunks of this many bytes (RFC 9112 Section 7.1). The first chunk has a chunk
    /// extension.
    Chunked(usize),
    /// The size of the first chunk is not a number.
    BadChunk,
    /// The status line has an empty reason phrase, and ends after the space that follows the code.
    EmptyReason,
    /// Two `Content-Length` fields have different values (RFC 9112 Section 6.3).
    ConflictingLengths,
    /// The response has both `Content-Length` and `Transfer-Encoding` (RFC 9112 Section 6.1).
    LengthAndChunked,
    /// The response has no length. The body ends with the connection, by `close_notify`.
    UntilClose,
    /// The response has `Connection: close`, and the connection ends after it.
    ConnectionClose,
    /// The status line says `HTTP/1.0`.
    Version10,
    /// These bytes follow the response.
    Leftover(Vec<u8>),
}
