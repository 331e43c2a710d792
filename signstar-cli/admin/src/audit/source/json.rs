//! The journal as `journalctl -o json` writes it: one object a line.

use std::io::{self, BufRead};

use serde_json::{Map, Value};
use signstar_core::LineError;

use super::Source;
use super::journal::Fields;
use super::line::{self, Line};
use crate::audit::entry::{Carried, Defect, Entry};

pub(super) fn read(source: &mut Source<'_>, reader: &mut dyn BufRead) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(line) = line::next(reader, &mut buffer)? {
        source.number += 1;
        let found = match line {
            // An object is whole or it does not read, whatever follows it.
            Line::Whole(b"") => continue,
            Line::Whole(bytes) | Line::Torn(bytes) => fields(bytes).ok_or(match line {
                Line::Torn(_) => Defect::Torn,
                _ => Defect::Line(LineError::NotARecord),
            }),
            Line::TooLong => Err(Defect::TooLong),
        };
        match found {
            Ok(fields) => fields.give(source),
            Err(defect) => {
                let place = source.place();
                (source.take)(Entry {
                    place,
                    found: Err(defect),
                    received: None,
                    carried: Carried::Once,
                    uptime: None,
                });
            }
        }
    }
    Ok(())
}

fn fields(line: &[u8]) -> Option<Fields> {
    let object: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let mut fields = Fields::default();
    for (name, value) in object {
        if !Fields::wants(&name) {
            continue;
        }
        match value {
            // Several values, unless it is one in bytes.
            Value::Array(values) if values.iter().all(|value| !value.is_number()) => {
                for value in values {
                    fields.add(&name, bytes(value));
                }
            }
            value => fields.add(&name, bytes(value)),
        }
    }
    Some(fields)
}

/// A value: a text, or its bytes as numbers where it is none that can be printed.
fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.into_bytes()),
        Value::Array(numbers) => numbers
            .iter()
            .map(|number| u8::try_from(number.as_u64()?).ok())
            .collect(),
        _ => None,
    }
}
