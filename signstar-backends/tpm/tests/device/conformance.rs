//! The promises of a signer, for every kind of key that the TPM has, wherever the key is and
//! however it is authorised.

use signstar_core::{KeyKind, SignerError};
use signstar_testkit::conformance::{Counting, check};
use signstar_tpm::Settings;
use signstar_tpm::provision::{Guessing, Template};

use crate::support::{AUTH, Scene, open, registers, template};

fn conforms(kind: KeyKind) {
    let scene = Scene::with(kind);
    let mut opened = scene.open();
    check(opened.signer.as_mut(), &kind.to_string(), Counting::Absent);
    assert_eq!(scene.tpm.loaded(), 0, "nothing is held in the TPM");
}

#[test]
fn p256_keeps_the_promises_of_a_signer() {
    conforms(KeyKind::P256);
}

#[test]
fn p384_keeps_the_promises_of_a_signer() {
    conforms(KeyKind::P384);
}

#[test]
fn p521_keeps_the_promises_of_a_signer() {
    conforms(KeyKind::P521);
}

#[test]
fn rsa2048_keeps_the_promises_of_a_signer() {
    conforms(KeyKind::Rsa(2048));
}

#[test]
fn rsa3072_keeps_the_promises_of_a_signer() {
    conforms(KeyKind::Rsa(3072));
}

/// This TPM has none: the tool says so.
#[test]
fn rsa4096_is_refused_by_a_tpm_that_has_none() {
    let scene = Scene::new();
    let mut tool = scene.tool();
    let refused = tool.create_key(&scene.parent, &template(KeyKind::Rsa(4096)));
    assert!(
        matches!(refused, Err(SignerError::Failed(_))),
        "{refused:?}"
    );
}

#[test]
fn keys_in_files_keep_the_promises_of_a_signer() {
    for kind in [KeyKind::P256, KeyKind::Rsa(2048)] {
        let scene = Scene::new();
        let files = scene.create(&template(kind));
        let mut opened = open(&scene.settings_of(&files), Some(AUTH)).unwrap();
        check(opened.signer.as_mut(), &kind.to_string(), Counting::Absent);
        assert_eq!(scene.tpm.loaded(), 0, "nothing is held in the TPM");
    }
}

#[test]
fn keys_with_a_policy_keep_the_promises_of_a_signer() {
    for auth in [None, Some(AUTH)] {
        let scene = Scene::new();
        scene.persist(&Template {
            auth: auth.map(|auth| auth.to_vec().into()),
            registers: registers("0,7,23"),
            ..template(KeyKind::P256)
        });
        let settings = Settings {
            registers: registers("0,7,23"),
            ..scene.settings()
        };
        let mut opened = open(&settings, auth).unwrap();
        check(opened.signer.as_mut(), "p256", Counting::Absent);
        assert_eq!(scene.tpm.loaded(), 0, "nothing is held in the TPM");
    }
}

#[test]
fn a_key_without_any_authorisation_signs_too() {
    let scene = Scene::new();
    scene.persist(&Template {
        auth: None,
        guessing: Guessing::Uncounted,
        ..template(KeyKind::P256)
    });
    let mut opened = open(&scene.settings(), None).unwrap();
    check(opened.signer.as_mut(), "p256", Counting::Absent);
}
