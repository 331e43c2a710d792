//! Logs as the login shell writes them, by the core's own writer.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use signstar_core::{Event, Field, Record, RequestId};

use crate::json;
use crate::place::Place;

/// The records of requests one after the other: intent and release of each, ten seconds apart, on a
/// card whose counter was at 1000.
pub(crate) struct Written {
    pub(crate) lines: Vec<String>,
}

impl Written {
    /// Of so many requests.
    pub(crate) fn new(requests: u64) -> Self {
        let lines = (0..requests).flat_map(|number| {
            let release = release(number);
            [intent(number).to_line(), release.to_line()]
        });
        Self {
            lines: lines.collect(),
        }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

pub(crate) fn time(number: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 10 * number)
}

pub(crate) fn id(number: u64) -> RequestId {
    RequestId::from_bytes((u128::from(number) << 32).to_be_bytes())
}

/// Who asked, and with which key.
pub(crate) fn subject(event: Event, number: u64) -> Record {
    let mut record = Record::new(event, id(number), time(number));
    let user = match number % 2 {
        0 => "signer",
        _ => "other",
    };
    for (field, value) in [
        (Field::User, user),
        (Field::Address, "192.0.2.7"),
        (
            Field::SshKey,
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        ),
        (Field::Key, "packages"),
        (
            Field::Fingerprint,
            "0123456789ABCDEF0123456789ABCDEF01234567",
        ),
        (
            Field::Certificate,
            "0123456789ABCDEF0123456789ABCDEF01234567",
        ),
        (Field::BackEnd, "smartcard"),
    ] {
        record.set(field, value);
    }
    record
}

fn approved(event: Event, number: u64) -> Record {
    let mut record = subject(event, number);
    record.set(Field::Input, format!("sha512:{number:0128x}"));
    record.set(Field::Bytes, 1000 + number);
    record.set(Field::Verdict, "approved");
    record
}

pub(crate) fn intent(number: u64) -> Record {
    approved(Event::Intent, number)
}

pub(crate) fn release(number: u64) -> Record {
    let mut record = approved(Event::Release, number);
    record.time = time(number) + Duration::from_millis(50);
    record.set(Field::Signature, format!("sha256:{number:064x}"));
    record.set(Field::Counter, 1001 + number);
    record
}

/// Kind and line of everything that is found in a log.
pub(crate) fn found(place: &Place, text: &str, status: i32, more: &[&str]) -> Vec<(String, u64)> {
    place.write("audit.log", text);
    let path = place.path("audit.log");
    let check = ["audit", "check", "--output", "json", path.to_str().unwrap()];
    let end = place.admin(&[&check[..], more].concat());
    listed(&json(&end.found(status)))
}

fn listed(report: &Value) -> Vec<(String, u64)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let found = findings.map(|finding| {
        let line = finding["place"]["number"].as_u64().unwrap_or(0);
        (finding["kind"].as_str().unwrap().to_owned(), line)
    });
    found.collect()
}
