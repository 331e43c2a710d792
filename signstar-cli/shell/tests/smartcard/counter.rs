//! What `signstar-admin` finds by the card's counter: signatures that were made past the enclave, and
//! another card. And what it says of a card's health, without touching its PIN.

use std::process::Command;

use serde_json::Value;
use signstar_core::{Digest, HashAlgorithm, Hasher, KeyKind, Refusal};
use signstar_smartcard::provision::Touch;
use signstar_virtual_card::{VirtualCard, USER_PIN};
use zeroize::Zeroizing;

use crate::machine::{location, Machine, SERIAL};
use crate::scene::{assert_refused, assert_signed, INPUT};
use crate::support::built::{admin, Build};
use crate::support::{Configuration, SigningKey};

fn machine() -> Machine {
    Machine::new(SigningKey::new(KeyKind::Ed25519), &Configuration::new())
}

/// What the operators' tool says in JSON, inside.
fn said(machine: &Machine, status: i32, arguments: &[&str]) -> Value {
    let mut command = Command::new(admin(Build::Devices));
    command.args(arguments).args(["--output", "json"]);
    let outcome = machine.world.run(&mut command);
    assert_eq!(outcome.code(), status, "{outcome:?}");
    serde_json::from_slice(&outcome.stdout).unwrap()
}

/// The kinds of what `audit check` finds.
pub(crate) fn found(machine: &Machine, status: i32, more: &[&str]) -> (Vec<String>, Value) {
    let check = ["audit", "check", "--running", "0s"];
    let report = said(machine, status, &[&check[..], more].concat());
    let findings = report["findings"].as_array().unwrap().iter();
    let kinds = findings.map(|finding| finding["kind"].as_str().unwrap().to_owned());
    (kinds.collect(), report)
}

/// A signature that the card makes for somebody who has the PIN, past the enclave.
fn sign_outside(machine: &Machine) {
    let digest: Digest = Hasher::new(HashAlgorithm::Sha512, u64::MAX).finish();
    machine.world.within(|| {
        let pin = Zeroizing::new(USER_PIN.as_bytes().to_vec());
        let mut opened = signstar_smartcard::open(&location(), pin).unwrap();
        opened.signer.sign(&digest).unwrap();
    });
}

#[test]
fn a_signature_that_was_made_past_the_enclave_is_found() {
    let machine = machine();
    for _ in 0..3 {
        assert_signed(&machine.world.shell().run(INPUT));
    }
    let (kinds, report) = found(&machine, 0, &["--device"]);
    assert_eq!(kinds, [""; 0]);
    assert_eq!(report["devices"][0]["device"], 3);
    assert_eq!(report["devices"][0]["recorded"], 3);

    sign_outside(&machine);
    // The records alone do not show it yet.
    assert_eq!(found(&machine, 0, &[]).0, [""; 0]);
    let (kinds, report) = found(&machine, 65, &["--device"]);
    assert_eq!(kinds, ["device-ahead"]);
    let text = report["findings"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("has made 4 signatures") && text.contains(": 1 are not"),
        "{text}"
    );

    // The next signature shows it in the records, and the card has nothing to add.
    assert_signed(&machine.world.shell().run(INPUT));
    let (kinds, report) = found(&machine, 65, &["--device"]);
    assert_eq!(kinds, ["counter-gap"]);
    assert_eq!(report["counters"][0]["unrecorded"], 1);
}

#[test]
fn a_whole_request_that_was_removed_from_the_records_is_found() {
    let machine = machine();
    for _ in 0..3 {
        assert_signed(&machine.world.shell().run(INPUT));
    }
    let lines = machine.world.audit_lines();
    let write = |lines: &[&str]| {
        let text = lines.join("\n") + "\n";
        std::fs::write(machine.world.path("/run/signstar/audit.log"), text).unwrap();
    };
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    write(&[&lines[..2], &lines[4..]].concat());
    assert_eq!(found(&machine, 65, &[]).0, ["counter-gap"]);
    // The last one only the card knows of.
    write(&lines[..4]);
    assert_eq!(found(&machine, 0, &[]).0, [""; 0]);
    assert_eq!(found(&machine, 65, &["--device"]).0, ["device-ahead"]);
}

#[test]
fn a_signature_that_was_not_released_is_accounted_for_by_its_intent() {
    let machine = machine();
    assert_signed(&machine.world.shell().run(INPUT));
    assert_signed(&machine.world.shell().run(INPUT));
    let lines = machine.world.audit_lines();
    // As a process leaves it that was ended between device and release.
    let text = lines[..3].join("\n") + "\n";
    std::fs::write(machine.world.path("/run/signstar/audit.log"), text).unwrap();
    let (kinds, report) = found(&machine, 65, &["--device"]);
    assert_eq!(kinds, ["intent-without-outcome"]);
    assert_eq!(report["counters"][0]["pending"], 1);
    assert_signed(&machine.world.shell().run(INPUT));
    let (kinds, report) = found(&machine, 65, &["--device"]);
    assert_eq!(kinds, ["intent-without-outcome"]);
    assert_eq!(report["counters"][0]["accounted"], 1);
}

#[test]
fn another_card_with_the_same_key_is_found() {
    let mut machine = machine();
    for _ in 0..2 {
        assert_signed(&machine.world.shell().run(INPUT));
    }
    drop(machine.take());
    machine.insert(VirtualCard::new(
        SERIAL,
        signstar_virtual_card::Touch::Given,
    ));
    machine.import(Touch::NotNeeded);
    assert_eq!(found(&machine, 65, &["--device"]).0, ["device-behind"]);
    assert_signed(&machine.world.shell().run(INPUT));
    assert_eq!(found(&machine, 65, &["--device"]).0, ["counter-back"]);
    machine.card = None;
    let (kinds, _) = found(&machine, 65, &["--device"]);
    assert_eq!(kinds, ["counter-back", "device"]);
    machine.world.forget();
    assert_eq!(found(&machine, 69, &["--device"]).0, ["device"]);
}

#[test]
fn health_knows_the_card_and_does_not_touch_its_pin() {
    let mut machine = machine();
    assert_signed(&machine.world.shell().run(INPUT));
    let device = |report: Value| {
        let checks = report["checks"].as_array().unwrap().clone();
        let mut of_device = checks
            .into_iter()
            .filter(|check| check["check"] == "device");
        of_device.next().unwrap()
    };
    let check = device(said(&machine, 0, &["health"]));
    assert_eq!(
        (&check["state"], &check["key"]),
        (&"ok".into(), &"packages".into())
    );
    assert_eq!(
        (&check["pin_tries"], &check["signatures"]),
        (&3.into(), &1.into())
    );
    let text = check["text"].as_str().unwrap();
    assert!(text.contains(&machine.world.key.fingerprint), "{text}");

    for (tries, status, state) in [(2, 1, "warning"), (1, 2, "critical")] {
        machine.set_pin("654321");
        assert_refused(&machine.world.shell().run(INPUT), Refusal::Credential);
        machine.set_pin(USER_PIN);
        for _ in 0..3 {
            let check = device(said(&machine, status, &["health"]));
            assert_eq!(
                (&check["state"], &check["pin_tries"]),
                (&state.into(), &tries.into())
            );
        }
        assert_eq!(machine.status().tries, tries);
    }
    machine.card = None;
    let check = device(said(&machine, 2, &["health"]));
    assert_eq!(check["state"], "critical");
    assert_eq!(check.get("pin_tries"), None);
}

#[test]
fn health_says_that_a_card_holds_another_key_than_the_certificate() {
    let machine = machine();
    let other = SigningKey::new(KeyKind::Ed25519);
    machine.world.write(
        "/etc/signstar/packages.pgp",
        &other.certificate,
        (0, 0),
        0o644,
    );
    let report = said(&machine, 2, &["health"]);
    let text = report.to_string();
    assert!(text.contains("is not the certificate's key"), "{text}");
}
