//! DNS over TLS: messages with a length prefix.

use super::Heard;
use crate::world::wire::Question;

#[derive(Default)]
pub(crate) struct Dot {
    input: Vec<u8>,
}

impl Dot {
    pub(super) fn receive(&mut self, octets: &[u8]) -> Heard {
        self.input.extend_from_slice(octets);
        let mut heard = Heard::default();
        while let Some((length, rest)) = self.input.split_first_chunk()
            && let Some(message) = rest.get(..usize::from(u16::from_be_bytes(*length)))
        {
            heard.questions.push((0, Question::read(message)));
            let end = 2 + message.len();
            self.input.drain(..end);
        }
        heard
    }
}

pub(super) fn frame(message: &[u8], length: usize) -> Vec<u8> {
    let length = u16::try_from(length).expect("a DNS message");
    [&length.to_be_bytes(), message].concat()
}
