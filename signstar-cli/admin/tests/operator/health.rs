//! `health`

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixDatagram;

use serde_json::Value;

use crate::json;
use crate::place::Place;
use crate::written::{Written, intent};

/// A place where all is well: records go to a file.
fn place() -> Place {
    let place = Place::new();
    place.equip();
    set_sink(
        &place,
        &format!(
            "sink = \"file\"\n[audit.file]\npath = {:?}",
            place.path("audit.log")
        ),
    );
    place.write("audit.log", &Written::new(2).text());
    set_log_mode(&place, 0o660);
    place
}

fn set_sink(place: &Place, lines: &str) {
    let text = fs::read_to_string(place.path("signstar.toml")).unwrap();
    let (before, after) = text.split_once("[user.signer]").unwrap();
    let start = before.split("[audit]").next().unwrap();
    place.write(
        "signstar.toml",
        &format!("{start}[audit]\n{lines}\n[user.signer]{after}"),
    );
}

fn set_log_mode(place: &Place, mode: u32) {
    let path = place.path("audit.log");
    if nix::unistd::geteuid().is_root() {
        chown(&path, None, Some(place.group())).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

/// State and text of a check, when the whole ends with `status`.
#[track_caller]
fn check(place: &Place, status: i32, name: &str, more: &[&str]) -> (String, String) {
    let health = ["health", "--output", "json"];
    let report = json(&place.admin(&[&health[..], more].concat()).found(status));
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == name);
    let check = check.unwrap_or_else(|| panic!("{report}"));
    let text = |name: &str| check[name].as_str().unwrap().to_owned();
    (text("state"), text("text"))
}

#[track_caller]
fn assert_check(place: &Place, status: i32, name: &str, words: &str) {
    let (state, text) = check(place, status, name, &[]);
    let expected = ["ok", "warning", "critical", "unknown"][usize::try_from(status).unwrap()];
    assert_eq!(state, expected, "{text}");
    assert!(text.contains(words), "{text}");
}

#[test]
fn says_in_one_line_that_all_is_well() {
    let place = place();
    let line = place.admin(&["health"]).done();
    assert!(line.starts_with("SIGNSTAR OK - 5 checks |"), "{line}");
    assert!(line.contains(" unmatched_intents=0"), "{line}");
    assert_eq!(line.lines().count(), 1);
    for name in ["sink", "certificate", "credential", "device", "log"] {
        assert_eq!(check(&place, 0, name, &[]).0, "ok");
    }
}

#[test]
fn what_is_wrong_stands_in_the_line_the_worst_first() {
    let place = place();
    fs::remove_file(place.path("packages.pgp")).unwrap();
    place.write("audit.log", &(intent(1).to_line() + "\n"));
    set_log_mode(&place, 0o660);
    let line = place.admin(&["health"]).found(2);
    assert_eq!(line.lines().count(), 1);
    let start = "SIGNSTAR CRITICAL - [key.packages] ";
    assert!(line.starts_with(start), "{line}");
    let warning = line.find("1 intent without an outcome").unwrap();
    assert!(warning > line.find("packages.pgp: no such file").unwrap());
    assert!(warning < line.find(" | ").unwrap(), "{line}");
}

#[test]
fn counts_the_days_of_a_certificate() {
    let place = place();
    let certify = |expires: &str| {
        place.certify(&["--force", "--expires", expires]);
    };
    place.certify(&["--force"]);
    assert_check(&place, 0, "certificate", "never expires");
    certify("31days");
    assert_check(&place, 0, "certificate", "expires in 30 days");
    certify("30days");
    assert_check(&place, 1, "certificate", "expires in 29 days");
    certify("8days");
    assert_check(&place, 1, "certificate", "expires in 7 days");
    certify("7days");
    assert_check(&place, 2, "certificate", "expires in 6 days");
    let days = ["--days-warning", "5", "--days-critical", "2"];
    assert_eq!(check(&place, 0, "certificate", &days).0, "ok");
    place
        .admin(&[
            "cert", "revoke", "--key", "packages", "--reason", "retired", "--yes",
        ])
        .done();
    assert_check(&place, 2, "certificate", "is revoked");
    // The device is there, but nothing is left to compare it with.
    assert_eq!(check(&place, 2, "device", &[]).0, "critical");
}

#[test]
fn notices_who_can_read_a_credential() {
    let place = place();
    let secret = place.path("packages.secret.pgp");
    let set = |mode| fs::set_permissions(&secret, Permissions::from_mode(mode)).unwrap();
    assert_check(&place, 0, "credential", "readable by who signs alone");
    set(0o400);
    assert_check(
        &place,
        2,
        "credential",
        "must be readable by the group of signer",
    );
    set(0o444);
    assert_check(&place, 2, "credential", "must not be readable by others");
    set(0o460);
    assert_check(
        &place,
        2,
        "credential",
        "must belong to root and be writable by root only",
    );
    set(0o440);
    // A member of the group who does not sign.
    let group = fs::read_to_string(place.path("group")).unwrap();
    let signers = format!("signers:x:{}:", place.group());
    place.write(
        "group",
        &group.replace(&signers, &format!("{signers}other")),
    );
    assert_check(&place, 1, "credential", "is readable by other too");
    place.write("group", &group);
    let passwd = fs::read_to_string(place.path("passwd")).unwrap();
    place.write(
        "passwd",
        &passwd.replace(":6005:", &format!(":{}:", place.group())),
    );
    assert_check(&place, 1, "credential", "is readable by other too");
    fs::remove_file(&secret).unwrap();
    assert_check(&place, 2, "credential", "no such file");
}

#[test]
fn notices_a_sink_that_does_not_take_records() {
    let place = place();
    assert_check(&place, 0, "sink", "takes records");
    set_log_mode(&place, 0o640);
    assert_check(&place, 2, "sink", "must be writable by the group of signer");
    fs::remove_file(place.path("audit.log")).unwrap();
    assert_check(&place, 2, "sink", "no such file");
    place.write("audit.log", &"x".repeat((16 << 20) - 1));
    set_log_mode(&place, 0o660);
    let file = format!(
        "sink = \"file\"\n[audit.file]\npath = {:?}\nbytes-max = {}",
        place.path("audit.log"),
        16 << 20
    );
    set_sink(&place, &file);
    assert_check(&place, 2, "sink", "rotate it");
    place.write("audit.log", &"\n".repeat((16 << 20) - 600_000));
    set_log_mode(&place, 0o660);
    assert_check(&place, 1, "sink", "nearly as large as it may get");

    let path = place.path("log.socket");
    let socket =
        format!("sink = \"syslog\"\ntimeout-milliseconds = 100\n[audit.syslog]\nsocket = {path:?}");
    set_sink(&place, &socket);
    assert_check(&place, 2, "sink", "no such file");
    let server = UnixDatagram::bind(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    assert_check(&place, 0, "sink", "takes records");
    let mut buffer = [0; 16];
    server.set_nonblocking(true).unwrap();
    assert!(server.recv(&mut buffer).is_err(), "nothing is written");
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect(&path).unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send(b"filler").is_ok() {}
    assert_check(&place, 2, "sink", "its queue is full");
    drop(server);
    assert_check(&place, 2, "sink", "refused");
    set_sink(&place, "sink = \"stderr\"");
    assert_check(&place, 1, "sink", "that is for trials");
}

#[test]
fn notices_a_device_that_holds_another_key_or_none() {
    let place = place();
    place
        .admin(&["key", "generate", "--key", "packages", "--force"])
        .done();
    assert_check(&place, 2, "device", "does not hold the key");
    place.write_for_signers("packages.secret.pgp", "no key");
    assert_check(&place, 2, "device", "is not a readable OpenPGP key");
    // One that is switched off is nobody's worry.
    let text = fs::read_to_string(place.path("signstar.toml")).unwrap();
    let disabled = text.replace("[key.packages]\n", "[key.packages]\ndisabled = true\n");
    place.write("signstar.toml", &disabled);
    assert_check(&place, 0, "device", "is disabled");
}

#[test]
fn counts_intents_without_an_outcome() {
    let place = place();
    let mut written = Written::new(10);
    written.lines.remove(5);
    place.write("audit.log", &written.text());
    set_log_mode(&place, 0o660);
    assert_check(&place, 1, "log", "1 intent without an outcome");
    // Those that somebody has looked at already.
    let since = ["--since", "2026-01-01T00:01:00Z"];
    assert_eq!(check(&place, 0, "log", &since).0, "ok");
    written.lines.push("nonsense".to_owned());
    place.write("audit.log", &written.text());
    set_log_mode(&place, 0o660);
    assert_check(&place, 1, "log", "and the records have 1 problem more");
    // Another log than the configured one.
    place.write("other.log", &Written::new(3).text());
    let other = place.path("other.log");
    let log = ["--log", other.to_str().unwrap()];
    assert_eq!(check(&place, 0, "log", &log).0, "ok");
    let (state, _) = check(&place, 3, "log", &["--log", "/no/such/log"]);
    assert_eq!(state, "unknown");
}

#[test]
fn a_configuration_that_cannot_be_read_is_unknown() {
    let place = place();
    place.write("signstar.toml", "version = 2\n");
    let line = place.admin(&["health"]).found(3);
    assert!(line.starts_with("SIGNSTAR UNKNOWN - "), "{line}");
    assert!(line.contains("line 1"), "{line}");
    // What a monitoring system sees must not be what was well before.
    let file = place.path("metrics.prom");
    let to_file = ["health", "--prometheus", file.to_str().unwrap()];
    place.admin(&to_file).found(3);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        value(&text, "signstar_health_state{check=\"configuration\"}"),
        Some(3)
    );
}

/// The value of a metric. Every line must be one of the form's.
fn value(text: &str, name: &str) -> Option<u64> {
    let mut announced = Vec::new();
    let mut found = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            assert!(!announced.contains(&name), "{name} is there twice");
            announced.push(name);
        } else if !line.starts_with("# HELP ") {
            let (series, number) = line.rsplit_once(' ').unwrap();
            let metric = series.split('{').next().unwrap();
            assert_eq!(announced.last(), Some(&metric), "{line}");
            let number = number.parse().unwrap();
            if series == name {
                assert_eq!(found, None, "{line}");
                found = Some(number);
            }
        }
    }
    assert!(text.ends_with('\n'));
    found
}

#[test]
fn writes_metrics_as_a_whole() {
    let place = place();
    place.certify(&["--force", "--expires", "100days"]);
    let text = place.admin(&["health", "--prometheus", "-"]).done();
    for check in ["certificate", "credential", "device"] {
        let name = format!("signstar_health_state{{check=\"{check}\",key=\"packages\"}}");
        assert_eq!(value(&text, &name), Some(0), "{text}");
    }
    assert_eq!(
        value(&text, "signstar_health_state{check=\"sink\"}"),
        Some(0)
    );
    assert_eq!(value(&text, "signstar_unmatched_intents"), Some(0));
    let days = value(&text, "signstar_certificate_days_left{key=\"packages\"}");
    assert_eq!(days, Some(99));
    let expires = "signstar_certificate_expiry_timestamp_seconds{key=\"packages\"}";
    let now = value(&text, "signstar_health_timestamp_seconds").unwrap();
    let left = value(&text, expires).unwrap() - now;
    assert!((99 * 86_400..=100 * 86_400).contains(&left), "{left}");

    let file = place.path("metrics.prom");
    let to_file = ["health", "--prometheus", file.to_str().unwrap()];
    place.write("metrics.prom", "what was there before");
    let line = place.admin(&to_file).done();
    assert!(line.starts_with("SIGNSTAR OK"), "{line}");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(value(&text, "signstar_unmatched_intents"), Some(0));
    assert_eq!(place.rights("metrics.prom").0, 0o644);
    assert!(!place.files().iter().any(|name| name.ends_with(".new")));
    let missing = place.path("missing/metrics.prom");
    let nowhere = ["health", "--prometheus", missing.to_str().unwrap()];
    place.admin(&nowhere).refused(73);
}

#[test]
fn every_measure_has_a_metric() {
    let place = place();
    place.certify(&["--force", "--expires", "100days"]);
    let report = json(&place.admin(&["health", "--output", "json"]).done());
    let text = place.admin(&["health", "--prometheus", "-"]).done();
    let checks = report["checks"].as_array().unwrap().iter();
    let known = ["check", "key", "state", "text"];
    let measures = checks.flat_map(|check| check.as_object().unwrap().iter());
    let measured: Vec<&Value> = measures
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .map(|(_, value)| value)
        .collect();
    // And the time, and the state of each check.
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(series, measured.len() + 1 + 5);
}
