//! Names from a file, one per line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The number of bytes of a line that are kept. The longest name with every byte escaped has half as many.
const MAX_LINE: usize = 4096;

/// An iterator over the names in a file, without empty lines and lines that begin with `#`. The number and the length
/// of the lines are not limited.
pub(crate) struct Names<R> {
    input: R,
}

impl Names<Box<dyn BufRead + Send>> {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let input: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            Box::new(BufReader::new(File::open(path)?))
        };
        Ok(Self { input })
    }
}

/// Whether the path is a regular file, whose names can be counted and read without waiting.
pub(crate) fn is_complete(path: &Path) -> bool {
    path.as_os_str() != "-" && path.is_file()
}

impl<R: BufRead> Names<R> {
    /// The first bytes of the next line, without the line end; `None` at the end of the file.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut is_end = true;
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                return Ok((!is_end).then_some(line));
            }
            is_end = false;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            line.extend(&part[..part.len().min(MAX_LINE - line.len())]);
            let read = part.len() + usize::from(end.is_some());
            self.input.consume(read);
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }
}

impl<R: BufRead> Iterator for Names<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        loop {
            let line = match self.line().transpose()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            let text = String::from_utf8_lossy(&line);
            let name = text.trim_start_matches('\u{feff}').trim();
            if !name.is_empty() && !name.starts_with('#') {
                return Some(Ok(name.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(input: &[u8]) -> Vec<String> {
        // A buffer of one byte splits a line at every possible position.
        let whole = Names { input }.map(Result::unwrap).collect::<Vec<_>>();
        let cut = Names { input: BufReader::with_capacity(1, input) }.map(Result::unwrap);
        assert_eq!(whole, cut.collect::<Vec<_>>());
        whole
    }

    #[test]
    fn comments_and_empty_lines_are_ignored() {
        let input = b"\xef\xbb\xbfone.example\r\n\n  # none\n\ttwo.example \n\nthree.example";
        assert_eq!(names(input), ["one.example", "two.example", "three.example"]);
        assert!(names(b"").is_empty());
        assert!(names(b"\n#\n").is_empty());
    }

    #[test]
    fn overlong_line_is_truncated_and_the_next_is_complete() {
        let input = [&b"x".repeat(100_000)[..], b"\nafter.example"].concat();
        let names = names(&input);
        assert_eq!(names[0].len(), MAX_LINE);
        assert_eq!(names[1], "after.example");
    }

    #[test]
    fn invalid_utf8_is_still_a_line() {
        assert_eq!(names(b"\xff\n"), ["\u{fffd}"]);
    }
}
