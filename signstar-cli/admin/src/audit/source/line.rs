//! One line of a log, of no more than a bounded number of bytes.

use std::io::{self, BufRead, Read as _};

/// More than a line of any log that records are in: the journal's as JSON is the longest.
const BYTES_MAX: u64 = 1 << 20;

/// What the next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'b> {
    /// All of it, without its end.
    Whole(&'b [u8]),
    /// The last one, whose end is missing.
    Torn(&'b [u8]),
    TooLong,
}

/// The next line, if there is one. `buffer` is where it is kept.
pub(super) fn next<'b>(
    reader: &mut dyn BufRead,
    buffer: &'b mut Vec<u8>,
) -> io::Result<Option<Line<'b>>> {
    buffer.clear();
    reader.take(BYTES_MAX).read_until(b'\n', buffer)?;
    match buffer.split_last() {
        None => Ok(None),
        Some((b'\n', line)) => Ok(Some(Line::Whole(line))),
        Some(_) if u64::try_from(buffer.len()).is_ok_and(|length| length < BYTES_MAX) => {
            Ok(Some(Line::Torn(buffer)))
        }
        Some(_) => {
            skip(reader)?;
            Ok(Some(Line::TooLong))
        }
    }
}

/// Passes over the rest of a line.
fn skip(reader: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let available = reader.fill_buf()?;
        let end = available.iter().position(|&byte| byte == b'\n');
        let length = end.map_or(available.len(), |end| end.saturating_add(1));
        let ended = end.is_some() || available.is_empty();
        reader.consume(length);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_torn_and_one_without_bound_is_skipped() {
        let mut long = vec![b'x'; 1 << 20];
        long.extend(b"yz\nafter\ntorn");
        let (mut reader, mut buffer) = (long.as_slice(), Vec::new());
        let mut next = || {
            next(&mut reader, &mut buffer)
                .unwrap()
                .map(|line| match line {
                    Line::Whole(line) => format!("whole {}", String::from_utf8_lossy(line)),
                    Line::Torn(line) => format!("torn {}", String::from_utf8_lossy(line)),
                    Line::TooLong => "too long".to_owned(),
                })
        };
        assert_eq!(next().unwrap(), "too long");
        assert_eq!(next().unwrap(), "whole after");
        assert_eq!(next().unwrap(), "torn torn");
        assert_eq!(next(), None);
    }
}
