//! The parts of DNS over HTTPS that do not depend on the HTTP version (RFC 8484 Section 4).

use data_encoding::BASE64URL_NOPAD;

use super::connection::Connection;
use super::plan::Plan;
use crate::observe::{RequestSeen, keep};
use crate::script::{HttpFault, Response};

/// The maximum length of a DNS message.
const MAX_BODY: usize = 65_535;

/// An HTTP request with the complete body.
pub(super) struct Request {
    pub(super) seen: RequestSeen,
    pub(super) body: Vec<u8>,
}

/// A response with its plan.
pub(super) struct PlannedResponse {
    pub(super) plan: Plan,
    pub(super) response: Response,
}

impl PlannedResponse {
    pub(super) fn new(connection: &Connection, request: Request, is_refused: bool) -> Self {
        let query = if is_refused { Err(400) } else { request.query(&connection.shared.setup.path) };
        let query = match query {
            Ok(query) => query,
            Err(status) => {
                let rejected = (status, request.seen);
                connection.log.update(|seen| keep(&mut seen.rejected, || rejected));
                return Self { plan: Plan::default(), response: HttpFault::page(status).into_response() };
            }
        };
        let plan = connection.plan(&query, Some(request.seen));
        let mut response = Response { status: 200, headers: Vec::new(), body: plan.message.clone() };
        response.set("content-type", "application/dns-message");
        if let Some(ttl) = plan.ttl {
            response.set("cache-control", &format!("max-age={ttl}"));
        }
        for fault in &plan.http {
            fault.apply(&mut response);
        }
        Self { plan, response }
    }

    /// Waits until the response may be sent.
    pub(super) async fn due(self) -> Self {
        Self { plan: self.plan.due().await, ..self }
    }
}

impl Request {
    /// The DNS query in the request. The error is the status of the response that rejects the request.
    fn query(&self, path: &str) -> Result<Vec<u8>, u16> {
        let (own_path, parameters) = self.seen.target.split_once('?').unwrap_or((&self.seen.target, ""));
        if own_path != path {
            return Err(404);
        }
        match self.seen.method.as_str() {
            "GET" => {
                let text = parameters
                    .split('&')
                    .find_map(|parameter| parameter.strip_prefix("dns="))
                    .ok_or(400u16)?;
                BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| 400)
            }
            "POST" if self.seen.header("content-type") != Some("application/dns-message") => Err(415),
            "POST" if self.body.len() > MAX_BODY => Err(413),
            "POST" => Ok(self.body.clone()),
            _ => Err(405),
        }
    }
}
