//! Signatures of every kind of key, through sshd.

use std::fs;

use signstar_core::{Event, Field, KeyKind};

use crate::machine::Machine;
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::{all_take, ran};
use crate::support::{Configuration, SigningKey, Sshd};

fn signs(kind: KeyKind) {
    signs_by(SigningKey::new(kind), &kind.to_string());
}

fn signs_by(key: SigningKey, kind: &str) {
    let machine = Machine::new(key, &Configuration::new());
    let world = &machine.world;
    let sshd = Sshd::start(world, STRICT, MATCH);
    let client = sshd.client();
    for count in ["1", "2"] {
        let text = format!("artifact {count}");
        let signature = client.sign(text.as_bytes()).success();
        let artifact = client.path("artifact");
        fs::write(&artifact, &text).unwrap();
        all_take(&world.key, &signature, &artifact);
        let records = world.audit();
        let [intent, release] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(
            (intent.event, release.event),
            (Event::Intent, Event::Release)
        );
        assert_eq!(release.get(Field::BackEnd), Some("smartcard"));
        assert_eq!(release.get(Field::Counter), Some(count));
        world.forget();
    }
    assert_eq!(machine.status().counter, 2);
    ran("smartcard", kind, "opcard behind pcscd", &world.key);
}

#[test]
fn ed25519_on_a_card_signs_through_sshd() {
    signs(KeyKind::Ed25519);
}

#[test]
fn p256_on_a_card_signs_through_sshd() {
    signs(KeyKind::P256);
}

#[test]
fn p384_on_a_card_signs_through_sshd() {
    signs(KeyKind::P384);
}

#[test]
fn p521_on_a_card_signs_through_sshd() {
    signs(KeyKind::P521);
}

#[test]
fn rsa2048_on_a_card_signs_through_sshd() {
    signs(KeyKind::Rsa(2048));
}

#[test]
fn rsa3072_on_a_card_signs_through_sshd() {
    signs(KeyKind::Rsa(3072));
}

#[test]
fn rsa4096_on_a_card_signs_through_sshd() {
    signs(KeyKind::Rsa(4096));
}

#[test]
fn ed25519_of_version_6_on_a_card_signs_through_sshd() {
    signs_by(SigningKey::v6(), "ed25519v6");
}
