//! An entry of the journal: a message, and beside it the fields that journald was given, the times
//! that it has noted itself, and much that is not looked at.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use signstar_core::Record;

use super::Source;
use super::lines::{is_record, parse};
use crate::audit::entry::{Carried, Defect, Entry, Uptime};

/// What the login shell's own fields begin with.
const OURS: &str = "SIGNSTAR_";

/// An entry as far as it is looked at; names and values. A value is `None` where journalctl has left
/// it out.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Vec<Option<Vec<u8>>>>);

impl Fields {
    /// Whether anything is to be learned from the field `name`.
    pub(super) fn wants(name: &str) -> bool {
        const OTHERS: [&str; 5] = [
            "MESSAGE",
            "SYSLOG_IDENTIFIER",
            "_BOOT_ID",
            "__MONOTONIC_TIMESTAMP",
            "__REALTIME_TIMESTAMP",
        ];
        name.starts_with(OURS) || OTHERS.contains(&name)
    }

    /// Adds a value; whoever writes to journald may give a field several.
    pub(super) fn add(&mut self, name: &str, value: Option<Vec<u8>>) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one value of a field that has one.
    fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)?.as_slice() {
            [Some(value)] => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Gives `source` what is a record, or should be one.
    pub(super) fn give(&self, source: &mut Source<'_>) {
        let Some(found) = self.found() else { return };
        let received = self
            .number("__REALTIME_TIMESTAMP")
            .map(Duration::from_micros);
        let boot = self.text("_BOOT_ID");
        let uptime = self.number("__MONOTONIC_TIMESTAMP").zip(boot);
        let place = source.place();
        (source.take)(Entry {
            place,
            found,
            received: received.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)),
            carried: Carried::Once,
            uptime: uptime.map(|(microseconds, boot)| Uptime {
                boot: boot.into(),
                microseconds,
            }),
        });
    }

    fn found(&self) -> Option<Result<Record, Defect>> {
        let has_ours = self.0.keys().any(|name| name.starts_with(OURS));
        let is_named = self.text("SYSLOG_IDENTIFIER") == Some("signstar");
        if let Some([None]) = self.0.get("MESSAGE").map(Vec::as_slice) {
            return (has_ours || is_named).then_some(Err(Defect::LeftOut));
        }
        let message = self.text("MESSAGE").unwrap_or_default();
        if !(has_ours || is_named || is_record(message)) {
            return None;
        }
        if !is_named {
            return Some(Err(Defect::OtherProgram));
        }
        let parsed = parse(message);
        Some(
            parsed.and_then(|record| match !has_ours || self.agree(&record) {
                true => Ok(record),
                false => Err(Defect::Fields),
            }),
        )
    }

    /// Whether the fields say what the message says: no more, no less, nothing else.
    fn agree(&self, record: &Record) -> bool {
        let (event, id) = (record.event.name(), record.id.to_string());
        let own = [("event", event), ("id", id.as_str())];
        let fields = record.fields().map(|(field, value)| (field.name(), value));
        let said: BTreeMap<String, &str> = own
            .into_iter()
            .chain(fields)
            .map(|(name, value)| {
                let name = name.to_uppercase().replace('-', "_");
                (format!("{OURS}{name}"), value)
            })
            .collect();
        let mut noted = self.0.iter().filter(|(name, _)| name.starts_with(OURS));
        let count = noted.clone().count();
        count == said.len()
            && noted.all(|(name, values)| match values.as_slice() {
                [Some(value)] => said.get(name).map(|said| said.as_bytes()) == Some(value),
                // journalctl leaves out what is long; the message has it.
                [None] => said.contains_key(name),
                _ => false,
            })
    }
}
