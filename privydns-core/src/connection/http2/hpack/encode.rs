//! Encoding of fields: indexed in the static table, or literal with a static name. The client adds no entry to the
//! server's dynamic table, so that there is no shared state.

use super::integer;

/// Indices in the static table (RFC 7541 Appendix A): of complete fields, and of names.
pub(crate) mod index {
    pub(crate) const AUTHORITY: usize = 1;
    pub(crate) const METHOD_GET: usize = 2;
    pub(crate) const METHOD_POST: usize = 3;
    pub(crate) const PATH: usize = 4;
    pub(crate) const SCHEME_HTTPS: usize = 7;
    pub(crate) const ACCEPT: usize = 19;
    pub(crate) const CONTENT_LENGTH: usize = 28;
    pub(crate) const CONTENT_TYPE: usize = 31;
}

/// A complete field of the static table (RFC 7541 Section 6.1).
pub(crate) fn indexed(index: usize, out: &mut Vec<u8>) {
    integer::encode(index, 7, 0x80, out);
}

/// A literal value with an indexed name, not added to the dynamic table at this hop (RFC 7541 Section 6.2.2).
pub(crate) fn literal(name: usize, value: &[u8], out: &mut Vec<u8>) {
    integer::encode(name, 4, 0x00, out);
    string(value, out);
}

/// A literal value with an indexed name, never added to a dynamic table by any hop, because an attacker who shares the
/// table could guess the value (RFC 7541 Sections 6.2.3 and 7.1.3).
pub(crate) fn never_indexed(name: usize, value: &[u8], out: &mut Vec<u8>) {
    integer::encode(name, 4, 0x10, out);
    string(value, out);
}

/// Announces the size of the dynamic table at the beginning of a block (RFC 7541 Section 6.3).
pub(crate) fn table_size(size: usize, out: &mut Vec<u8>) {
    integer::encode(size, 5, 0x20, out);
}

fn string(value: &[u8], out: &mut Vec<u8>) {
    integer::encode(value.len(), 7, 0x00, out);
    out.extend_from_slice(value);
}
