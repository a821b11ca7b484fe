//! The query of the floors.

/// A plain query for an A record, without EDNS: the least that there is to send. The length comes first.
pub(super) fn floor_query(id: u16, name: &str, message: &mut Vec<u8>) {
    message.clear();
    message.extend_from_slice(&[0, 0]);
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split_terminator('.') {
        message.push(u8::try_from(label.len()).expect("labels are short"));
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    let length = u16::try_from(message.len() - 2).expect("names are short");
    message[..2].copy_from_slice(&length.to_be_bytes());
}
