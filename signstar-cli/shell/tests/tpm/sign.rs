//! Signatures through a real sshd, verified by programs nobody here wrote.

use std::fs;

use signstar_core::{Event, Field, KeyKind};
use signstar_tpm::provision::Template;

use crate::scene::{template, Kept, Scene, INPUT};
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::{all_take, ran};
use crate::support::Sshd;

/// Has an artifact signed through sshd, and verified. `how` says how the key is kept.
fn signs(scene: &Scene, kind: KeyKind, how: &str) {
    let sshd = Sshd::start(&scene.world, STRICT, MATCH);
    let client = sshd.client();
    let artifact = client.path("artifact");
    fs::write(&artifact, INPUT).unwrap();
    for _ in 0..2 {
        let signature = client.sign(INPUT).success();
        all_take(&scene.world.key, &signature, &artifact);
        let records = scene.records();
        let events: Vec<Event> = records.iter().map(|record| record.event).collect();
        assert_eq!(events, [Event::Intent, Event::Release]);
        assert_eq!(records[1].get(Field::BackEnd), Some("tpm"));
    }
    assert_eq!(scene.tpm.loaded(), 0, "nothing is held in the TPM");
    let on = format!("swtpm, {how}");
    ran("tpm", &kind.to_string(), &on, &scene.world.key);
}

#[test]
fn p256_in_a_tpm_signs() {
    signs(&Scene::with(KeyKind::P256), KeyKind::P256, "at a handle");
}

#[test]
fn p384_in_a_tpm_signs() {
    signs(&Scene::with(KeyKind::P384), KeyKind::P384, "at a handle");
}

#[test]
fn p521_in_a_tpm_signs() {
    signs(&Scene::with(KeyKind::P521), KeyKind::P521, "at a handle");
}

#[test]
fn rsa2048_in_a_tpm_signs() {
    signs(
        &Scene::with(KeyKind::Rsa(2048)),
        KeyKind::Rsa(2048),
        "at a handle",
    );
}

#[test]
fn rsa3072_in_a_tpm_signs() {
    signs(
        &Scene::with(KeyKind::Rsa(3072)),
        KeyKind::Rsa(3072),
        "at a handle",
    );
}

#[test]
fn a_key_in_files_signs() {
    let scene = Scene::of(Kept::InFiles, &template(KeyKind::P256));
    signs(&scene, KeyKind::P256, "in files");
}

#[test]
fn a_key_with_a_policy_signs() {
    let wants = [
        ("PCR policy", None),
        ("PCR policy and auth value", template(KeyKind::P256).auth),
    ];
    for (how, auth) in wants {
        let template = Template {
            auth,
            registers: Some("0,7".parse().unwrap()),
            ..template(KeyKind::P256)
        };
        signs(&Scene::of(Kept::InTpm, &template), KeyKind::P256, how);
    }
}
