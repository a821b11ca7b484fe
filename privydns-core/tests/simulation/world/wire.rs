//! DNS messages at the server, encoded and decoded without the code under test.

use std::time::Duration;

use privydns_core::testkit::message::{self, QUESTION_NAME, Response, Section, option};

pub(crate) const A: u16 = 1;
const NS: u16 = 2;
pub(crate) const AAAA: u16 = 28;
const OPT: u16 = 41;

pub(crate) const SERVFAIL: u8 = 2;
pub(crate) const NXDOMAIN: u8 = 3;
pub(crate) const REFUSED: u8 = 5;

/// A decoded query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) id: u16,
    /// In lower case, with the trailing dot.
    pub(crate) name: String,
    pub(crate) record_type: u16,
    /// As encoded in the message.
    octets: Vec<u8>,
}

impl Question {
    /// Decodes a query of the engine; an unexpected query fails the test.
    pub(crate) fn read(message: &[u8]) -> Self {
        let word = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
        assert_eq!(word(2) & 0xf800, 0, "a query with opcode QUERY");
        assert_eq!([word(4), word(6), word(8), word(10)], [1, 0, 0, 1], "one question and one OPT record");
        let (mut at, mut name) = (12, String::new());
        while message[at] != 0 {
            let end = at + 1 + usize::from(message[at]);
            name.push_str(&String::from_utf8_lossy(&message[at + 1..end]).to_ascii_lowercase());
            name.push('.');
            at = end;
        }
        at += 1;
        assert_eq!(word(at + 2), 1, "class IN");
        assert_eq!((message[at + 4], word(at + 5)), (0, OPT), "an OPT record");
        assert_eq!(message.len() % 128, 0, "padded to blocks of 128 octets");
        Self { id: word(0), name, record_type: word(at), octets: message[12..at + 4].to_vec() }
    }

    /// Whether the query is a probe of the engine: the name servers of the root.
    pub(crate) fn is_probe(&self) -> bool {
        self.name.is_empty() && self.record_type == NS
    }

    /// The same ID with a question for another name.
    pub(crate) fn about(&self, name: &str) -> Self {
        let octets = message::question(&message::name(name), self.record_type);
        Self { name: format!("{name}."), octets, ..self.clone() }
    }

    /// The same ID with a question for the name's other address type.
    pub(crate) fn of_another_type(&self) -> Self {
        let record_type = if self.record_type == A { AAAA } else { A };
        let mut octets = self.octets.clone();
        let at = octets.len() - 4;
        octets[at..at + 2].copy_from_slice(&record_type.to_be_bytes());
        Self { record_type, octets, ..self.clone() }
    }

    /// The end of the question within a message.
    pub(crate) fn end(&self) -> usize {
        12 + self.octets.len()
    }

    /// The query itself, sent back.
    pub(crate) fn echo(&self) -> Vec<u8> {
        [&message::header(self.id, 0x0100, [1, 0, 0, 0]), &*self.octets].concat()
    }
}

/// A response under construction. Every response has an OPT record.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    response: Response,
    record_type: u16,
    options: Vec<u8>,
}

impl Reply {
    pub(crate) fn to(question: &Question) -> Self {
        let response = Response::to(&question.octets).id(question.id);
        Self { response, record_type: question.record_type, options: Vec::new() }
    }

    pub(crate) fn id(self, id: u16) -> Self {
        Self { response: self.response.id(id), ..self }
    }

    pub(crate) fn rcode(self, rcode: u8) -> Self {
        Self { response: self.response.rcode(rcode), ..self }
    }

    /// Leaves the question section empty. For replies without records, whose names would refer to the question.
    pub(crate) fn without_question(self) -> Self {
        Self { response: self.response.without_question(), ..self }
    }

    /// A record of the queried name and type.
    pub(crate) fn record(self, ttl: u32, data: &[u8]) -> Self {
        Self { response: self.response.answer(QUESTION_NAME, self.record_type, ttl, data), ..self }
    }

    /// An SOA record of the root for a cacheable denial, with a serial number.
    pub(crate) fn soa(self, ttl: u32, serial: u32) -> Self {
        Self { response: self.response.soa(&[0], ttl, [serial, 7200, 3600, 86_400, ttl]), ..self }
    }

    /// An extended DNS error (RFC 8914).
    pub(crate) fn extended_error(mut self, code: u16, text: &str) -> Self {
        let data = [&code.to_be_bytes(), text.as_bytes()].concat();
        self.options.extend(option(15, &data));
        self
    }

    /// The keepalive timeout of an idle connection (RFC 7828).
    pub(crate) fn keepalive(mut self, timeout: Duration) -> Self {
        let units = u16::try_from(timeout.as_millis() / 100).unwrap_or(u16::MAX);
        self.options.extend(option(11, &units.to_be_bytes()));
        self
    }

    /// The encoded message.
    pub(crate) fn octets(&self) -> Vec<u8> {
        self.response.clone().add(Section::Additional, &message::opt(0, &self.options)).bytes()
    }
}
