//! Signing through a real sshd, with real artifacts, keys of every kind and independent verifiers.

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

use std::fs;

use signstar_core::{Event, Field, KeyKind, Record};
use support::sshd::{fingerprint, keygen, MATCH, STRICT};
use support::verifiers::all_take;
use support::{Configuration, SigningKey, Sshd, World};

fn sha512(bytes: &[u8]) -> String {
    use signstar_core::{HashAlgorithm, Hasher};
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(bytes).unwrap();
    hasher.finish().to_string()
}

/// Intent and release of the only request, which must be the same request.
#[track_caller]
fn released(world: &World) -> [Record; 2] {
    let records = world.audit();
    let [intent, release] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(
        (intent.event, release.event),
        (Event::Intent, Event::Release)
    );
    assert_eq!(intent.id, release.id);
    [intent.clone(), release.clone()]
}

#[test]
fn key_authentication_signs_and_both_records_say_who_asked_for_what() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let signature = client.sign(b"artifact").success();

    let artifact = client.path("artifact");
    fs::write(&artifact, "artifact").unwrap();
    all_take(&world.key, &signature, &artifact);
    for record in released(&world) {
        let expected = [
            (Field::User, "signer"),
            (Field::Address, "127.0.0.1"),
            (Field::SshKey, &client.fingerprint),
            (Field::Key, "packages"),
            (Field::Fingerprint, &world.key.fingerprint),
            (Field::Certificate, &world.key.fingerprint),
            (Field::BackEnd, "software"),
            (Field::Input, &sha512(b"artifact")),
            (Field::Bytes, "8"),
            (Field::Verdict, "approved"),
        ];
        for (field, value) in expected {
            assert_eq!(record.get(field), Some(value), "{field:?}");
        }
        for absent in [Field::SshCertificate, Field::SshSerial, Field::SshAuthority] {
            assert_eq!(record.get(absent), None);
        }
    }
}

#[test]
fn certificate_authentication_is_recorded_with_id_serial_and_authority() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    // A key id is free text of the authority's: it must add no field.
    let key_id = "builder 7 verdict=refused\u{e9}";
    let authority = client.certify(key_id, 42, &[]);
    client.sign(b"artifact").success();
    for record in released(&world) {
        let expected = [
            (Field::SshKey, client.fingerprint.as_str()),
            (Field::SshCertificate, key_id),
            (Field::SshSerial, "42"),
            (Field::SshAuthority, &authority),
            (Field::Verdict, "approved"),
        ];
        for (field, value) in expected {
            assert_eq!(record.get(field), Some(value), "{field:?}");
        }
    }
}

#[test]
fn ssh_keys_of_every_type_are_recorded_as_ssh_keygen_prints_them() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    for kind in [
        &["-t", "rsa", "-b", "2048"][..],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
    ] {
        world.forget();
        let key = client.path(&kind.concat());
        keygen(&key, kind);
        let public = fs::read(key.with_extension("pub")).unwrap();
        world.write("/etc/ssh/authorized_keys/signer", public, (0, 0), 0o644);
        let identity = format!("IdentityFile={}", key.display());
        let mut ssh = client.ssh(&["-o", &identity, "signer"]);
        client.run(&mut ssh, b"artifact").success();
        for record in released(&world) {
            assert_eq!(record.get(Field::SshKey), Some(fingerprint(&key).as_str()));
        }
    }
}

/// Signs with a key of this kind, by every hash that it may use, through sshd.
#[track_caller]
fn signs_with(kind: KeyKind) {
    let hashes: &[&str] = match kind {
        KeyKind::P384 => &["sha384", "sha512"],
        KeyKind::P521 => &["sha512"],
        _ => &["sha256", "sha384", "sha512"],
    };
    signs_by(SigningKey::new(kind), hashes);
}

fn signs_by(key: SigningKey, hashes: &[&str]) {
    let world = World::with(&Configuration::new(), key);
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let artifact = client.path("artifact");
    let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    fs::write(&artifact, &bytes).unwrap();
    for hash in hashes {
        for notation in [false, true] {
            let lines = format!("hash = \"{hash}\"\ndata-digest-notation = {notation}");
            world.configure(&Configuration::new().key(&lines));
            let signature = client.sign(&bytes).success();
            all_take(&world.key, &signature, &artifact);
        }
    }
}

#[test]
fn ed25519_signatures_pass_every_verifier() {
    signs_with(KeyKind::Ed25519);
}

#[test]
fn p256_signatures_pass_every_verifier() {
    signs_with(KeyKind::P256);
}

#[test]
fn p384_signatures_pass_every_verifier() {
    signs_with(KeyKind::P384);
}

#[test]
fn p521_signatures_pass_every_verifier() {
    signs_with(KeyKind::P521);
}

#[test]
fn rsa_2048_signatures_pass_every_verifier() {
    signs_with(KeyKind::Rsa(2048));
}

#[test]
fn rsa_3072_signatures_pass_every_verifier() {
    signs_with(KeyKind::Rsa(3072));
}

#[test]
fn rsa_4096_signatures_pass_every_verifier() {
    signs_with(KeyKind::Rsa(4096));
}

#[test]
fn version_6_signatures_pass_every_verifier_that_knows_them() {
    signs_by(SigningKey::v6(), &["sha256", "sha384", "sha512"]);
}

/// What the documentation tells operators to write is what these tests run with.
#[test]
fn the_documented_blocks_are_the_one_that_is_tested() {
    let page = include_str!("../../../docs/sshd.md");
    let block = page
        .split("```\n")
        .find(|block| block.starts_with("Match "));
    assert_eq!(block, Some(MATCH));
    let manual = include_str!("../signstar.1");
    let block = manual
        .split(".Bd -literal -offset indent\n")
        .find(|block| block.starts_with("Match "));
    let lines = block
        .and_then(|block| block.split(".Ed").next())
        .unwrap_or_default();
    assert!(lines.lines().count() > 5);
    for line in lines.lines() {
        assert!(MATCH.lines().any(|tested| tested == line), "{line}");
    }
}
