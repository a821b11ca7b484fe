//! DNS messages for tests, written without the encoder of this crate. Invalid messages can be written as well.

/// A compression pointer to the name of the question.
pub const QUESTION_NAME: &[u8] = &[0xc0, 12];

/// QR, RD and RA, with the response code NOERROR.
pub const RESPONSE: u16 = 0x8180;

const IN: u16 = 1;
const SOA: u16 = 6;
const OPT: u16 = 41;
const UDP_PAYLOAD_SIZE: u16 = 1232;

/// The sections for records, in the order of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The answer section.
    Answer,
    /// The authority section.
    Authority,
    /// The additional section.
    Additional,
}

/// A header: ID, flags, and the counts of the four sections.
pub fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [id, flags].into_iter().chain(counts).flat_map(u16::to_be_bytes).collect()
}

/// A name in uncompressed wire form. The text has no escapes; a trailing dot is optional.
pub fn name(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).expect("a short label"));
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire
}

/// A question in class IN for a name in wire form.
pub fn question(name: &[u8], record_type: u16) -> Vec<u8> {
    [name, &record_type.to_be_bytes(), &IN.to_be_bytes()].concat()
}

/// A record in class IN; `owner` is in wire form.
pub fn record(owner: &[u8], record_type: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    record_in(IN, owner, record_type, ttl, data)
}

/// A record in any class.
pub fn record_in(class: u16, owner: &[u8], record_type: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let fixed = [record_type.to_be_bytes(), class.to_be_bytes()].concat();
    [owner, &fixed, &ttl.to_be_bytes(), &length(data), data].concat()
}

/// The data of an SOA record: two names in wire form, then SERIAL, REFRESH, RETRY, EXPIRE and MINIMUM.
pub fn soa_data(mname: &[u8], rname: &[u8], numbers: [u32; 5]) -> Vec<u8> {
    [mname, rname, &numbers.map(u32::to_be_bytes).concat()].concat()
}

/// An OPT record with the upper bits of the response code, and options.
pub fn opt(rcode_high: u8, options: &[u8]) -> Vec<u8> {
    record_in(UDP_PAYLOAD_SIZE, &[0], OPT, u32::from(rcode_high) << 24, options)
}

/// One option of an OPT record.
pub fn option(code: u16, data: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), &length(data)[..], data].concat()
}

/// A message with a two-byte length prefix, as in DNS over TLS.
pub fn framed(message: &[u8]) -> Vec<u8> {
    [&length(message), message].concat()
}

fn length(data: &[u8]) -> [u8; 2] {
    u16::try_from(data.len()).expect("short data").to_be_bytes()
}

/// The question section of a message with one question. `None` if the message is too short.
pub fn question_of(message: &[u8]) -> Option<&[u8]> {
    const HEADER: usize = 12;
    let mut end = HEADER;
    while *message.get(end)? != 0 {
        end += 1 + usize::from(message[end]);
    }
    message.get(HEADER..end + 5)
}

/// Builds a response.
#[derive(Clone, Debug)]
pub struct Response {
    id: u16,
    flags: u16,
    question: Option<Vec<u8>>,
    sections: [(u16, Vec<u8>); 3],
}

impl Response {
    /// A NOERROR response with ID 0, this question, and no records.
    pub fn to(question: &[u8]) -> Self {
        Self { id: 0, flags: RESPONSE, question: Some(question.into()), sections: Default::default() }
    }

    /// Sets the ID.
    pub fn id(mut self, id: u16) -> Self {
        self.id = id;
        self
    }

    /// Sets the lower four bits of the response code.
    pub fn rcode(mut self, rcode: u8) -> Self {
        self.flags = self.flags & 0xfff0 | u16::from(rcode);
        self
    }

    /// Sets TC.
    pub fn truncated(mut self) -> Self {
        self.flags |= 0x0200;
        self
    }

    /// Leaves the question section empty.
    pub fn without_question(mut self) -> Self {
        self.question = None;
        self
    }

    /// Adds a record from [`record`], [`record_in`] or [`opt`] at the end of a section.
    pub fn add(mut self, section: Section, record: &[u8]) -> Self {
        let (count, records) = &mut self.sections[section as usize];
        *count += 1;
        records.extend_from_slice(record);
        self
    }

    /// Adds a record in class IN to the answer section.
    pub fn answer(self, owner: &[u8], record_type: u16, ttl: u32, data: &[u8]) -> Self {
        self.add(Section::Answer, &record(owner, record_type, ttl, data))
    }

    /// Adds an SOA record to the authority section, with MINIMUM as the last of the numbers.
    pub fn soa(self, zone: &[u8], ttl: u32, numbers: [u32; 5]) -> Self {
        self.add(Section::Authority, &record(zone, SOA, ttl, &soa_data(zone, zone, numbers)))
    }

    /// The message.
    pub fn bytes(&self) -> Vec<u8> {
        let [answers, authorities, additionals] = &self.sections;
        let counts = [u16::from(self.question.is_some()), answers.0, authorities.0, additionals.0];
        let question = self.question.as_deref().unwrap_or_default();
        [&header(self.id, self.flags, counts), question, &answers.1, &authorities.1, &additionals.1].concat()
    }
}
