//! The static and the dynamic table, in one index space (RFC 7541 Section 2.3).

use std::collections::VecDeque;

/// The size of an entry in addition to name and value (RFC 7541 Section 4.1).
const ENTRY_OVERHEAD: usize = 32;

/// The dynamic table, after the static one in the index space.
///
/// The entries' bytes are in one buffer, oldest first, so that an insertion moves no other entry and allocates
/// no buffer for the entry. Evicted bytes at the front of the buffer are removed when the buffer has grown to twice the
/// table's capacity.
#[derive(Debug)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Newest first, in the order of their indices.
    entries: VecDeque<Entry>,
    /// The size by RFC 7541 Section 4.1.
    size: usize,
    capacity: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    name_length: usize,
    value_length: usize,
}

impl Table {
    pub(super) fn new(capacity: usize) -> Self {
        Self { bytes: Vec::new(), entries: VecDeque::new(), size: 0, capacity }
    }

    /// The name and value at an index, counted from 1.
    pub(super) fn field(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let state = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC_TABLE.get(state) {
            return Some((name.as_bytes(), value.as_bytes()));
        }
        let entry = self.entries.get(state - STATIC_TABLE.len())?;
        Some(self.bytes[entry.start..entry.end()].split_at(entry.name_length))
    }

    /// Adds an entry, and evicts old entries to make room. An entry larger than the table empties the table (RFC 7541
    /// Section 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let length = name.len() + value.len();
        let size = length + ENTRY_OVERHEAD;
        self.evict_to(self.capacity.saturating_sub(size));
        if size > self.capacity {
            return;
        }
        if self.bytes.len() + length > 2 * self.capacity {
            self.compact();
        }
        let entry = Entry { start: self.bytes.len(), name_length: name.len(), value_length: value.len() };
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.entries.push_front(entry);
        self.size += size;
    }

    /// Changes the capacity and evicts the entries that no longer fit (RFC 7541 Section 4.3).
    pub(super) fn resize(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.evict_to(capacity);
    }

    fn evict_to(&mut self, size: usize) {
        while self.size > size {
            let Some(oldest) = self.entries.pop_back() else { break };
            self.size -= oldest.size();
        }
        if self.entries.is_empty() {
            self.bytes.clear();
        }
    }

    fn compact(&mut self) {
        let dead = self.entries.back().map_or(self.bytes.len(), |oldest| oldest.start);
        self.bytes.drain(..dead);
        for entry in &mut self.entries {
            entry.start -= dead;
        }
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn bytes_held(&self) -> usize {
        self.bytes.len()
    }
}

impl Entry {
    fn end(self) -> usize {
        self.start + self.name_length + self.value_length
    }

    fn size(self) -> usize {
        self.name_length + self.value_length + ENTRY_OVERHEAD
    }
}

/// RFC 7541 Appendix A.
static STATIC_TABLE: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];
