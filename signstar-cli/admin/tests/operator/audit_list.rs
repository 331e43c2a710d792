//! `audit list`

use serde_json::Value;
use signstar_core::{Event, Field};

use crate::json;
use crate::place::Place;
use crate::written::{Written, id, subject};

fn place() -> (Place, String) {
    let place = Place::new();
    let mut written = Written::new(4);
    let mut refused = subject(Event::Refusal, 4);
    refused.set(Field::Verdict, "refused");
    refused.set(Field::Code, "input-empty");
    refused.set(Field::SshCertificate, "\u{1b}[31mred\nline");
    written.lines.push(refused.to_line());
    place.write("audit.log", &written.text());
    let path = place.path("audit.log").to_str().unwrap().to_owned();
    (place, path)
}

fn listed(place: &Place, log: &str, more: &[&str]) -> Vec<Value> {
    let list = ["audit", "list", "--output", "json", log];
    let report = json(&place.admin(&[&list[..], more].concat()).done());
    report["requests"].as_array().unwrap().clone()
}

#[test]
fn shows_one_line_for_each_request() {
    let (place, log) = place();
    let text = place.admin(&["audit", "list", &log]).done();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("TIME "), "{text}");
    for word in [
        "2026-01-01T00:00:10.000Z",
        "other",
        "packages",
        "release",
        "1001",
        "0000000000000000",
        "192.0.2.7",
        &id(1).to_string(),
    ] {
        let words: Vec<&str> = lines[2].split_whitespace().collect();
        assert!(words.contains(&word), "{word}: {text}");
    }
    assert!(lines[5].contains("refusal input-empty"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn has_every_field_as_json() {
    let (place, log) = place();
    let requests = listed(&place, &log, &[]);
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[1]["request"], id(1).to_string());
    let records = requests[1]["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["event"], "release");
    assert_eq!(records[1]["counter"], "1002");
    let hostile = &requests[4]["records"][0]["ssh-certificate"];
    assert_eq!(hostile, "\u{1b}[31mred\nline");
}

#[test]
fn shows_what_is_asked_for() {
    let (place, log) = place();
    let ids = |more: &[&str]| -> Vec<String> {
        let requests = listed(&place, &log, more);
        let ids = requests.iter().map(|request| request["request"].as_str());
        ids.map(|id| id.unwrap().to_owned()).collect()
    };
    let numbered = |numbers: &[u64]| -> Vec<String> {
        numbers
            .iter()
            .map(|number| id(*number).to_string())
            .collect()
    };
    assert_eq!(ids(&["--user", "signer"]), numbered(&[0, 2, 4]));
    assert_eq!(ids(&["--key", "images"]), numbered(&[]));
    let last = id(4).to_string();
    assert_eq!(ids(&["--id", &last]), numbered(&[4]));
    assert_eq!(ids(&["--id", &last, "--user", "other"]), numbered(&[]));
    assert_eq!(ids(&["--id", &"ff".repeat(16)]), numbered(&[]));
    let third = format!("sha512:{:0128x}", 3);
    assert_eq!(ids(&["--input", &third]), numbered(&[3]));
    let span = [
        "--since",
        "2026-01-01T00:00:10Z",
        "--until",
        "2026-01-01T00:00:30Z",
    ];
    assert_eq!(ids(&span), numbered(&[1, 2]));
    let key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    assert_eq!(ids(&["--ssh-key", key]).len(), 5);
    assert_eq!(ids(&["--ssh-key", "SHA256:47DEQ"]), numbered(&[]));
}

#[test]
fn says_that_lines_are_no_records() {
    let (place, log) = place();
    let text = std::fs::read_to_string(&log).unwrap();
    place.write("audit.log", &(text + "signstar-audit v=1 nonsense\n"));
    let end = place.admin(&["audit", "list", &log]);
    assert_eq!(end.status, 0);
    assert!(
        end.stderr.contains("1 line is no record:"),
        "{}",
        end.stderr
    );
}
