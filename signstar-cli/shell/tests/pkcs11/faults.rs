//! What a caller and the records see when token, PIN or module fail: the right exit status, nothing
//! on standard output, one record, and the PIN nowhere.

use std::fs;

use signstar_core::{Event, Field, Refusal};
use signstar_testkit::hostile::module;
use signstar_testkit::token::{MlDsa, Software, Token, ED25519_HALF, KEY, PIN};

use crate::scene::{
    certificate, composite_world, install, table_with, world, world_with, PIN_FILE, TOKENS,
};
use crate::support::world::{give, SIGNERS};
use crate::support::{Configuration, Outcome, World};

const INPUT: &[u8] = b"ARTIFACT\n";

/// The request was refused so, before or after the intent was recorded.
#[track_caller]
fn refused(what: &str, world: &World, outcome: &Outcome, refusal: Refusal, before: &[Event]) {
    assert_eq!(outcome.stdout, b"", "{what}");
    let expected = i32::from(refusal.exit_status());
    assert_eq!(outcome.code(), expected, "{what}: {}", outcome.stderr);
    assert!(
        outcome.stderr.contains(refusal.code()),
        "{what}: {}",
        outcome.stderr
    );
    let records = world.audit();
    let events: Vec<Event> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [before, &[Event::Refusal]].concat(), "{what}");
    assert_eq!(
        records.last().unwrap().get(Field::Code),
        Some(refusal.code()),
        "{what}"
    );
    for line in world.audit_lines() {
        assert!(!line.contains(PIN), "{what}: {line}");
    }
    assert!(!outcome.stderr.contains(PIN), "{what}");
    world.forget();
}

#[test]
fn a_wrong_or_unreadable_pin_is_the_operators_to_mend() {
    let world = world(Software::SoftHsm, "ed25519");
    world.write(PIN_FILE, "4711-wrong", (0, SIGNERS), 0o440);
    let outcome = world.shell().run(INPUT);
    refused(
        "wrong",
        &world,
        &outcome,
        Refusal::Credential,
        &[Event::Intent],
    );
    world.write(PIN_FILE, PIN, (0, SIGNERS), 0o444);
    let outcome = world.shell().run(INPUT);
    refused("exposed", &world, &outcome, Refusal::Credential, &[]);
    world.write(PIN_FILE, "", (0, SIGNERS), 0o440);
    let outcome = world.shell().run(INPUT);
    refused("empty", &world, &outcome, Refusal::Credential, &[]);
    world.write(PIN_FILE, "1".repeat(257), (0, SIGNERS), 0o440);
    let outcome = world.shell().run(INPUT);
    refused("long", &world, &outcome, Refusal::Credential, &[]);
    world.write(PIN_FILE, format!("{PIN}\n"), (0, SIGNERS), 0o440);
    assert_eq!(world.shell().run(INPUT).code(), 0);
}

#[test]
fn another_key_than_the_certificates_is_refused_before_anything_is_read() {
    let world = world(Software::SoftHsm, "ed25519");
    for kind in ["ed25519", "p256"] {
        fs::remove_dir_all(world.path(TOKENS)).unwrap();
        install(&world, &Token::with(Software::SoftHsm, kind));
        let outcome = world.shell().run(INPUT);
        refused(kind, &world, &outcome, Refusal::Certificate, &[]);
    }
}

/// Another pair of halves, a half alone, and halves under each other's names.
#[test]
fn a_composite_key_is_refused_before_anything_is_read_unless_both_halves_are_the_certificates() {
    let world = composite_world();
    let outcome = world.shell().run(INPUT);
    assert_eq!(outcome.code(), 0, "the control: {}", outcome.stderr);
    world.forget();
    let alone = Token::empty(Software::Kryoptic);
    alone.add_ml_dsa(MlDsa::MlDsa65, &KEY);
    let exchanged = Token::empty(Software::Kryoptic);
    exchanged.add("ed25519", &KEY);
    exchanged.add_ml_dsa(MlDsa::MlDsa65, &ED25519_HALF);
    for (what, token, refusal) in [
        ("others", Token::composite(), Refusal::Certificate),
        ("alone", alone, Refusal::DeviceFailed),
        ("exchanged", exchanged, Refusal::DeviceFailed),
    ] {
        fs::remove_dir_all(world.path(TOKENS)).unwrap();
        install(&world, &token);
        let outcome = world.shell().run(INPUT);
        refused(what, &world, &outcome, refusal, &[]);
    }
}

#[test]
fn a_worker_that_cannot_be_started_is_unavailable() {
    let world = world(Software::SoftHsm, "ed25519");
    let worker = world.path("/usr/lib/signstar/signstar-pkcs11-worker");
    give(&worker, (0, 0), 0o644);
    let outcome = world.shell().run(INPUT);
    refused(
        "not executable",
        &world,
        &outcome,
        Refusal::DeviceUnavailable,
        &[],
    );
}

#[test]
fn a_token_that_goes_during_the_upload_is_unavailable_or_fails() {
    let world = world(Software::SoftHsm, "ed25519");
    let mut running = world.shell().start();
    crate::support::until("the enclave waits for its input", || waits(running.id()));
    fs::remove_dir_all(world.path(TOKENS)).unwrap();
    running.send(INPUT);
    let outcome = running.outcome();
    assert_eq!(outcome.stdout, b"");
    assert!([69, 70].contains(&outcome.code()), "{outcome:?}");
}

/// Whether the process waits in poll(2), confined.
pub(crate) fn waits(process: u32) -> bool {
    let read =
        |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
    read("status").contains("Seccomp:\t2") && read("syscall").starts_with("7 ")
}

/// A machine with a module that has attacks in it, and its configuration for each of them.
pub(crate) fn hostile_world() -> (World, impl Fn(&str) -> Configuration) {
    let token = Token::with(Software::SoftHsm, "p256");
    let key = certificate(&token);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::os::unix::fs::chown(folder.path(), Some(0), Some(0)).unwrap();
    give(folder.path(), (0, 0), 0o755);
    let module = module(folder.path());
    give(&module, (0, 0), 0o755);
    let configuration = move |attack: &str| {
        // The module goes with what knows its name.
        let module = folder.path().join(module.file_name().unwrap());
        let table = table_with(&module, Software::SoftHsm.variable());
        let table = table.replace(
            "environment = { ",
            &format!("environment = {{ ATTACK = \"{attack}\", "),
        );
        let configuration = Configuration::new().back_end("pkcs11", &table);
        configuration.key("device-seconds = 2")
    };
    let world = World::with(&configuration("none"), key);
    install(&world, &token);
    (world, configuration)
}

#[test]
fn a_hostile_module_gets_no_signature_out_and_the_shell_says_why() {
    let (world, configuration) = hostile_world();
    assert_eq!(world.shell().run(INPUT).code(), 0, "the control");
    world.forget();
    for (attack, refusal, before) in [
        ("hang-at-initialize", Refusal::DeviceUnavailable, &[][..]),
        ("crash-at-initialize", Refusal::DeviceUnavailable, &[]),
        ("exit-at-initialize", Refusal::DeviceUnavailable, &[]),
        ("babble-at-initialize", Refusal::DeviceFailed, &[]),
        ("hang-at-sign", Refusal::DeviceUnavailable, &[Event::Intent]),
        (
            "crash-at-sign",
            Refusal::DeviceUnavailable,
            &[Event::Intent],
        ),
        ("babble-at-sign", Refusal::DeviceFailed, &[Event::Intent]),
        ("short-at-sign", Refusal::DeviceFailed, &[Event::Intent]),
        ("wrong-at-sign", Refusal::SelfCheck, &[Event::Intent]),
    ] {
        world.configure(&configuration(attack));
        let outcome = world.shell().run(INPUT);
        refused(attack, &world, &outcome, refusal, before);
        crate::support::traces::until_no_process(&world, "signstar-pkcs11");
    }
}

/// The PIN is in no argument, variable or record while the worker waits with the shell.
#[test]
fn the_pin_is_in_no_argument_and_no_environment() {
    let world = world_with(Software::SoftHsm, "ed25519", Configuration::new());
    let running = world.shell().start();
    crate::support::until("the enclave waits for its input", || waits(running.id()));
    let mut looked_at = 0;
    for name in ["signstar", "signstar-pkcs11"] {
        let number = crate::support::traces::until_process(&world, name);
        for file in ["cmdline", "environ"] {
            let path = world.any_path(&format!("/proc/{number}/{file}"));
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(PIN), "{name} {file}");
            // The configuration's variable is found where it belongs: the search works.
            let planted = name == "signstar-pkcs11" && file == "environ";
            assert_eq!(text.contains("SOFTHSM2_CONF"), planted, "{name} {file}");
            looked_at += 1;
        }
        let status = fs::read_to_string(world.any_path(&format!("/proc/{number}/status"))).unwrap();
        assert!(
            status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"),
            "{name}"
        );
    }
    assert_eq!(looked_at, 4);
    assert_eq!(running.finish().code(), 65, "no input");
    crate::support::traces::until_no_process(&world, "signstar-pkcs11");
}
