//! A TPM that fails, seen through the login shell: nothing on standard output, the right exit
//! status, one sentence, and a record.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use signstar_core::{Event, Field, KeyKind, Record, Refusal};
use signstar_testkit::tpm::{code, response_code, Answer, Property};
use signstar_tpm::provision::Template;

use crate::scene::{template, Kept, Scene, AUTH, AUTH_FILE, INPUT};
use crate::support::world::SIGNERS;
use crate::support::{until, Outcome};

/// Codes of commands.
const SIGN: u32 = 0x15d;
const START_SESSION: u32 = 0x176;
/// `TPM_RC_RETRY`.
const RETRY: u32 = 0x922;
/// `SIGALRM`.
const ALARM: i32 = 14;

/// Nothing came out but the sentence of `refusal`; the last record is that refusal. Returns it.
#[track_caller]
fn refused(scene: &Scene, outcome: &Outcome, refusal: Refusal) -> Record {
    assert_eq!(outcome.stdout, b"", "{outcome:?}");
    let status = i32::from(refusal.exit_status());
    assert_eq!(outcome.code(), status, "{outcome:?}");
    let sentence = format!("signstar: {} (code {},", refusal.sentence(), refusal.code());
    assert!(outcome.stderr.starts_with(&sentence), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    let lines = scene.world.audit_lines().join("\n");
    assert!(!lines.contains(AUTH), "{lines}");
    let mut records = scene.records();
    let last = records.pop().expect("a record");
    assert_eq!(last.event, Event::Refusal);
    assert_eq!(last.get(Field::Code), Some(refusal.code()));
    assert_eq!(last.get(Field::BackEnd), Some("tpm"));
    last
}

fn run(scene: &Scene) -> Outcome {
    scene.world.shell().run(INPUT)
}

#[test]
fn a_wrong_auth_value_is_refused_and_counted_once() {
    let scene = Scene::with(KeyKind::P256);
    let before = scene.tpm.lockout_counter();
    scene.world.write(AUTH_FILE, "wrong\n", (0, SIGNERS), 0o440);
    let record = refused(&scene, &run(&scene), Refusal::Credential);
    let detail = record.get(Field::Detail).unwrap_or_default();
    assert!(detail.contains("auth value is wrong"), "{detail}");
    assert_eq!(scene.tpm.lockout_counter(), before + 1);
    // A line end is the editor's.
    let right = format!("{AUTH}\n");
    scene.world.write(AUTH_FILE, right, (0, SIGNERS), 0o440);
    assert_eq!(run(&scene).code(), 0);
}

#[test]
fn a_locked_out_tpm_is_refused() {
    let scene = Scene::with(KeyKind::P256);
    scene.world.write(AUTH_FILE, "wrong", (0, SIGNERS), 0o440);
    for _ in 0..scene.tpm.property(Property::MaxAuthFail) {
        refused(&scene, &run(&scene), Refusal::Credential);
    }
    scene.world.write(AUTH_FILE, AUTH, (0, SIGNERS), 0o440);
    let record = refused(&scene, &run(&scene), Refusal::Credential);
    let detail = record.get(Field::Detail).unwrap_or_default();
    assert!(detail.contains("after too many wrong ones"), "{detail}");
}

#[test]
fn an_auth_value_that_others_can_read_is_not_used() {
    let scene = Scene::with(KeyKind::P256);
    scene.device.forget();
    scene.world.write(AUTH_FILE, AUTH, (0, SIGNERS), 0o444);
    refused(&scene, &run(&scene), Refusal::Credential);
    assert_eq!(scene.device.exchanges().len(), 0);
}

#[test]
fn a_changed_register_is_refused() {
    let scene = Scene::of(
        Kept::InTpm,
        &Template {
            registers: Some("7".parse().unwrap()),
            ..template(KeyKind::P256)
        },
    );
    assert_eq!(run(&scene).code(), 0);
    scene.tpm.extend(7);
    let record = refused(&scene, &run(&scene), Refusal::Credential);
    let detail = record.get(Field::Detail).unwrap_or_default();
    assert!(detail.contains("policy does not hold"), "{detail}");
}

#[test]
fn another_tpm_is_refused_before_anything_is_read() {
    let scene = Scene::with(KeyKind::P256);
    let text = fs::read_to_string(scene.world.path("/etc/signstar/signstar.toml")).unwrap();
    let name = scene.parent.name.to_string();
    let other = format!("000b{}", "5a".repeat(32));
    let text = text.replace(&name, &other);
    let path = "/etc/signstar/signstar.toml";
    scene.world.write(path, text, (0, 0), 0o644);
    refused(&scene, &run(&scene), Refusal::DeviceFailed);
}

#[test]
fn another_key_in_the_tpm_is_refused_before_anything_is_read() {
    let (scene, other) = (Scene::with(KeyKind::P256), Scene::with(KeyKind::P256));
    let certificate = &other.world.key.certificate;
    let path = "/etc/signstar/packages.pgp";
    scene.world.write(path, certificate, (0, 0), 0o644);
    refused(&scene, &run(&scene), Refusal::Certificate);
}

#[test]
fn a_device_that_is_missing_is_unavailable() {
    let mut scene = Scene::with(KeyKind::P256);
    scene.device.remove();
    refused(&scene, &run(&scene), Refusal::DeviceUnavailable);
}

#[test]
fn a_tpm_that_goes_while_it_is_asked_to_sign_is_unavailable() {
    let scene = Scene::with(KeyKind::P256);
    scene.device.tamper(|_, command, ask| match code(command) {
        SIGN => Answer::Gone,
        _ => Answer::Bytes(ask(command)),
    });
    refused(&scene, &run(&scene), Refusal::DeviceUnavailable);
}

#[test]
fn a_busy_tpm_is_busy() {
    let scene = Scene::with(KeyKind::P256);
    // The first session is that of opening the device.
    let mut sessions = 0;
    scene.device.tamper(move |_, command, ask| {
        sessions += usize::from(code(command) == START_SESSION);
        if sessions < 2 {
            return Answer::Bytes(ask(command));
        }
        let retry = [&[0x80, 0x01, 0, 0, 0, 10][..], &RETRY.to_be_bytes()].concat();
        Answer::Bytes(retry)
    });
    refused(&scene, &run(&scene), Refusal::Busy);
}

#[test]
fn a_changed_signature_is_never_let_out() {
    let scene = Scene::with(KeyKind::P256);
    scene.device.tamper(|_, command, ask| {
        let mut answer = ask(command);
        if code(command) == SIGN && response_code(&answer) == 0 {
            answer[40] ^= 1;
        }
        Answer::Bytes(answer)
    });
    refused(&scene, &run(&scene), Refusal::DeviceFailed);
}

#[test]
fn a_tpm_that_never_answers_ends_the_process_at_its_deadline() {
    let scene = Scene::with(KeyKind::P256);
    scene.configure("deadline-seconds = 1", "device-seconds = 1");
    scene.device.tamper(|_, command, ask| match code(command) {
        SIGN => Answer::Silence,
        _ => Answer::Bytes(ask(command)),
    });
    let start = Instant::now();
    let outcome = run(&scene);
    assert_eq!((outcome.code(), outcome.stdout), (128 + ALARM, Vec::new()));
    // One second for the upload, three for the device, twenty for records, ten for standard output, five of grace.
    assert!(start.elapsed() >= Duration::from_secs(38));
    let events: Vec<Event> = scene.records().iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent]);
}

#[test]
fn the_auth_value_stands_in_no_argument_variable_or_record() {
    let scene = Scene::with(KeyKind::P256);
    let contains = |bytes: &[u8]| {
        let mut parts = bytes.windows(AUTH.len());
        parts.any(|part| part == AUTH.as_bytes())
    };
    // The search finds it where somebody has put it.
    let mut planted = scene
        .world
        .spawn(Command::new("sleep").arg("60").env("PLANTED", AUTH));
    let seen = |id: u32, file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap();
    until("the planted value is found", || {
        contains(&seen(planted.id(), "environ"))
    });
    planted.kill().unwrap();
    planted.wait().unwrap();

    let mut running = scene.world.shell().start();
    until("it is locked down", || {
        String::from_utf8_lossy(&seen(running.id(), "status")).contains("Seccomp:\t2")
    });
    for file in ["cmdline", "environ", "comm"] {
        assert!(!contains(&seen(running.id(), file)), "{file}");
    }
    running.send(INPUT);
    let outcome = running.outcome();
    assert_eq!(outcome.code(), 0, "{outcome:?}");
    let lines = scene.world.audit_lines().join("\n");
    let said = [lines.as_bytes(), &outcome.stdout, outcome.stderr.as_bytes()];
    assert!(!lines.is_empty() && !said.into_iter().any(contains));
}

#[test]
fn variables_of_the_library_have_no_effect_and_nothing_is_said_but_one_sentence() {
    let scene = Scene::with(KeyKind::P256);
    let hostile = [
        ("TSS2_LOG", "all+trace"),
        ("TSS2_LOGFILE", "/tmp/tss.log"),
        ("TPM2TOOLS_TCTI", "cmd:sh -c 'touch /tmp/touched'"),
        ("TCTI", "cmd:sh -c 'touch /tmp/touched'"),
        ("TSS2_TCTI", "cmd:sh -c 'touch /tmp/touched'"),
        ("TSS2_FAPICONF", "/tmp/fapi.json"),
        ("OPENSSL_CONF", "/tmp/openssl.cnf"),
        ("OPENSSL_MODULES", "/tmp"),
        ("LD_LIBRARY_PATH", "/tmp"),
        ("LD_DEBUG", "all"),
    ];
    let shell = || {
        let mut shell = scene.world.shell();
        for (name, value) in hostile {
            shell = shell.env(name, value);
        }
        shell
    };
    let outcome = shell().run(INPUT);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    scene.records();
    scene.tpm.stop();
    refused(&scene, &shell().run(INPUT), Refusal::DeviceUnavailable);
    let left: Vec<_> = fs::read_dir(scene.world.path("/tmp")).unwrap().collect();
    let names = left.into_iter().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    assert!(
        names.iter().all(|name| name.starts_with("sshauth.")),
        "{names:?}"
    );
}
