//! Fields as this client sends them: indexed in the static table, or literal with a static name. Nothing is
//! put into the server's dynamic table, so that there is no state to keep in step.

use super::integer;

/// Indices in the static table (RFC 7541 Appendix A): of whole fields, and of names.
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

/// A whole field of the static table (RFC 7541 Section 6.1).
pub(crate) fn indexed(index: usize, out: &mut Vec<u8>) {
    integer::encode(index, 7, 0x80, out);
}

/// A value under an indexed name, to be kept out of the dynamic table at this hop (RFC 7541 Section 6.2.2).
pub(crate) fn literal(name: usize, value: &[u8], out: &mut Vec<u8>) {
    integer::encode(name, 4, 0x00, out);
    string(value, out);
}

/// A value under an indexed name, to be kept out of every dynamic table on its way, since who shares one
/// could guess at it (RFC 7541 Sections 6.2.3 and 7.1.3).
pub(crate) fn never_indexed(name: usize, value: &[u8], out: &mut Vec<u8>) {
    integer::encode(name, 4, 0x10, out);
    string(value, out);
}

/// Says at the beginning of a block that the dynamic table is at most this large (RFC 7541 Section 6.3).
pub(crate) fn table_size(size: usize, out: &mut Vec<u8>) {
    integer::encode(size, 5, 0x20, out);
}

fn string(value: &[u8], out: &mut Vec<u8>) {
    integer::encode(value.len(), 7, 0x00, out);
    out.extend_from_slice(value);
}
