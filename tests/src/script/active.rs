//! A script in use by a server: the rules, and how often each rule has matched.

use hickory_proto::rr::RecordType;

use super::{ConnectionFault, QueryFault, Script};

/// A script with its counters, which start when the script is set.
#[derive(Debug, Default)]
pub(crate) struct Active {
    script: Script,
    /// The number of connections that were accepted before the script was set.
    before: usize,
    /// For each query rule, the number of queries that met the conditions.
    met: Vec<u64>,
}

impl Active {
    /// Starts to count, with `before` connections already accepted.
    pub(crate) fn new(script: Script, before: usize) -> Self {
        let met = vec![0; script.queries.len()];
        Self { script, before, met }
    }

    /// Returns the faults of a connection. The index of the first connection is 0.
    pub(crate) fn connection(&self, index: usize) -> Vec<ConnectionFault> {
        let number = self.number_of(index);
        let faults = self.script.connections.iter().filter(|(turns, _)| turns.contain(number));
        faults.map(|(_, fault)| fault.clone()).collect()
    }

    /// Counts a query on a connection and returns the faults of the query.
    pub(crate) fn query(
        &mut self,
        name: &str,
        record_type: RecordType,
        connection: usize,
    ) -> Vec<QueryFault> {
        let mut faults = Vec::new();
        let connection = self.number_of(connection);
        for ((when, fault), met) in self.script.queries.iter().zip(&mut self.met) {
            if when.holds(name, record_type, connection) {
                *met += 1;
                if when.is_turn(*met) {
                    faults.push(fault.clone());
                }
            }
        }
        faults
    }

    /// Whether the script has no faults of queries.
    pub(crate) fn is_without_query_faults(&self) -> bool {
        self.script.queries.is_empty()
    }

    /// The number of a connection, from 1; 0 if the connection is older than the script.
    fn number_of(&self, index: usize) -> u64 {
        (index + 1).saturating_sub(self.before) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::script::{End, MessageFault, When};

    fn ask(active: &mut Active, name: &str) -> Vec<QueryFault> {
        active.query(name, RecordType::A, 0)
    }

    #[test]
    fn connections_are_counted_from_one() {
        let fault = ConnectionFault::Close(End::Fin);
        let script = Script::new().on_connection(1, fault.clone()).on_connection(3.., fault);
        let active = Active::new(script, 10);
        let faults: Vec<_> = (9..14).map(|index| active.connection(index).len()).collect();
        assert_eq!(faults, [0, 1, 0, 1, 1]);
    }

    #[test]
    fn all_matching_rules_apply_in_order() {
        let delay = QueryFault::Delay(Duration::from_millis(1));
        let script = Script::new().on_query(.., delay.clone()).on_query(2, MessageFault::WrongId);
        let mut active = Active::new(script, 0);
        assert_eq!(ask(&mut active, "a.test"), std::slice::from_ref(&delay));
        assert_eq!(ask(&mut active, "a.test"), [delay.clone(), MessageFault::WrongId.into()]);
        assert_eq!(ask(&mut active, "a.test"), [delay]);
    }

    #[test]
    fn turns_count_only_queries_that_meet_the_conditions() {
        let when = When::named("B.test.").of_type(RecordType::A).turns(2..=3);
        let mut active = Active::new(Script::new().on_query(when, QueryFault::Silent), 0);
        assert!(ask(&mut active, "b.test").is_empty());
        assert!(ask(&mut active, "a.test").is_empty());
        assert!(active.query("b.test", RecordType::AAAA, 0).is_empty());
        assert_eq!(ask(&mut active, "b.test"), [QueryFault::Silent]);
        assert_eq!(ask(&mut active, "b.test"), [QueryFault::Silent]);
        assert!(ask(&mut active, "b.test").is_empty());
    }

    #[test]
    fn rule_can_match_subdomains_and_one_connection() {
        let when = When::below("many.test").on_connection(2);
        let mut active = Active::new(Script::new().on_query(when, QueryFault::Silent), 0);
        assert!(active.query("x.many.test", RecordType::A, 0).is_empty());
        assert!(active.query("many.test", RecordType::A, 1).is_empty());
        assert!(active.query("notmany.test", RecordType::A, 1).is_empty());
        assert_eq!(active.query("x.many.test", RecordType::A, 1), [QueryFault::Silent]);
    }
}
