//! What is the same and what is not: the values of the simulator that stand for recorded ones, and
//! the comparison of answers.

mod bodies;
mod raw;
mod sent;
mod signatures;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::Received;
use crate::octets;

/// Headers that are compared; the others are of the connection and of the time.
const COMPARED: [&str; 8] = [
    "content-type",
    "vary",
    "cache-control",
    "www-authenticate",
    "allow",
    "location",
    "etag",
    "transfer-encoding",
];
/// The first exchange after the recorded keys and users came back with a restored backup.
const RESTORED: u64 = 494;

/// What was learned from the simulator's answers.
#[derive(Default)]
pub(crate) struct Judge {
    /// Recorded identifiers, tags and ciphertexts, and the simulator's.
    names: Vec<(String, String)>,
    /// Public keys by name, PEM.
    public: BTreeMap<String, String>,
    backup: Option<(Vec<u8>, Vec<u8>)>,
    /// Signatures by keys that nobody asked for yet: the exchange, and the signature.
    unverified: Vec<(Value, Vec<u8>)>,
}

impl Judge {
    /// `text` with the simulator's values in place of recorded ones.
    pub(crate) fn ours(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (recorded, ours) in &self.names {
            text = text.replace(recorded, ours);
        }
        text
    }

    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        match name {
            "If-None-Match" => self.ours(value),
            _ => value.to_owned(),
        }
    }

    /// What differs.
    pub(crate) fn compare(&mut self, exchange: &Value, received: &Received) -> Vec<String> {
        let response = &exchange["response"];
        let mut problems = Vec::new();
        let status = response["status"].as_u64().unwrap();
        if u64::from(received.status) != status {
            let body = received.text();
            problems.push(format!(
                "status {} instead of {status} {body}",
                received.status
            ));
            return problems;
        }
        let seq = exchange["seq"].as_u64().unwrap();
        if seq == RESTORED {
            self.names.clear();
            self.public.clear();
        }
        let body = octets(&response["body"]).unwrap_or_default();
        self.learn(exchange, &body, received);
        self.compare_headers(response, received, &mut problems);
        if let Err(problem) = self.compare_bodies(exchange, &body, received) {
            problems.push(format!("body: {problem}"));
        }
        problems
    }

    fn learn(&mut self, exchange: &Value, recorded: &[u8], received: &Received) {
        let response = &exchange["response"];
        let path = exchange["request"]["path"].as_str().unwrap();
        let json = |octets: &[u8]| serde_json::from_slice::<Value>(octets).unwrap_or(Value::Null);
        let (recorded_json, ours) = (json(recorded), json(&received.body));
        // Identifiers that the device chose, and what it encrypted with a key of its own making.
        let own = key_of(path).is_some_and(|key| key.starts_with("gen-"));
        for field in ["id", "encrypted"] {
            let is_random = |text: &str| match field {
                "id" => is_chosen(text),
                _ => own,
            };
            if let (Some(recorded), Some(ours)) =
                (recorded_json[field].as_str(), ours[field].as_str())
                && recorded.len() == ours.len()
                && is_random(recorded)
                && is_random(ours)
            {
                self.names.push((recorded.to_owned(), ours.to_owned()));
            }
        }
        let etag = recorded_headers(response)
            .into_iter()
            .find(|(name, _)| name == "etag");
        if let (Some((_, recorded)), Some(ours)) = (etag, received.header("etag")) {
            let bare = |tag: &str| tag.trim_matches('"').to_owned();
            let (recorded, ours) = (bare(&recorded), bare(ours));
            // Those of what is stored are hashes of ciphertexts, the others of what is shown.
            if recorded.len() == 128 && ours.len() == 128 {
                self.names.push((recorded, ours));
            }
        }
        if path.ends_with("/system/backup") && received.status == 200 {
            self.backup = Some((recorded.to_vec(), received.body.clone()));
        }
        if let (Some(key), true) = (
            key_of(path),
            path.ends_with("/public.pem") && received.status == 200,
        ) {
            self.public.insert(key.to_owned(), received.text());
        }
    }

    fn compare_headers(&self, response: &Value, received: &Received, problems: &mut Vec<String>) {
        let recorded = recorded_headers(response);
        for name in COMPARED {
            let wanted = recorded.iter().find(|(header, _)| header == name);
            let wanted = wanted.map(|(_, value)| self.ours(value));
            let got = received.header(name).map(str::to_owned);
            if wanted != got {
                problems.push(format!("header {name}: {got:?} instead of {wanted:?}"));
            }
        }
        // What has another ETag on the device has another one here.
        let got = received.header("etag").unwrap_or_default();
        let got = got.trim_matches('"');
        let mut meanings = self.names.iter().filter(|(_, ours)| ours == got);
        if let Some((first, _)) = meanings.next()
            && meanings.any(|(other, _)| other != first)
        {
            problems.push("header etag: it has not changed".to_owned());
        }
    }
}

/// Whether an identifier is one that the device chose: 20 hexadecimal digits, in a namespace or not.
fn is_chosen(id: &str) -> bool {
    let id = id.split_once('~').map_or(id, |(_, id)| id);
    id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The key that a path is about.
fn key_of(path: &str) -> Option<&str> {
    path.strip_prefix("/api/v1/keys/")?.split('/').next()
}

fn recorded_headers(response: &Value) -> Vec<(String, String)> {
    let headers = response["headers"].as_array().unwrap().iter();
    headers
        .map(|header| {
            let name = header[0].as_str().unwrap().to_lowercase();
            (name, header[1].as_str().unwrap().to_owned())
        })
        .collect()
}
