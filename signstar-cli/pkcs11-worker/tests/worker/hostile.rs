//! A hostile module gets nothing beyond its grants, as root even; each attempt first succeeds where
//! nothing confines the module.

use std::fs;

use signstar_core::{Digest, HashAlgorithm, Signer, SignerError};
use signstar_testkit::hostile::{Scene, confined, everything};
use signstar_testkit::token::{Software, Token};

use crate::worker;

fn digest() -> Digest {
    Digest::new(HashAlgorithm::Sha512, &[0x5a; 64]).unwrap()
}

fn scene(attack: &str) -> Scene {
    let token = Token::with(Software::SoftHsm, "p256");
    let worker = worker(&token);
    Scene::new(token, worker, attack, env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn everything_that_a_module_tries_works_unconfined_and_is_refused_in_the_worker() {
    let stages = ["initialize", "sign"];
    let scene = scene("try");
    let data = scene.path("data");
    fs::write(&data, [7; 32]).unwrap();
    let data = data.to_str().unwrap();
    scene.unconfined(&[
        "--sign",
        "-m",
        "ECDSA",
        "--label",
        "signing",
        "-i",
        data,
        "-o",
        "/dev/null",
    ]);
    assert_eq!(scene.outcomes(), everything(stages), "the control");
    fs::remove_file(scene.forbidden()).unwrap();

    let signed = scene.worker.open().unwrap().sign(&digest());
    assert!(signed.is_ok(), "{signed:?}");
    assert_eq!(scene.outcomes(), confined(stages));
    assert!(!scene.forbidden().exists());
}

#[test]
fn a_thread_that_a_module_started_early_is_under_the_second_filter_too() {
    let scene = scene("thread");
    let signed = scene.worker.open().unwrap().sign(&digest());
    assert!(signed.is_ok(), "{signed:?}");
    assert_eq!(scene.outcomes(), ["thread executable-memory refused"]);
}

/// The module's own filter answers for the kernel that the second one is loaded. No PIN is sent then.
#[test]
fn a_second_filter_that_is_not_in_force_ends_the_worker() {
    let scene = scene("forge-filter");
    let error = scene.worker.open().err().expect("a key");
    assert!(error.to_string().contains("confine"), "{error}");
    assert_eq!(scene.outcomes(), ["initialize forged-filter done"]);
}

/// Each way to fail, where it shows, and as what.
#[test]
fn a_module_that_fails_hangs_crashes_or_babbles_gives_no_signature() {
    let unavailable: fn(&SignerError) -> bool =
        |error| matches!(error, SignerError::Unavailable(_));
    let failed: fn(&SignerError) -> bool = |error| matches!(error, SignerError::Failed(_));
    for (attack, kind) in [
        ("hang-at-initialize", unavailable),
        ("spin-at-initialize", unavailable),
        ("exit-at-initialize", unavailable),
        ("crash-at-initialize", unavailable),
        ("fail-at-initialize", unavailable),
        ("babble-at-initialize", failed),
    ] {
        let mut scene = scene(attack);
        scene.worker.patience = std::time::Duration::from_secs(2);
        scene.worker.settings.processor_seconds = 1;
        let error = scene
            .worker
            .open()
            .err()
            .unwrap_or_else(|| panic!("{attack}: a key"));
        assert!(kind(&error), "{attack}: {error}");
    }
    for (attack, kind) in [
        ("hang-at-sign", unavailable),
        ("exit-at-sign", unavailable),
        ("crash-at-sign", unavailable),
        ("fail-at-sign", failed),
        ("babble-at-sign", failed),
        ("huge-at-sign", unavailable),
        ("short-at-sign", failed),
    ] {
        let mut scene = scene(attack);
        scene.worker.patience = std::time::Duration::from_secs(2);
        let mut signer: Box<dyn Signer> = scene.worker.open().unwrap();
        let error = signer.sign(&digest()).expect_err(attack);
        assert!(kind(&error), "{attack}: {error}");
    }
}
