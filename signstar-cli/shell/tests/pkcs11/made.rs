//! From an empty token to a signature, by what operators have: the tool makes key and certificate, the login
//! shell signs through sshd, and verifiers take it.

use std::fs;
use std::process::Command;

use serde_json::Value;
use signstar_core::{Event, Field};
use signstar_testkit::token::{Software, KINDS, PIN};

use crate::scene::{world_to_fill, TOKENS};
use crate::support::built::{admin, Build};
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::{all_take, library_takes, ran};
use crate::support::{SigningKey, Sshd, World};

const GENERATE: [&str; 8] = [
    "key",
    "generate",
    "--key",
    "packages",
    "--yes",
    "--account",
    "signer",
    "--module-write",
];
const CREATE: [&str; 7] = [
    "cert",
    "create",
    "--key",
    "packages",
    "--force",
    "--user-id",
    "Packages <packages@example.org>",
];
/// Offline, but for this test: it is root's.
const PRIMARY: &str = "/run/signstar/primary.pgp";

/// What the operators' tool has done, inside.
fn done(world: &World, arguments: &[&str]) -> Value {
    let mut command = Command::new(admin(Build::Static));
    command.args(arguments).args(["--output", "json"]);
    let outcome = world.run(&mut command);
    assert_eq!(outcome.code(), 0, "{arguments:?}: {outcome:?}");
    serde_json::from_slice(&outcome.stdout).unwrap()
}

/// Makes a certificate for the key on the token, which the world has from then on.
fn certify(world: &mut World, more: &[&str]) {
    let made = done(world, &[&CREATE[..], more].concat());
    let fingerprint = made["signing_key"].as_str().unwrap().to_owned();
    world.key = SigningKey {
        secret: Vec::new(),
        certificate: fs::read(world.path("/etc/signstar/packages.pgp")).unwrap(),
        fingerprint,
    };
}

fn primary(world: &World) -> [&'static str; 2] {
    let generate = ["primary", "generate", "--no-passphrase", "--file", PRIMARY];
    done(
        world,
        &[&generate[..], &["--user-id", "A <a@example.org>"]].concat(),
    );
    ["--primary", PRIMARY]
}

/// Signs through sshd; the signature and the artifact.
fn sign(world: &World) -> (Vec<u8>, Vec<u8>) {
    let sshd = Sshd::start(world, STRICT, MATCH);
    let client = sshd.client();
    let artifact: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    // A certificate is good from the second after it was made.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let signature = client.sign(&artifact).success();
    let records = world.audit();
    let events: Vec<Event> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    for record in records {
        assert_eq!(record.get(Field::BackEnd), Some("pkcs11"));
        assert!(!record.to_line().contains(PIN));
    }
    (signature, artifact)
}

fn every_kind(software: Software) {
    for (index, (kind, _)) in KINDS.into_iter().enumerate() {
        let mut world = world_to_fill(software, None);
        let made = done(&world, &[&GENERATE[..], &[TOKENS, "--kind", kind]].concat());
        assert_eq!(made["kind"], kind);
        let shape = match index % 2 {
            0 => "its own primary key",
            _ => "below an offline primary key",
        };
        let more: &[&str] = if index % 2 == 0 {
            &[]
        } else {
            &primary(&world)
        };
        certify(&mut world, more);
        let (signature, artifact) = sign(&world);
        let path = world.path("/tmp/artifact");
        fs::write(&path, artifact).unwrap();
        all_take(&world.key, &signature, &path);
        let on = format!(
            "{}; key and certificate by the tool, {shape}",
            software.name()
        );
        ran("pkcs11", kind, &on, &world.key);
    }
}

#[test]
fn keys_of_every_kind_made_on_softhsm_sign_through_sshd() {
    every_kind(Software::SoftHsm);
}

#[test]
fn keys_of_every_kind_made_on_kryoptic_sign_through_sshd() {
    every_kind(Software::Kryoptic);
}

#[test]
fn a_composite_key_made_on_kryoptic_signs_through_sshd_in_both_shapes() {
    for shape in ["its own primary key", "below an offline primary key"] {
        let mut world = world_to_fill(Software::Kryoptic, Some("half"));
        let made = done(&world, &[&GENERATE[..], &[TOKENS]].concat());
        assert_eq!(made["kind"], "mldsa65-ed25519");
        match shape {
            "its own primary key" => certify(&mut world, &["--v6"]),
            _ => {
                let generate = ["primary", "generate", "--no-passphrase", "--file", PRIMARY];
                let user = ["--user-id", "A <a@example.org>", "--v6"];
                done(&world, &[&generate[..], &user].concat());
                certify(&mut world, &["--primary", PRIMARY]);
            }
        }
        assert_eq!(world.key.fingerprint.len(), 64, "version 6");
        let (signature, artifact) = sign(&world);
        assert!((3373..=4096).contains(&signature.len()));
        let path = world.path("/tmp/artifact");
        fs::write(&path, &artifact).unwrap();
        assert!(library_takes(&world.key, &signature, &path));
        fs::write(&path, &artifact[1..]).unwrap();
        assert!(!library_takes(&world.key, &signature, &path));
        let on = format!("kryoptic; both halves and certificate by the tool, {shape}");
        ran("pkcs11", "mldsa65-ed25519", &on, &world.key);
    }
}

/// Version 4 has no such keys, and half a pair is none.
#[test]
fn a_composite_key_is_made_whole_and_for_version_6_only() {
    let world = world_to_fill(Software::Kryoptic, Some("half"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(admin(Build::Static));
        world.run(command.args(arguments))
    };
    done(&world, &[&GENERATE[..], &[TOKENS]].concat());
    let outcome = run(&CREATE);
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr.contains("version 6"), "{}", outcome.stderr);
    let outcome = run(&[&GENERATE[..], &[TOKENS]].concat());
    assert_eq!(outcome.code(), 73, "{}", outcome.stderr);
}
