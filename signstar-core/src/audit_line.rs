//! A record as one line of text, and the line as a record again.
//!
//! `signstar-audit v=1 event=intent id=… time=… user=signer …`: names and values are separated by
//! `=`, fields by one space; in values every byte outside `[0-9A-Za-z.:+/=_-]` is `%XX`. So no
//! value can add a field or a line, and what was written is read back exactly.

use std::fmt::Write as _;
use std::time::SystemTime;

use crate::audit::{AUDIT_VERSION, Event, Field, Record, RequestId};

/// First word of every line.
const TAG: &str = "signstar-audit";

/// A line is never longer than this, in bytes; every syslog takes 8 KiB.
pub const LINE_BYTES_MAX: usize = 8192;

/// Why a line is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It does not start with `signstar-audit`, or is longer than [`LINE_BYTES_MAX`].
    #[error("not a line of the audit log")]
    NotARecord,
    /// It was written by another version of the schema.
    #[error("audit record of an unknown version")]
    Version,
    /// A field is missing, unknown, repeated, out of order, too long or badly escaped.
    #[error("malformed audit record")]
    Malformed,
}

impl Record {
    /// The record as one line without its end, at most [`LINE_BYTES_MAX`] bytes of ASCII.
    pub fn to_line(&self) -> String {
        let time = humantime::format_rfc3339_millis(self.time);
        let mut line = format!(
            "{TAG} v={AUDIT_VERSION} event={} id={} time={time}",
            self.event.name(),
            self.id
        );
        for (field, value) in self.fields() {
            line.push(' ');
            line.push_str(field.name());
            line.push('=');
            escape(value, &mut line);
        }
        line
    }

    /// Reads a line that [`Record::to_line`] wrote.
    ///
    /// # Errors
    /// Anything that [`Record::to_line`] would not have written exactly so.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LineError::NotARecord);
        }
        let mut words = line.split(' ');
        if words.next() != Some(TAG) {
            return Err(LineError::NotARecord);
        }
        let version = words
            .next()
            .and_then(|word| word.strip_prefix("v="))
            .ok_or(LineError::Malformed)?;
        if version != AUDIT_VERSION.to_string() {
            return Err(LineError::Version);
        }
        let record = parse_fields(words).ok_or(LineError::Malformed)?;
        // Order, case and escapes have one form only; another spelling is not our record.
        if record.to_line() == line {
            Ok(record)
        } else {
            Err(LineError::Malformed)
        }
    }
}

fn parse_fields<'l>(mut words: impl Iterator<Item = &'l str>) -> Option<Record> {
    let event = words.next()?.strip_prefix("event=")?;
    let event = Event::ALL.into_iter().find(|known| known.name() == event)?;
    let id = RequestId::from_hex(words.next()?.strip_prefix("id=")?)?;
    let time = parse_time(words.next()?.strip_prefix("time=")?)?;
    let mut record = Record::new(event, id, time);
    for word in words {
        let (name, value) = word.split_once('=')?;
        let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
        record.set(field, unescape(value)?);
    }
    Some(record)
}

/// Only the exact shape that is written, `2026-01-31T23:59:59.123Z`, reaches the time library.
fn parse_time(text: &str) -> Option<SystemTime> {
    (text.len() == 24)
        .then(|| humantime::parse_rfc3339(text).ok())
        .flatten()
}

impl RequestId {
    /// Reads the 32 hexadecimal digits that it is displayed as.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_byte(pair)?;
        }
        Some(Self::from_bytes(bytes))
    }
}

/// One byte from two hexadecimal digits.
fn hex_byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else { return None };
    let digit = |&byte: &u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:+/=_-".contains(&byte)
}

/// Adds `value` to `line`, with every byte that is not plain as `%XX`.
pub(crate) fn escape(value: &str, line: &mut String) {
    for byte in value.bytes() {
        if is_plain(byte) {
            line.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(line, "%{byte:02X}");
        }
    }
}

fn unescape(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (pair, tail) = tail.split_at_checked(2)?;
            bytes.push(hex_byte(pair)?);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
