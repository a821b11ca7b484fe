//! Discovery of Designated Resolvers (DDR, RFC 9462): the encrypted resolvers that a resolver designates.

use std::collections::VecDeque;
use std::net::IpAddr;

use tracing::debug;

use crate::error::{ConfigError, Error, ErrorKind};
use crate::logging::UPSTREAM;
use crate::message::{Answer, Query, QueryName, ServiceBinding};
use crate::upstream::Upstream;
use crate::{Name, RecordType};

mod designation;

use designation::Designation;

/// The maximum number of aliases that are followed. Each takes one lookup.
const MAX_ALIASES: usize = 4;
/// The maximum number of designations that are used, in the order of their preference.
const MAX_DESIGNATIONS: usize = 16;
/// The maximum number of designated resolvers whose names are looked up. Each takes two lookups. Most resolvers make the
/// lookups unnecessary by sending the addresses.
const MAX_NAMES: usize = 4;

/// The state machine that discovers the encrypted resolvers designated by a resolver at a known address (Discovery of
/// Designated Resolvers, RFC 9462, with the records of RFC 9461).
///
/// The query is sent over TLS to the address. Each discovered resolver must have a certificate for *the address that was
/// queried*, from a trusted authority, on every connection (Section 4.2). Neither on-path observers nor other resolvers
/// can therefore redirect queries. The discovered upstreams can be stored as text and used later.
///
/// Every runtime crate has a function `discover` that runs a `Discovery`. Its argument is an [`IpAddr`], for DNS over
/// TLS on port 853 with the compiled-in roots, or an [`Upstream`] by address with any settings. Roots,
/// [hashes of certificates](Upstream::tbs_hash), proxy and minimum version of TLS are copied to the discovered
/// upstreams; pins and the client certificate are not.
///
/// Unsupported designations are skipped: other protocols, unknown mandatory parameters, and resolvers without addresses.
/// To run a discovery manually, look up each [`next_query`](Self::next_query) until there is none:
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
    /// The remaining queries. The first has been returned by `next_query`.
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

    /// The upstream to query.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Returns the next query, which is the same until [`handle_result`](Self::handle_result) is called. `None` when the
    /// discovery is complete.
    pub fn next_query(&self) -> Option<Query> {
        self.queries.front().cloned()
    }

    /// Handles the result of the query that [`next_query`](Self::next_query) returned.
    ///
    /// # Errors
    /// The error in `result`, if the discovery cannot continue without the answer, and
    /// [`Cause::Malformed`](crate::Cause::Malformed) for malformed records (RFC 9460 Section 2.2).
    pub fn handle_result(&mut self, result: Result<Answer, Error>) -> Result<(), Error> {
        let Some(query) = self.queries.pop_front() else { return Ok(()) };
        if query.record_type() == RecordType::SVCB {
            return self.read_bindings(&result?);
        }
        match result {
            Ok(answer) => self.read_addresses(query.name(), &answer),
            // The lookups of other names would probably time out, too.
            Err(error) if error.is_timeout() => self.queries.clear(),
            Err(_) => {}
        }
        Ok(())
    }

    /// Returns the discovered resolvers in the order of the queried resolver's preference. The list is empty if the
    /// resolver designates no resolver.
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
            // An alias for the root means that there is no designated resolver.
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

    /// Queues a query for the records at the alias target (RFC 9460 Section 2.4.2).
    fn follow(&mut self, target: &Name) {
        if self.aliases == MAX_ALIASES {
            return;
        }
        self.aliases += 1;
        if let Ok(name) = QueryName::from_labels(target.iter()) {
            self.queries.push_back(Query::for_name(name, RecordType::SVCB));
        }
    }

    /// Queues queries for missing addresses, to the same resolver. Most resolvers send the addresses in the answer.
    fn ask_for_addresses(&mut self) {
        let incomplete = self.designations.iter().filter(|designation| !designation.has_addresses());
        for name in incomplete.map(|designation| &designation.target) {
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

/// DNS over TLS to the address. The certificate must be for the address.
impl From<IpAddr> for Discovery {
    fn from(address: IpAddr) -> Self {
        Self::new(Upstream::at(address))
    }
}

/// Discovery through an upstream without a name. The certificate must be for the upstream's address, also if there are
/// pins.
impl TryFrom<Upstream> for Discovery {
    type Error = Error;

    /// # Errors
    /// [`ConfigError::Upstream`] for an upstream with a name: designated servers must prove the address that was queried,
    /// and an upstream with a name has no verified address.
    fn try_from(upstream: Upstream) -> Result<Self, Error> {
        let problem = format!("{} has a name, and discovery begins at an address", upstream.label());
        let by_address = upstream.proven_by_address().ok_or(ConfigError::Upstream(problem))?;
        Ok(Self::new(by_address))
    }
}

#[cfg(test)]
mod tests;
