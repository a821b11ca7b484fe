//! What goes wrong with HTTP responses (RFC 8484, RFC 9110, RFC 9112).

use super::End;

/// What is wrong with an HTTP response of either version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpFault {
    /// This status; the body stays the DNS message it is.
    Status(u16),
    /// Another response altogether.
    Respond(Response),
    /// This content type, or none.
    ContentType(Option<String>),
    /// One more header field.
    Header(String, String),
    /// These octets as the body.
    Body(Vec<u8>),
    /// An interim response of this status (100 to 199, but not 101) before the response.
    Interim(u16),
    /// Trailer fields after the body, which in HTTP/1.1 makes it chunked.
    Trailers(Vec<(String, String)>),
    /// The connection ends when half of the body has been written; where it is chunked, half of the first chunk.
    EndMidBody(End),
}

impl HttpFault {
    /// This status with an HTML page, as web servers make them.
    pub fn page(status: u16) -> Self {
        let body = format!("<html><body><h1>{status}</h1></body></html>\r\n");
        let mut response = Response { status, headers: Vec::new(), body: body.into_bytes() };
        response.set("content-type", "text/html");
        Self::Respond(response)
    }

    /// 429, to be asked again after this many seconds (RFC 6585 Section 4).
    pub fn too_many_requests(retry_after: u32) -> Self {
        Self::page(429).with("retry-after", &retry_after.to_string())
    }

    /// 503, to be asked again after this many seconds (RFC 9110 Section 15.6.4).
    pub fn unavailable(retry_after: u32) -> Self {
        Self::page(503).with("retry-after", &retry_after.to_string())
    }

    /// 302 to this location.
    pub fn redirect(location: &str) -> Self {
        Self::page(302).with("location", location)
    }

    /// A body over 65535 octets, which no DNS message has.
    pub fn oversize() -> Self {
        Self::Body(vec![0; 70_000])
    }

    /// The response spent this many seconds in caches (RFC 9111 Section 5.1).
    pub fn age(seconds: u32) -> Self {
        Self::Header("age".to_owned(), seconds.to_string())
    }

    /// What this fault makes of a response. Interim responses, trailers and ends are the server's to do.
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

    /// The response that this fault is made of, if it is.
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

/// An HTTP response, in either version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields, names in lower case, without `content-length`.
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

/// What is wrong with an HTTP/1.1 response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http1Fault {
    /// The body comes in chunks of this many octets (RFC 9112 Section 7.1), with a chunk extension on the first.
    Chunked(usize),
    /// The size of the first chunk is no number.
    BadChunk,
    /// The status line ends after the space that follows the code.
    EmptyReason,
    /// Two `Content-Length` fields that disagree (RFC 9112 Section 6.3).
    ConflictingLengths,
    /// Both `Content-Length` and `Transfer-Encoding` (RFC 9112 Section 6.1).
    LengthAndChunked,
    /// No length at all: the body ends with the connection, by `close_notify`.
    UntilClose,
    /// `Connection: close`, and the connection ends after the response.
    ConnectionClose,
    /// The status line says `HTTP/1.0`.
    Version10,
    /// These octets follow the response.
    Leftover(Vec<u8>),
}
