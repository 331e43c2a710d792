//! Making and importing keys, and what the gate holds back.

use signstar_core::{KeyKind, Signer, SignerError};
use signstar_testkit::conformance::{self, Counting};
use signstar_testkit::key::TestKey;
use signstar_virtual_card::ADMIN_PIN;

use super::card::{Slot, administration, blank, holding, location, pin, signer, status};
use crate::gate::{Keeper, Purpose};
use crate::provision::{Present, Touch};

fn makes(kind: KeyKind) {
    let card = blank();
    assert_eq!(status(&card).key, None);
    administration(&card)
        .generate(&pin(ADMIN_PIN), kind, Touch::NotNeeded, Present::Keep)
        .unwrap();
    let status = status(&card);
    let (mut signer, _) = signer(&card);
    assert_eq!(status.key.as_ref(), Some(signer.public_key()));
    assert!(status.created.unwrap() > 1_700_000_000);
    assert_eq!((status.counter, status.fingerprint), (0, None));
    conformance::check(&mut signer, &kind.to_string(), Counting::EverySignature);
}

#[test]
fn a_card_makes_ed25519() {
    makes(KeyKind::Ed25519);
}

#[test]
fn a_card_makes_p256() {
    makes(KeyKind::P256);
}

#[test]
fn a_card_makes_p384() {
    makes(KeyKind::P384);
}

#[test]
fn a_card_makes_p521() {
    makes(KeyKind::P521);
}

#[test]
fn a_card_makes_rsa2048() {
    makes(KeyKind::Rsa(2048));
}

#[test]
fn a_key_is_only_replaced_when_that_is_asked_for() {
    let card = holding("p256");
    let before = status(&card);
    let mut admin = administration(&card);
    let mut make =
        |present| admin.generate(&pin(ADMIN_PIN), KeyKind::Ed25519, Touch::NotNeeded, present);
    let refused = make(Present::Keep).unwrap_err();
    assert!(matches!(refused, SignerError::Failed(_)), "{refused:?}");
    assert_eq!(status(&card), before);
    make(Present::Replace).unwrap();
    assert_eq!(status(&card).key.unwrap().name(), "ed25519");
}

#[test]
fn a_wrong_administrators_pin_costs_one_try_and_changes_nothing() {
    let card = holding("ed25519");
    let before = status(&card);
    let make = |text| {
        let kind = KeyKind::P256;
        administration(&card).generate(&pin(text), kind, Touch::NotNeeded, Present::Replace)
    };
    let refused = make("87654321").unwrap_err();
    assert!(matches!(refused, SignerError::Credential(_)), "{refused:?}");
    assert_eq!(status(&card).tries_admin, before.tries_admin - 1);
    make("87654321").unwrap_err();
    // With one left none is sent, not even the right one.
    let refused = make(ADMIN_PIN).unwrap_err();
    assert!(matches!(refused, SignerError::Credential(_)), "{refused:?}");
    assert_eq!(status(&card).tries_admin, 1);
    assert_eq!(status(&card).key, before.key);
}

#[test]
fn a_card_forgets_the_administrators_pin() {
    let card = holding("ed25519");
    // PUT DATA of the login name, which it lets an administrator do only.
    let put = [0x00, 0xda, 0x00, 0x5e, 0x01, 0x61];
    assert_eq!(card.execute(&put), [0x69, 0x82]);
    let shown = [&[0x00, 0x20, 0x00, 0x83, 8], ADMIN_PIN.as_bytes()].concat();
    card.execute(&shown);
    assert_eq!(card.execute(&put), [0x90, 0x00]);
}

#[test]
fn a_secret_key_of_another_kind_than_the_public_one_is_not_imported() {
    let card = blank();
    let material = TestKey::named("p256").material();
    let public = TestKey::named("ed25519").signing_key();
    let numbers = (&material, public.public_key());
    let refused = administration(&card)
        .import(&pin(ADMIN_PIN), numbers, 1, Touch::NotNeeded, Present::Keep)
        .unwrap_err();
    assert!(matches!(refused, SignerError::Failed(_)), "{refused:?}");
    assert_eq!(status(&card).key, None);
}

#[test]
fn an_imported_key_keeps_its_time() {
    let card = holding("p384");
    assert_eq!(status(&card).created, Some(1));
}

/// The card library can do more than sign; no such command reaches the card.
#[test]
fn the_card_cannot_be_reset_through_the_gate() {
    for purpose in [Purpose::Sign, Purpose::Provision] {
        let card = holding("ed25519");
        let before = status(&card);
        let (link, tap) = Slot::holding(&card);
        let (_keeper, gate) = Keeper::new(link, purpose, location().wait);
        let mut library = openpgp_card::ocard::OpenPGP::new(gate).unwrap();
        let mut locked = library.transaction().unwrap();
        tap.lock().unwrap().commands.clear();
        locked.factory_reset().unwrap_err();
        locked.terminate_df().unwrap_err();
        locked.activate_file().unwrap_err();
        let old = || b"123456".to_vec().into();
        locked.change_pw1(old(), old()).unwrap_err();
        locked.reset_retry_counter_pw1(old(), None).unwrap_err();
        locked.set_pso_enc_dec_key(&[0; 16]).unwrap_err();
        if purpose == Purpose::Sign {
            locked
                .set_creation_time(1.into(), openpgp_card::ocard::KeyType::Signing)
                .unwrap_err();
        }
        drop(locked);
        // Only what reads has come through.
        let sent = tap.lock().unwrap();
        assert!(sent.commands.iter().all(|command| command[1] == 0xca));
        assert_eq!(status(&card), before);
    }
}
