//! The journal as `journalctl -o export` writes it: `NAME=value` a line, or the name alone, eight
//! bytes of length and the value where that has bytes that no line can have; an empty line after
//! each entry.

use std::io::{self, BufRead, Read as _};

use signstar_core::LineError;

use super::Source;
use super::journal::Fields;
use super::line::{self, Line};
use crate::audit::entry::{Carried, Defect, Entry};

/// Longer values are passed over: no field of ours is half as long.
const VALUE_BYTES_MAX: u64 = 1 << 16;

/// Whether this is the beginning of such a log.
pub(super) fn starts(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next();
    let name = line.and_then(|line| line.split(|&byte| byte == b'=').next());
    name.is_some_and(is_name)
}

fn is_name(name: &[u8]) -> bool {
    let is_of_one = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_of_one)
}

pub(super) fn read(source: &mut Source<'_>, reader: &mut dyn BufRead) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut fields = Fields::default();
    source.number = 1;
    loop {
        let (name, value) = match line::next(reader, &mut buffer)? {
            None => break,
            Some(Line::Whole(b"")) => {
                fields.give(source);
                fields = Fields::default();
                source.number += 1;
                continue;
            }
            Some(Line::TooLong) => continue, // A field of somebody else's.
            Some(Line::Torn(_)) => {
                damaged(source, Defect::Torn);
                return Ok(());
            }
            Some(Line::Whole(line)) => {
                let mut parts = line.splitn(2, |&byte| byte == b'=');
                let name = parts.next().unwrap_or_default();
                if !is_name(name) {
                    damaged(source, Defect::Line(LineError::NotARecord));
                    continue;
                }
                let name = String::from_utf8_lossy(name).into_owned();
                (name, parts.next().map(<[u8]>::to_vec))
            }
        };
        let value = match value {
            Some(value) => value,
            None => match binary(reader) {
                Ok(value) => value,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    damaged(source, Defect::Torn);
                    return Ok(());
                }
                Err(error) => return Err(error),
            },
        };
        if Fields::wants(&name) {
            fields.add(&name, Some(value));
        }
    }
    if !fields.is_empty() {
        // What the program that wrote it was about to add is missing.
        damaged(source, Defect::Torn);
    }
    Ok(())
}

fn damaged(source: &mut Source<'_>, defect: Defect) {
    let place = source.place();
    (source.take)(Entry {
        place,
        found: Err(defect),
        received: None,
        carried: Carried::Once,
        uptime: None,
    });
}

/// Length, value, line end.
fn binary(reader: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    reader.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut value = Vec::new();
    let kept = length.min(VALUE_BYTES_MAX);
    reader.take(kept).read_to_end(&mut value)?;
    io::copy(&mut reader.take(length - kept), &mut io::sink())?;
    let mut end = [0];
    reader.read_exact(&mut end)?;
    Ok(value)
}
