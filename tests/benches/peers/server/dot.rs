//! DNS over TLS: messages with length prefixes.

use super::answer;
use super::connection::Protocol;

/// Each answer is sent in a separate TLS record.
#[derive(Default)]
pub(super) struct Dot {
    message: Vec<u8>,
}

impl Protocol for Dot {
    fn answer(&mut self, input: &mut Vec<u8>, send: &mut dyn FnMut(&[u8])) -> Option<u64> {
        let (mut answered, mut begin) = (0, 0);
        while let [high, low, rest @ ..] = &input[begin..]
            && let Some(query) = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
        {
            self.message.clear();
            self.message.extend_from_slice(&[0, 0]);
            answer::append(query, &mut self.message)?;
            let length = u16::try_from(self.message.len() - 2).ok()?;
            self.message[..2].copy_from_slice(&length.to_be_bytes());
            send(&self.message);
            begin += 2 + query.len();
            answered += 1;
        }
        input.drain(..begin);
        Some(answered)
    }
}
