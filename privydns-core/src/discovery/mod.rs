//! Which encrypted resolvers a resolver names in its own place (DDR, RFC 9462).

use std::collections::VecDeque;
use std::net::IpAddr;

use tracing::debug;

use crate::error::{ConfigError, Error, ErrorKind};
use crate::logging::UPSTREAM;
use crate::message::{Answer, Query, QueryName, ServiceBinding};
use crate::rr::{Name, RecordType};
use crate::upstream::Upstream;

mod designation;

use designation::Designation;

/// How often an alias is followed. Each costs a lookup.
const MAX_ALIASES: usize = 4;
/// Designations taken into account, the preferred first.
const MAX_DESIGNATIONS: usize = 16;
/// Names of designated resolvers that are looked up. Each costs two lookups, which most resolvers spare the client.
const MAX_NAMES: usize = 4;

/// Asks a resolver that is known by its address for the encrypted resolvers that stand for it (Discovery of
/// Designated Resolvers, RFC 9462, with the records of RFC 9461).
///
/// The question itself goes over TLS to the address, and the answer is believed to no more than it can prove: each
/// resolver found has to show a certificate for *the address that was asked*, from a known authority, whenever it is
/// connected to (Section 4.2). So nobody on the way, and no resolver but the one asked, has a say in who answers from
/// then on; and what is found may be kept and used later, or written down as text.
///
/// Every runtime crate has a function `discover` around this, which takes what a `Discovery` is made from: an
/// [`IpAddr`], for DNS over TLS on port 853 and the compiled-in roots, or an [`Upstream`] by address with everything
/// that can be set on one. Roots, [hashes of certificates](Upstream::tbs_hash), proxy and the oldest version of TLS are
/// handed on to the upstreams found; pins and a client certificate are not.
///
/// What is not an encrypted resolver that can be spoken to here is passed over: other protocols, parameters that are
/// mandatory and unknown, no addresses. To do it by hand, ask for what [`next_query`](Self::next_query) wants
/// until it wants nothing:
///
/// ```no_run
/// use privydns_core::{Answer, Discovery, Error, Query, Upstream};
///
/// fn discover(ask: impl Fn(&Upstream, Query) -> Result<Answer, Error>) -> Result<Vec<Upstream>, Error> {
///     let mut discovery = Discovery::try_from(Upstream::tls("192.0.2.1:8853")?)?;
///     while let Some(query) = discovery.next_query() {
///         let result = ask(discovery.upstream(), query);
///         discovery.handle_result(result)?;
///     }
///     Ok(discovery.finish())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Discovery {
    upstream: Upstream,
    /// What is still to be asked. The first is on its way.
    queries: VecDeque<Query>,
    aliases: usize,
    designations: Vec<Designation>,
}

impl Discovery {
    fn new(upstream: Upstream) -> Self {
        let labels: [&[u8]; 3] = [b"_dns", b"resolver", b"arpa"];
        let name = QueryName::from_labels(labels).expect("three short labels");
        let queries = VecDeque::from([Query::for_name(name, RecordType::SVCB)]);
        Self { upstream, queries, aliases: 0, designations: Vec::new() }
    }

    /// Whom to ask.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// What to ask next; the same until [`handle_result`](Self::handle_result) is told what came of it.
    pub fn next_query(&self) -> Option<Query> {
        self.queries.front().cloned()
    }

    /// Takes the result of the query that [`next_query`](Self::next_query) gave.
    ///
    /// # Errors
    /// The one that is handed in, where nothing can be found without what was asked; and
    /// [`Cause::Malformed`](crate::Cause::Malformed) for records that are (RFC 9460 Section 2.2).
    pub fn handle_result(&mut self, result: Result<Answer, Error>) -> Result<(), Error> {
        let Some(query) = self.queries.pop_front() else { return Ok(()) };
        if query.record_type() == RecordType::SVCB {
            return self.read_bindings(&result?);
        }
        match result {
            Ok(answer) => self.read_addresses(query.name(), &answer),
            // Another name would be waited for in vain as long.
            Err(error) if error.is_timeout() => self.queries.clear(),
            Err(_) => {}
        }
        Ok(())
    }

    /// The resolvers found, those first that the resolver asked prefers. None is no error: it has none to name.
    pub fn finish(self) -> Vec<Upstream> {
        let mut upstreams = Vec::new();
        for upstream in self.designations.iter().flat_map(|found| found.upstreams(&self.upstream)) {
            if !upstreams.contains(&upstream) {
                upstreams.push(upstream);
            }
        }
        upstreams
    }

    fn read_bindings(&mut self, answer: &Answer) -> Result<(), Error> {
        let services = match answer.svcb() {
            Ok(ServiceBinding::Services(services)) => services,
            Ok(ServiceBinding::Alias(target)) => {
                self.follow(&target);
                return Ok(());
            }
            // An alias for the root says that there are none.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        for service in services.iter().take(MAX_DESIGNATIONS) {
            match Designation::read(service, answer) {
                Ok(designation) => self.designations.push(designation),
                Err(problem) => {
                    debug!(target: UPSTREAM, target_name = %service.target, problem, "designation ignored");
                }
            }
        }
        self.ask_for_addresses();
        Ok(())
    }

    /// Asks for the records at another name (RFC 9460 Section 2.4.2).
    fn follow(&mut self, target: &Name) {
        if self.aliases == MAX_ALIASES {
            return;
        }
        self.aliases += 1;
        if let Ok(name) = QueryName::from_labels(target.iter()) {
            self.queries.push_back(Query::for_name(name, RecordType::SVCB));
        }
    }

    /// Most resolvers send the addresses along. Those of the others are asked of the same resolver.
    fn ask_for_addresses(&mut self) {
        let nowhere = self.designations.iter().filter(|designation| !designation.has_addresses());
        for name in nowhere.map(|designation| &designation.target) {
            let is_new = self.queries.iter().all(|query| query.name() != name);
            if is_new && self.queries.len() < 2 * MAX_NAMES {
                let both = [RecordType::AAAA, RecordType::A];
                self.queries.extend(both.map(|family| Query::for_name(name.clone(), family)));
            }
        }
    }

    fn read_addresses(&mut self, name: &QueryName, answer: &Answer) {
        for designation in self.designations.iter_mut().filter(|designation| designation.target == *name) {
            designation.extend_addresses(answer.addresses());
        }
    }
}

/// DNS over TLS to the address, which the certificate has to be for.
impl From<IpAddr> for Discovery {
    fn from(address: IpAddr) -> Self {
        Self::new(Upstream::at(address))
    }
}

/// The upstream itself, which has to be one without a name, and has to prove its address by certificate even where it
/// has pins.
impl TryFrom<Upstream> for Discovery {
    type Error = Error;

    /// # Errors
    /// [`ConfigError::Upstream`] for an upstream with a name: what a server names in its own place has to prove the
    /// address that was asked, and of such an upstream none is certain.
    fn try_from(upstream: Upstream) -> Result<Self, Error> {
        let problem = format!("{} has a name, and discovery begins at an address", upstream.label());
        let by_address = upstream.proven_by_address().ok_or(ConfigError::Upstream(problem))?;
        Ok(Self::new(by_address))
    }
}

#[cfg(test)]
mod tests;
