//! A device that fails, seen through the login shell: nothing on standard output, the right exit status,
//! one sentence, a record, and nothing asked twice.

use std::time::Duration;

use signstar_core::{Event, Field, Refusal};
use signstar_nethsm_simulator::Fault;
use signstar_testkit::nethsm::PASSPHRASE;

use crate::scene::{waits, Scene, INPUT, PASSPHRASE_FILE, READ, SIGN};
use crate::support::world::SIGNERS;
use crate::support::{Configuration, Outcome};

/// Nothing came out but the sentence of `refusal`; the records end with it.
#[track_caller]
fn refused(what: &str, scene: &Scene, outcome: &Outcome, refusal: Refusal, before: &[Event]) {
    assert_eq!(outcome.stdout, b"", "{what}");
    let status = i32::from(refusal.exit_status());
    assert_eq!(outcome.code(), status, "{what}: {outcome:?}");
    let sentence = format!("signstar: {} (code {},", refusal.sentence(), refusal.code());
    assert!(outcome.stderr.starts_with(&sentence), "{what}: {outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{what}: {outcome:?}");
    assert_eq!(
        scene.events(),
        [before, &[Event::Refusal]].concat(),
        "{what}"
    );
    let lines = scene.world.audit_lines().join("\n");
    assert!(!lines.contains(PASSPHRASE), "{what}: {lines}");
    assert!(!lines.contains("SAID-BY-THE-DEVICE"), "{what}: {lines}");
    let last = scene.world.audit().pop().unwrap();
    assert_eq!(last.get(Field::Code), Some(refusal.code()), "{what}");
    scene.world.forget();
}

fn run(scene: &Scene) -> Outcome {
    scene.world.shell().run(INPUT)
}

#[test]
fn every_status_at_every_step_is_a_refusal() {
    use Refusal::{Busy, Credential, DeviceFailed, DeviceUnavailable};
    let scene = Scene::with("ed25519");
    let simulator = scene.devices[0].simulator();
    let uses = scene.uses();
    let body = "{\"message\":\"SAID-BY-THE-DEVICE\"}";
    for (status, read, sign) in [
        (204, DeviceFailed, DeviceFailed),
        (302, DeviceFailed, DeviceFailed),
        (304, DeviceFailed, DeviceFailed),
        (400, DeviceFailed, DeviceFailed),
        (401, Credential, DeviceUnavailable),
        (403, Credential, Credential),
        (404, DeviceFailed, DeviceFailed),
        (405, DeviceFailed, DeviceFailed),
        (406, DeviceFailed, DeviceFailed),
        (409, DeviceFailed, DeviceFailed),
        (412, DeviceUnavailable, DeviceUnavailable),
        (413, DeviceFailed, DeviceFailed),
        (414, DeviceFailed, DeviceFailed),
        (415, DeviceFailed, DeviceFailed),
        (429, Busy, Busy),
        (500, DeviceUnavailable, DeviceUnavailable),
        (501, DeviceUnavailable, DeviceUnavailable),
        (503, DeviceUnavailable, DeviceUnavailable),
    ] {
        for (step, refusal, before) in [(READ, read, &[][..]), (SIGN, sign, &[Event::Intent])] {
            let asked = simulator.requests(step);
            simulator.fail_next(Some(step), Fault::Status(status, body.to_owned()), 1);
            let outcome = run(&scene);
            refused(
                &format!("{status} {step}"),
                &scene,
                &outcome,
                refusal,
                before,
            );
            assert_eq!(simulator.requests(step), asked + 1, "{status} {step}");
        }
    }
    assert_eq!(scene.uses(), uses, "nothing was signed");
}

#[test]
fn what_breaks_on_the_wire_is_a_refusal_in_time() {
    use Refusal::{DeviceFailed, DeviceUnavailable, SelfCheck};
    let scene = Scene::with("ed25519");
    scene.configure(Configuration::new().key("device-seconds = 1"), "");
    let simulator = scene.devices[0].simulator();
    for (fault, refusal) in [
        (Fault::CloseBefore, DeviceUnavailable),
        (Fault::CloseAfter, DeviceUnavailable),
        (Fault::Cut, DeviceUnavailable),
        (Fault::Delay(Duration::from_secs(3)), DeviceUnavailable),
        (Fault::Drip(Duration::from_millis(100)), DeviceUnavailable),
        (Fault::Oversize(1 << 20), DeviceFailed),
        (Fault::Raw(b"nonsense\r\n\r\n".to_vec()), DeviceFailed),
        (Fault::Flip, SelfCheck),
    ] {
        let asked = simulator.requests(SIGN);
        simulator.fail_next(Some(SIGN), fault.clone(), 1);
        let outcome = run(&scene);
        refused(
            &format!("{fault:?}"),
            &scene,
            &outcome,
            refusal,
            &[Event::Intent],
        );
        assert_eq!(simulator.requests(SIGN), asked + 1, "{fault:?}");
    }
    assert_eq!(run(&scene).code(), 0, "the control");
}

#[test]
fn a_wrong_passphrase_is_sent_once_and_is_the_operators_to_mend() {
    let scene = Scene::with("ed25519");
    let simulator = scene.devices[0].simulator();
    let before = simulator.requests(READ);
    scene
        .world
        .write(PASSPHRASE_FILE, "Wrong-Sesame", (0, SIGNERS), 0o440);
    refused("wrong", &scene, &run(&scene), Refusal::Credential, &[]);
    assert_eq!(simulator.requests(READ), before + 1);
    scene
        .world
        .write(PASSPHRASE_FILE, PASSPHRASE, (0, SIGNERS), 0o444);
    refused("exposed", &scene, &run(&scene), Refusal::Credential, &[]);
    for wrong in [&b""[..], b"\n", b"\xff\xfe\xfd", &[b'x'; 202]] {
        scene
            .world
            .write(PASSPHRASE_FILE, wrong, (0, SIGNERS), 0o440);
        refused(
            "no passphrase",
            &scene,
            &run(&scene),
            Refusal::Credential,
            &[],
        );
    }
    assert_eq!(simulator.requests(READ), before + 1);
    let line = format!("{PASSPHRASE}\n");
    scene
        .world
        .write(PASSPHRASE_FILE, line, (0, SIGNERS), 0o440);
    simulator.advance(Duration::from_secs(2));
    assert_eq!(run(&scene).code(), 0);
}

#[test]
fn another_key_than_the_certificates_is_refused_before_anything_is_read() {
    let scene = Scene::with("ed25519");
    let other = scene
        .world
        .on_network(|| scene.devices[0].generate("ed25519"));
    let table = scene.table("").replace(&scene.key, &other);
    scene
        .world
        .configure(&Configuration::new().back_end("nethsm", &table));
    refused("other", &scene, &run(&scene), Refusal::Certificate, &[]);
}

#[test]
fn another_certificate_than_the_pinned_one_gets_no_passphrase() {
    let scene = Scene::with("ed25519");
    let simulator = scene.devices[0].simulator();
    let (pin, other) = (simulator.fingerprint(), "5a".repeat(32));
    let table = scene.table("").replace(&pin, &other);
    scene
        .world
        .configure(&Configuration::new().back_end("nethsm", &table));
    let before = simulator.all_requests();
    refused("pin", &scene, &run(&scene), Refusal::DeviceFailed, &[]);
    assert_eq!(simulator.all_requests(), before);
}

/// What a hostile caller could set, if sshd let them.
#[test]
fn variables_of_proxies_and_libraries_change_nothing() {
    let scene = Scene::with("ed25519");
    let nobody = "http://127.0.0.1:9";
    let mut shell = scene.world.shell();
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        shell = shell.env(name, nobody);
    }
    for (name, value) in [
        ("NO_PROXY", ""),
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSLKEYLOGFILE", "/tmp/keys"),
        ("RUST_LOG", "trace"),
        ("RES_OPTIONS", "debug"),
    ] {
        shell = shell.env(name, value);
    }
    let outcome = shell.run(INPUT);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    assert!(!scene.world.path("/tmp/keys").exists());
}

#[test]
fn a_device_that_is_locked_in_the_meantime_is_unavailable() {
    use signstar_nethsm::sdk::apis::default_api::lock_post;
    let scene = Scene::with("ed25519");
    let mut running = scene.world.shell().start();
    crate::support::until("the enclave waits for its input", || waits(running.id()));
    scene.world.on_network(|| {
        let locked = scene.devices[0].administrate(|admin| admin.call(lock_post));
        locked.unwrap();
    });
    running.send(INPUT);
    let outcome = running.outcome();
    refused(
        "locked",
        &scene,
        &outcome,
        Refusal::DeviceUnavailable,
        &[Event::Intent],
    );
}
