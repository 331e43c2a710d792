//! Real artifacts through a real sshd: what distributions sign, large ones, declared ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

#[path = "support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

use std::fs::{self, File};
use std::process::Stdio;

use signstar_core::{Event, Field, HashAlgorithm, Hasher, KeyKind};
use support::sshd::{Client, MATCH, STRICT};
use support::traces::processes;
use support::verifiers::{all_take, Verifier};
use support::{artifacts, Configuration, Outcome, Running, SigningKey, Sshd, World};

fn sha512(bytes: &[u8]) -> String {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(bytes).unwrap();
    let digest = hasher.finish().to_string();
    digest.strip_prefix("sha512:").unwrap().to_owned()
}

/// The command that declares an artifact.
fn declare(bytes: &[u8]) -> String {
    format!("sign v1 size={} sha512={}", bytes.len(), sha512(bytes))
}

fn sign_as(client: &Client<'_>, command: &str, input: &[u8]) -> Outcome {
    client.run(&mut client.ssh(&["signer", command]), input)
}

/// The only record, a refusal; its code and message are what the client was told.
#[track_caller]
fn refused(world: &World, outcome: &Outcome, code: &str, exit_status: i32) {
    assert_eq!(outcome.code(), exit_status, "{}", outcome.stderr);
    assert_eq!(outcome.stdout, b"");
    assert!(
        outcome.stderr.contains(&format!("(code {code}, ")),
        "{}",
        outcome.stderr
    );
    let records = world.audit();
    let [record] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(
        (record.event, record.get(Field::Code)),
        (Event::Refusal, Some(code))
    );
    world.forget();
}

#[test]
fn a_database_a_package_and_an_image_pass_every_verifier() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let package = artifacts::package(&world);
    let name = package.file_name().unwrap().to_str().unwrap();
    let database = artifacts::database(&world, name);
    let image = artifacts::image(&world, name);
    for artifact in [&package, &database, &image] {
        world.forget();
        let bytes = fs::read(artifact).unwrap();
        assert!(bytes.len() > 100, "{} is no artifact", artifact.display());
        let signature = client.sign(&bytes).success();
        all_take(&world.key, &signature, artifact);
        for record in world.audit() {
            assert_eq!(
                record.get(Field::Bytes),
                Some(bytes.len().to_string().as_str())
            );
            let digest = format!("sha512:{}", sha512(&bytes));
            assert_eq!(record.get(Field::Input), Some(digest.as_str()));
        }
    }
}

/// Peak memory of the login shell while `running` does, in KiB.
fn peak_memory(world: &World, running: &mut Running) -> u64 {
    let mut peak = 0;
    while running.child.try_wait().unwrap().is_none() {
        for (number, name) in processes(world) {
            let status = world.any_path(&format!("/proc/{number}/status"));
            let text = fs::read_to_string(status).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            // Before it is signstar the process is sshd; only lock-down sets the filter.
            if name == "signstar" && text.contains("Seccomp:\t2") {
                peak = peak.max(kib.unwrap_or(0));
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    peak
}

#[test]
fn two_gibibytes_are_signed_in_16_mebibytes_of_memory() {
    const BYTES: u64 = 2 << 30;
    let configuration = Configuration::new().key("hash = \"sha256\"");
    let world = World::with(&configuration, SigningKey::new(KeyKind::Ed25519));
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let artifact = client.path("artifact");
    File::create(&artifact).unwrap().set_len(BYTES).unwrap();
    let mut ssh = client.ssh(&["-c", "aes128-gcm@openssh.com", "signer"]);
    ssh.stdin(Stdio::from(File::open(&artifact).unwrap()));
    let mut running = Running::start(&world, &mut ssh, [false, true, true]);
    let peak = peak_memory(&world, &mut running);
    let signature = running.outcome().success();
    assert!((1..=16 << 10).contains(&peak), "{peak} KiB");
    let verdict = Verifier::Gpg.takes(&world.key, &signature, &artifact);
    assert_eq!(verdict, Ok(()));
    for record in world.audit() {
        assert_eq!(record.get(Field::Bytes), Some("2147483648"));
    }
}

#[test]
fn what_is_declared_rightly_is_signed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    for bytes in [&b"x"[..], b"artifact", &[0; 300_000]] {
        let signature = sign_as(&client, &declare(bytes), bytes).success();
        let artifact = client.path("artifact");
        fs::write(&artifact, bytes).unwrap();
        all_take(&world.key, &signature, &artifact);
    }
}

#[test]
fn what_is_declared_wrongly_by_one_byte_or_digit_is_refused() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let bytes = b"artifact";
    let right = declare(bytes);
    for wrong in ["size=7", "size=9", "size=0", "size=18446744073709551615"] {
        let outcome = sign_as(&client, &right.replace("size=8", wrong), bytes);
        refused(&world, &outcome, "size-mismatch", 65);
    }
    let digest = sha512(bytes);
    for place in [0, 63, 127] {
        let mut wrong = digest.clone().into_bytes();
        wrong[place] = if wrong[place] == b'0' { b'1' } else { b'0' };
        let wrong = String::from_utf8(wrong).unwrap();
        let outcome = sign_as(&client, &right.replace(&digest, &wrong), bytes);
        refused(&world, &outcome, "digest-mismatch", 65);
    }
    // The input differs and not the declaration.
    refused(
        &world,
        &sign_as(&client, &right, b"artifacT"),
        "digest-mismatch",
        65,
    );
    refused(
        &world,
        &sign_as(&client, &right, b"artifact\n"),
        "size-mismatch",
        65,
    );
    refused(
        &world,
        &sign_as(&client, &right, b"artifac"),
        "size-mismatch",
        65,
    );
}

#[test]
fn a_key_that_requires_declarations_signs_nothing_else() {
    let world = World::configured(&Configuration::new().key("require-declared = true"));
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    refused(
        &world,
        &client.sign(b"artifact"),
        "declaration-required",
        77,
    );
    let signature = sign_as(&client, &declare(b"artifact"), b"artifact").success();
    assert!(!signature.is_empty());
}

#[test]
fn empty_input_is_refused() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    refused(&world, &sshd.client().sign(b""), "input-empty", 65);
}

#[test]
fn sessions_over_one_connection_are_requests_of_their_own() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let mut master = client.share("signer");
    let artifact = client.path("artifact");
    for content in ["one", "two", "three"] {
        let signature = client.sign(content.as_bytes()).success();
        fs::write(&artifact, content).unwrap();
        all_take(&world.key, &signature, &artifact);
    }
    assert!(
        master.child.try_wait().unwrap().is_none(),
        "the connection was not shared"
    );
    assert_eq!(sshd.log().matches("Accepted publickey").count(), 1);
    let mut ids: Vec<String> = world
        .audit()
        .iter()
        .map(|record| record.id.to_string())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
