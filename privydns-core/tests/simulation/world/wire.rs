//! DNS messages at the server, encoded and decoded without the code under test.

use std::time::Duration;

pub(crate) const A: u16 = 1;
const NS: u16 = 2;
const SOA: u16 = 6;
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
        let mut octets = Vec::new();
        for label in name.split('.') {
            octets.push(u8::try_from(label.len()).expect("a label"));
            octets.extend_from_slice(label.as_bytes());
        }
        octets.push(0);
        octets.extend_from_slice(&self.record_type.to_be_bytes());
        octets.extend_from_slice(&[0, 1]);
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
        let [high, low] = self.id.to_be_bytes();
        [&[high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &*self.octets].concat()
    }
}

/// A response under construction.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    question: Question,
    repeats_question: bool,
    rcode: u8,
    answers: Vec<u8>,
    answer_count: u16,
    authority: Option<Vec<u8>>,
    options: Vec<u8>,
}

impl Reply {
    pub(crate) fn to(question: &Question) -> Self {
        Self {
            question: question.clone(),
            repeats_question: true,
            rcode: 0,
            answers: Vec::new(),
            answer_count: 0,
            authority: None,
            options: Vec::new(),
        }
    }

    pub(crate) fn id(mut self, id: u16) -> Self {
        self.question.id = id;
        self
    }

    pub(crate) fn rcode(mut self, rcode: u8) -> Self {
        self.rcode = rcode;
        self
    }

    /// Leaves the question section empty. For replies without records, whose names would refer to the question.
    pub(crate) fn without_question(mut self) -> Self {
        self.repeats_question = false;
        self
    }

    /// A record of the queried name and type.
    pub(crate) fn record(mut self, ttl: u32, data: &[u8]) -> Self {
        self.answers.extend_from_slice(&[0xc0, 12]);
        put_record(self.question.record_type, ttl, data, &mut self.answers);
        self.answer_count += 1;
        self
    }

    /// An SOA record of the root for a cacheable denial, with a serial number.
    pub(crate) fn soa(mut self, ttl: u32, serial: u32) -> Self {
        let mut data = vec![0, 0];
        for number in [serial, 7200, 3600, 86_400, ttl] {
            data.extend_from_slice(&number.to_be_bytes());
        }
        let mut record = vec![0];
        put_record(SOA, ttl, &data, &mut record);
        self.authority = Some(record);
        self
    }

    /// An extended DNS error (RFC 8914).
    pub(crate) fn extended_error(mut self, code: u16, text: &str) -> Self {
        let data = [&code.to_be_bytes(), text.as_bytes()].concat();
        self.put_option(15, &data);
        self
    }

    /// The keepalive timeout of an idle connection (RFC 7828).
    pub(crate) fn keepalive(mut self, timeout: Duration) -> Self {
        let units = u16::try_from(timeout.as_millis() / 100).unwrap_or(u16::MAX);
        self.put_option(11, &units.to_be_bytes());
        self
    }

    /// The encoded message.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.question.id.to_be_bytes());
        out.extend_from_slice(&[0x81, 0x80 | self.rcode, 0, u8::from(self.repeats_question)]);
        out.extend_from_slice(&self.answer_count.to_be_bytes());
        out.extend_from_slice(&u16::from(self.authority.is_some()).to_be_bytes());
        out.extend_from_slice(&[0, 1]);
        if self.repeats_question {
            out.extend_from_slice(&self.question.octets);
        }
        out.extend_from_slice(&self.answers);
        out.extend(self.authority.iter().flatten());
        out.push(0);
        out.extend_from_slice(&OPT.to_be_bytes());
        out.extend_from_slice(&[0x04, 0xd0, 0, 0, 0, 0]);
        put_length(&self.options, &mut out);
        out.extend_from_slice(&self.options);
        out
    }

    fn put_option(&mut self, code: u16, data: &[u8]) {
        self.options.extend_from_slice(&code.to_be_bytes());
        put_length(data, &mut self.options);
        self.options.extend_from_slice(data);
    }
}

fn put_record(record_type: u16, ttl: u32, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&record_type.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(&ttl.to_be_bytes());
    put_length(data, out);
    out.extend_from_slice(data);
}

fn put_length(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(data.len()).expect("short data").to_be_bytes());
}
