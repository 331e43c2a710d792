//! `try`: through the release of the login shell, with its sandbox and its records.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use serde_json::Value;
use signstar_core::{Event, Field, Record};

use crate::machine::{Machine, OTHER, give};

const TOML: &str = "etc/signstar/signstar.toml";

/// What the account has signed in these tests, which is no package.
fn artifact(machine: &Machine) -> String {
    machine.change(TOML, "input = \"pacman-package\"", "input = \"any\"");
    machine.write("var/log/artifact", &"artifact".repeat(50_000));
    "/var/log/artifact".to_owned()
}

/// The rehearsal says that the account signs.
#[track_caller]
fn signs(machine: &Machine, arguments: &[&str]) -> Value {
    let (status, tried) = machine.json(arguments);
    assert_eq!(
        (status, &tried["signed"]),
        (0, &true.into()),
        "{tried:#} {}",
        machine.read("var/log/audit.log")
    );
    tried
}

fn records(machine: &Machine) -> Vec<Record> {
    let text = machine.read("var/log/audit.log");
    text.lines()
        .map(|line| Record::from_line(line).unwrap())
        .collect()
}

#[test]
fn a_rehearsal_signs_verifies_and_says_so_in_its_records() {
    let machine = Machine::equipped();
    let file = artifact(&machine);
    let tried = signs(&machine, &["try", "signer", &file]);
    let records = records(&machine);
    let events: Vec<Event> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    for record in &records {
        for (field, value) in [
            (Field::User, "signer"),
            (Field::Address, "127.0.0.1"),
            (Field::SshCertificate, "signstar-admin try: a rehearsal"),
            (Field::Bytes, "400000"),
        ] {
            assert_eq!(record.get(field), Some(value), "{field:?}");
        }
        assert_eq!(record.get(Field::SshKey), record.get(Field::SshAuthority));
        assert_eq!(
            record.get(Field::Fingerprint),
            tried["fingerprint"].as_str()
        );
    }
    // Nothing is left behind.
    assert_eq!(fs::read_dir(machine.path("tmp")).unwrap().count(), 0);
    let text = machine.done(&["try", "signer", &file]);
    assert!(text.contains("the signature is gone"), "{text}");
}

#[test]
fn a_signature_is_kept_only_where_that_is_asked_for() {
    let machine = Machine::equipped();
    let file = artifact(&machine);
    machine.done(&["try", "signer", &file, "--keep", "/var/log/artifact.sig"]);
    let signature = fs::metadata(machine.path("var/log/artifact.sig")).unwrap();
    assert_eq!((signature.uid(), signature.mode() & 0o777), (0, 0o644));
    // Another program judges.
    let verified = Command::new("sqop")
        .arg("verify")
        .arg(machine.path("var/log/artifact.sig"))
        .arg(machine.path("etc/signstar/packages.pgp"))
        .stdin(File::open(machine.path("var/log/artifact")).unwrap())
        .output()
        .expect("sqop is needed for this test");
    assert!(verified.status.success(), "{verified:?}");
    // What is there stays.
    let output = machine.admin(&["try", "signer", &file, "--keep", "/var/log/artifact.sig"]);
    assert_eq!(output.status.code(), Some(73), "{output:?}");
}

#[test]
fn what_a_key_requires_to_be_declared_is_declared_when_asked() {
    let machine = Machine::equipped();
    let file = artifact(&machine);
    machine.change(
        TOML,
        "[key.packages]\n",
        "[key.packages]\nrequire-declared = true\n",
    );
    let (status, tried) = machine.json(&["try", "signer", &file]);
    assert_eq!((status, &tried["signed"]), (69, &false.into()));
    assert_eq!(tried["status"], 77, "{tried:#}");
    let said = tried["said"].as_str().unwrap();
    assert!(said.contains("sign v1"), "{said}");
    signs(&machine, &["try", "signer", &file, "--declare"]);
}

#[test]
fn what_keeps_the_account_from_signing_shows() {
    let machine = Machine::equipped();
    let file = artifact(&machine);
    // Root could read it; the account cannot.
    give(
        &machine.path("etc/signstar/packages.secret.pgp"),
        0,
        OTHER,
        0o440,
    );
    let (status, tried) = machine.json(&["try", "signer", &file]);
    assert_eq!((status, &tried["signed"]), (69, &false.into()), "{tried:#}");
    assert_eq!(records(&machine)[0].event, Event::Refusal);
    // The account's further groups count, as under sshd.
    let group = format!("other:x:{OTHER}:");
    machine.change("etc/group", &group, &format!("{group}signer"));
    signs(&machine, &["try", "signer", &file]);
}

#[test]
fn only_root_and_only_for_accounts_of_the_configuration() {
    let machine = Machine::equipped();
    let file = artifact(&machine);
    let output = machine.admin(&["try", "other", &file]);
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(machine.read("var/log/audit.log").is_empty());
    // Whoever is not root cannot become anybody.
    let output = machine.command_as(OTHER, &["try", "signer", &file]);
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    let output = machine.command_as(OTHER, &["become", "signer"]);
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    assert!(machine.read("var/log/audit.log").is_empty());
}
