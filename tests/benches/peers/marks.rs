//! The parts of PERFORMANCE.md that programs write, by their marks.

use std::io;

pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../PERFORMANCE.md");

/// Puts a text between `<!-- name -->` and `<!-- /name -->`, unless the text is empty.
pub(crate) fn replace(document: &mut String, name: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let missing = || io::Error::other(format!("PERFORMANCE.md has no marks for {name}"));
    let from = document.find(&begin).ok_or_else(missing)? + begin.len();
    let to = from + document[from..].find(&end).ok_or_else(missing)?;
    document.replace_range(from..to, text);
    Ok(())
}
