//! `audit check` and `audit list` over the journal, as journalctl writes it.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use signstar_core::{Field, Record};

use crate::place::Place;
use crate::written::{intent, release, time};

/// An entry of the journal: names and values.
#[derive(Clone)]
struct Entry(Vec<(String, Vec<u8>)>);

impl Entry {
    /// What journald stores of a record that it gets at once.
    fn of(record: &Record) -> Self {
        let since = record.time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let up = record.time.duration_since(time(0)).unwrap() + Duration::from_secs(100);
        let mut entry = Self(Vec::new());
        entry.set("__CURSOR", "s=0;i=1");
        entry.set("__REALTIME_TIMESTAMP", since.as_micros());
        entry.set("__MONOTONIC_TIMESTAMP", up.as_micros());
        entry.set("_BOOT_ID", "0123456789abcdef0123456789abcdef");
        entry.set("SYSLOG_IDENTIFIER", "signstar");
        entry.set("MESSAGE", record.to_line());
        entry.set("SIGNSTAR_EVENT", record.event.name());
        entry.set("SIGNSTAR_ID", record.id);
        for (field, value) in record.fields() {
            let name = field.name().to_uppercase().replace('-', "_");
            entry.set(&format!("SIGNSTAR_{name}"), value);
        }
        entry
    }

    fn set(&mut self, name: &str, value: impl ToString) {
        self.0.retain(|(other, _)| other != name);
        self.0.push((name.to_owned(), value.to_string().into()));
    }

    /// As if the clock beside the time had not seen so much of it.
    fn slow(mut self, by: Duration) -> Self {
        let name = "__MONOTONIC_TIMESTAMP";
        let at = self.0.iter().position(|(other, _)| other == name).unwrap();
        let micros: u128 = String::from_utf8_lossy(&self.0[at].1).parse().unwrap();
        self.set(name, micros - by.as_micros());
        self
    }

    /// One that another program has written.
    fn other() -> Self {
        let mut entry = Self(Vec::new());
        entry.set("__CURSOR", "s=0;i=2");
        entry.set("SYSLOG_IDENTIFIER", "sshd");
        entry.set("MESSAGE", "Accepted\npublickey");
        entry
    }
}

/// systemd.io/JOURNAL_EXPORT_FORMATS
fn export(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Entry(fields) in entries {
        for (name, value) in fields {
            bytes.extend(name.as_bytes());
            match value.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                true => bytes.push(b'='),
                false => {
                    bytes.push(b'\n');
                    bytes.extend(u64::try_from(value.len()).unwrap().to_le_bytes());
                }
            }
            bytes.extend(value);
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
    }
    bytes
}

fn json(entries: &[Entry]) -> Vec<u8> {
    let mut text = String::new();
    for Entry(fields) in entries {
        let mut object = Map::new();
        for (name, value) in fields {
            let plain = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
            let value = match plain {
                true => String::from_utf8_lossy(value).into(),
                false => value.clone().into(),
            };
            // Several values of one field are an array.
            let value = match object.remove(name) {
                Some(other) => Value::Array(vec![other, value]),
                None => value,
            };
            object.insert(name.clone(), value);
        }
        text += &(Value::from(object).to_string() + "\n");
    }
    text.into_bytes()
}

/// Records of some requests, whose caller has written what he likes into his certificate.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in 0..10 {
        for mut record in [intent(number), release(number)] {
            record.set(Field::SshCertificate, "x\nSIGNSTAR_USER=root\n\u{1b}");
            entries.push(Entry::of(&record));
            entries.push(Entry::other());
        }
    }
    entries
}

/// Kind of everything that is found, the same in both forms.
fn found(entries: &[Entry]) -> Vec<String> {
    let place = Place::new();
    let found = [export(entries), json(entries)].map(|log| {
        let path = place.path("journal");
        std::fs::write(&path, log).unwrap();
        let check = ["audit", "check", "--output", "json", path.to_str().unwrap()];
        let end = place.admin(&check);
        assert!([0, 65].contains(&end.status), "{end:?}");
        let report = crate::json(&end.stdout);
        assert!(report["records"].as_u64().unwrap() >= 19, "{report}");
        let findings = report["findings"].as_array().unwrap().iter();
        let kinds = findings.map(|finding| finding["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    });
    assert_eq!(found[0], found[1]);
    found[0].clone()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(&entries()), [""; 0]);
}

#[test]
fn fields_that_say_something_else_than_the_message_are_found() {
    for change in [
        |entry: &mut Entry| entry.set("SIGNSTAR_USER", "root"),
        |entry: &mut Entry| entry.set("SIGNSTAR_DETAIL", "added"),
        |entry: &mut Entry| entry.0.retain(|(name, _)| name != "SIGNSTAR_KEY"),
        |entry: &mut Entry| {
            entry
                .0
                .push(("SIGNSTAR_USER".to_owned(), b"signer".to_vec()))
        },
        |entry: &mut Entry| entry.set("MESSAGE", "nothing"),
        |entry: &mut Entry| entry.set("SYSLOG_IDENTIFIER", "logger"),
    ] {
        let mut changed = entries();
        change(&mut changed[8]);
        assert_eq!(found(&changed), ["damaged", "outcome-without-intent"]);
    }
}

#[test]
fn a_clock_that_was_set_forward_is_found_by_the_other_one() {
    let hour = Duration::from_secs(3600);
    let mut changed = entries();
    for entry in changed.iter_mut().skip(20).step_by(2) {
        // The time has gone on by an hour, of which the machine has run nothing.
        let record = String::from_utf8(
            entry
                .0
                .iter()
                .find(|(name, _)| name == "MESSAGE")
                .unwrap()
                .1
                .clone(),
        );
        let mut record = Record::from_line(&record.unwrap()).unwrap();
        record.time += hour;
        *entry = Entry::of(&record).slow(hour);
    }
    assert_eq!(found(&changed), ["clock-forwards"]);
    // A machine that was started in between is no step.
    for entry in changed.iter_mut().skip(20).step_by(2) {
        entry.set("_BOOT_ID", "another");
    }
    assert_eq!(found(&changed), [""; 0]);
}

#[test]
fn a_record_that_came_long_after_its_time_is_found() {
    let mut changed = entries();
    let late = time(2) + Duration::from_secs(3600);
    let late = late.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    changed[8].set("__REALTIME_TIMESTAMP", late.as_micros());
    assert_eq!(found(&changed), ["received"]);
}

#[test]
fn a_log_that_was_cut_off_is_found() {
    let place = Place::new();
    let path = place.path("journal");
    for log in [export(&entries()), json(&entries())] {
        // In the last record of the last request.
        let cut = log.len() - 200;
        std::fs::write(&path, &log[..cut]).unwrap();
        let end = place.admin(&["audit", "check", path.to_str().unwrap()]);
        let text = end.found(65);
        assert!(text.contains("the end of the line is missing"), "{text}");
        assert!(text.contains("an intent without an outcome"), "{text}");
    }
    // What journalctl leaves out unless it is told not to.
    let mut text = String::from_utf8(json(&entries()[..1])).unwrap();
    let start = text.find("\"signstar-audit").unwrap();
    let end = start + 1 + text[start + 1..].find('"').unwrap() + 1;
    text.replace_range(start..end, "null");
    std::fs::write(&path, text).unwrap();
    let text = place
        .admin(&["audit", "check", path.to_str().unwrap()])
        .found(65);
    assert!(text.contains("give it --all"), "{text}");
}

#[test]
fn lists_what_the_journal_has() {
    let place = Place::new();
    let path = place.path("journal");
    for log in [export(&entries()), json(&entries())] {
        std::fs::write(&path, log).unwrap();
        let list = ["audit", "list", "--user", "other", path.to_str().unwrap()];
        let text = place.admin(&list).done();
        assert_eq!(text.lines().count(), 6, "{text}");
    }
}
