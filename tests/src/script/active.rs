//! A script at work: its rules and how often each has come up.

use hickory_proto::rr::RecordType;

use super::{ConnectionFault, QueryFault, Script};

/// A script, and its counts since it was set.
#[derive(Debug, Default)]
pub(crate) struct Active {
    script: Script,
    /// How many connections were accepted before it was set.
    before: usize,
    /// How many queries have met the conditions of each query rule.
    met: Vec<u64>,
}

impl Active {
    /// Begins to count, after so many connections.
    pub(crate) fn new(script: Script, before: usize) -> Self {
        let met = vec![0; script.queries.len()];
        Self { script, before, met }
    }

    /// What goes wrong with a connection, the first of all being 0.
    pub(crate) fn connection(&self, index: usize) -> Vec<ConnectionFault> {
        let turn = self.turn(index);
        let faults = self.script.connections.iter().filter(|(turns, _)| turns.contain(turn));
        faults.map(|(_, fault)| fault.clone()).collect()
    }

    /// Counts a query on a connection: what goes wrong with it.
    pub(crate) fn query(
        &mut self,
        name: &str,
        record_type: RecordType,
        connection: usize,
    ) -> Vec<QueryFault> {
        let mut faults = Vec::new();
        let connection = self.turn(connection);
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

    /// Whether no query can go wrong.
    pub(crate) fn is_without_query_faults(&self) -> bool {
        self.script.queries.is_empty()
    }

    /// From 1; 0 for connections older than the script.
    fn turn(&self, index: usize) -> u64 {
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
    fn all_rules_that_apply_are_taken_in_order() {
        let delay = QueryFault::Delay(Duration::from_millis(1));
        let script = Script::new().on_query(.., delay.clone()).on_query(2, MessageFault::WrongId);
        let mut active = Active::new(script, 0);
        assert_eq!(ask(&mut active, "a.test"), std::slice::from_ref(&delay));
        assert_eq!(ask(&mut active, "a.test"), [delay.clone(), MessageFault::WrongId.into()]);
        assert_eq!(ask(&mut active, "a.test"), [delay]);
    }

    #[test]
    fn turns_count_only_what_meets_the_conditions() {
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
    fn a_rule_can_be_about_names_below_another_and_about_one_connection() {
        let when = When::below("many.test").on_connection(2);
        let mut active = Active::new(Script::new().on_query(when, QueryFault::Silent), 0);
        assert!(active.query("x.many.test", RecordType::A, 0).is_empty());
        assert!(active.query("many.test", RecordType::A, 1).is_empty());
        assert!(active.query("notmany.test", RecordType::A, 1).is_empty());
        assert_eq!(active.query("x.many.test", RecordType::A, 1), [QueryFault::Silent]);
    }
}
