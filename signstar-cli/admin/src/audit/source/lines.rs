//! Lines: those of the audit file, which are records and nothing else, and those of a syslog
//! server, which stand behind a header and among lines of others.

use std::io::{self, BufRead};
use std::time::{Duration, SystemTime};

use signstar_core::{LineError, Record};

use super::Source;
use super::line::{self, Line};
use crate::audit::entry::{Carried, Defect, Entry, Place};

/// What every record begins with.
const TAG: &str = "signstar-audit ";

/// The name that the login shell gives itself in a log.
const PROGRAM: &str = "signstar";

/// How many lines of others are remembered, until it is known that there must be none.
const OTHERS_MAX: usize = 10_000;

pub(super) fn read(source: &mut Source<'_>, reader: &mut dyn BufRead) -> io::Result<()> {
    let mut buffer = Vec::new();
    let (mut bare, mut headed) = (false, false);
    let mut others: Vec<Place> = Vec::new();
    while let Some(line) = line::next(reader, &mut buffer)? {
        source.number += 1;
        let place = source.place();
        let mut carried = Carried::Once;
        let (found, received) = match line {
            Line::TooLong => (Err(Defect::TooLong), None),
            Line::Whole(bytes) | Line::Torn(bytes) => {
                // Records are ASCII; what is not is no record.
                let text = String::from_utf8_lossy(bytes);
                let found = match split(&text) {
                    Split::Bare(record) => {
                        bare = true;
                        let (cut, record) = cut_off(record);
                        if !cut.is_empty() {
                            (source.take)(Entry {
                                place: place.clone(),
                                found: Err(Defect::Torn),
                                received: None,
                                carried: Carried::Once,
                                uptime: None,
                            });
                        }
                        (parse(record), None)
                    }
                    Split::Headed(received, record) => {
                        headed = true;
                        carried = Carried::Repeatedly;
                        (parse(record), received)
                    }
                    Split::OtherProgram => (Err(Defect::OtherProgram), None),
                    Split::Other if text.is_empty() => continue,
                    Split::Other => {
                        if others.len() < OTHERS_MAX {
                            others.push(place);
                        }
                        continue;
                    }
                };
                match line {
                    // Half a digest still reads like a record.
                    Line::Torn(_) => (Err(Defect::Torn), None),
                    _ => found,
                }
            }
        };
        (source.take)(Entry {
            place,
            found,
            received,
            carried,
            uptime: None,
        });
    }
    if bare && !headed {
        // An audit file: nobody else writes there.
        for place in others {
            (source.take)(Entry {
                place,
                found: Err(Defect::Line(LineError::NotARecord)),
                received: None,
                carried: Carried::Once,
                uptime: None,
            });
        }
    }
    Ok(())
}

/// The record in a message.
pub(super) fn parse(message: &str) -> Result<Record, Defect> {
    Record::from_line(message).map_err(Defect::Line)
}

/// Whether a message is a record, or was one.
pub(super) fn is_record(message: &str) -> bool {
    message.starts_with(TAG)
}

#[derive(Debug, PartialEq)]
enum Split<'l> {
    /// A record and nothing else.
    Bare(&'l str),
    /// A record behind the header of a syslog server, which may say when it came.
    Headed(Option<SystemTime>, &'l str),
    /// Somebody else's line with a record in it.
    OtherProgram,
    /// Somebody else's line.
    Other,
}

fn split(line: &str) -> Split<'_> {
    if is_record(line) {
        return Split::Bare(line);
    }
    let headed = rfc5424(line).or_else(|| traditional(line));
    let whole = |message: &str| message.contains(" signstar-audit v=") || is_record(message);
    match headed {
        Some((PROGRAM, received, message)) => Split::Headed(received, message),
        Some((_, _, message)) if whole(message) => Split::OtherProgram,
        None if whole(line) => Split::OtherProgram,
        _ => Split::Other,
    }
}

/// What was cut off before a record that stands behind it on its line, and the record. A value may be the
/// word that a record begins with, but no field behind one is `v`.
fn cut_off(line: &str) -> (&str, &str) {
    line.split_at(line.rfind("signstar-audit v=").unwrap_or(0))
}

/// Who wrote a message, when it came, and the message.
type Headed<'l> = (&'l str, Option<SystemTime>, &'l str);

/// `[<PRI>]1 TIME HOST PROGRAM PID MSGID DATA MESSAGE`
fn rfc5424(line: &str) -> Option<Headed<'_>> {
    let mut words = without_priority(line).splitn(7, ' ');
    if words.next()? != "1" {
        return None;
    }
    let (time, _host, program) = (words.next()?, words.next()?, words.next()?);
    let (_process, _id, rest) = (words.next()?, words.next()?, words.next()?);
    let message = match rest.strip_prefix('-') {
        Some(message) => message,
        // Values in it may contain the end of an element, but only after a backslash.
        None => rest.strip_prefix('[')?.split_once("] ")?.1,
    };
    Some((program, moment(time), message.trim_start_matches(' ')))
}

/// `[<PRI>]TIME HOST PROGRAM[PID]: MESSAGE`, without the colon where a server has written so what it
/// received as RFC 5424, with the time of RFC 3339 or of RFC 3164, which has
/// neither year nor zone and so says nothing here.
fn traditional(line: &str) -> Option<Headed<'_>> {
    let line = without_priority(line);
    let (received, rest) = match line.split_once(' ')? {
        (first, rest) if first.contains('T') && first.starts_with(|c: char| c.is_ascii_digit()) => {
            (moment(first), rest)
        }
        // Nov  2 17:18:00
        _ => (None, line.get(15..)?.strip_prefix(' ')?),
    };
    let (_host, rest) = rest.split_once(' ')?;
    let (tag, message) = rest.split_once(' ')?;
    let tag = tag.strip_suffix(':').unwrap_or(tag);
    let program = match tag.split_once('[') {
        Some((program, process)) => {
            let process = process.strip_suffix(']')?;
            process
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(program)?
        }
        None => tag,
    };
    Some((program, received, message.trim_start_matches(' ')))
}

fn without_priority(line: &str) -> &str {
    let inner = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match inner {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => line,
    }
}

/// A time of RFC 3339 with any zone.
fn moment(text: &str) -> Option<SystemTime> {
    if text.ends_with('Z') {
        return humantime::parse_rfc3339(text).ok();
    }
    let (local, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let minutes = hours.parse::<u64>().ok()? * 60 + minutes.parse::<u64>().ok()?;
    let offset = Duration::from_secs(minutes * 60);
    match zone.as_bytes().first()? {
        b'+' => time.checked_sub(offset),
        b'-' => time.checked_add(offset),
        _ => None,
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
