//! Known faults of the cache. Each test asserts the wrong value of today and is named after the number of the fault.
//! The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::super::entry::Entry;
use super::super::store::Value;
use super::*;

/// The size of the reference counts in front of a message's bytes.
const ARC_HEADER: usize = 16;

/// Bytes of the heap that glibc's malloc uses for an allocation: with a header of 8 bytes, in steps of 16, at least 32.
fn allocated(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16).max(32)
}

/// An entry has one allocation, the message: all else is inside the slot of the store or is shared.
/// Right: an entry counts at least as many bytes as the allocator uses.
#[test]
fn fault_c3_an_entry_uses_more_of_the_heap_than_it_counts() {
    let (settings, now) = (CacheSettings::default(), Clock::default().timestamp(epoch()));
    let address = a("www.example.com");
    let text = query("www.example.com", RecordType::TXT);
    let replies = [
        (&address, Reply::to(&address).a(TTL)),
        (&address, Reply::to(&address).nxdomain().soa("example.com", TTL, TTL)),
        (&text, Reply::to(&text).txt(TTL, 400)),
        (&text, Reply::to(&text).txt(TTL, 3000)),
        (&text, Reply::to(&text).txt(TTL, 30_000)),
    ];
    for (query, reply) in replies {
        let message = reply.message(query);
        let entry = Entry::new(&settings, now, &message, 0, &wire::origin()).expect("an entry");
        let counted = usize::try_from(entry.bytes()).expect("a size") - size_of::<Entry>();
        let used = allocated((ARC_HEADER + message.size()).next_multiple_of(align_of::<usize>()));
        assert!(used > counted, "{used} {counted}");
    }
}
