//! A hostile module gets nothing beyond its grants in the process that makes keys either, as root even; each
//! attempt first succeeds where nothing confines the module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

use std::fs;

use signstar_core::{KeyKind, PublicKey, SecretMaterial};
use signstar_pkcs11::provision::{self, Demand, NewKey, Order, ProvisionError, Secret, Waiting};
use signstar_testkit::hostile::{ALLOWED_AT_FIRST, Scene, confined, everything, expected};
use signstar_testkit::key::TestKey;
use signstar_testkit::token::{PIN, Software, Token};
use signstar_testkit::worker::Worker;
use zeroize::Zeroizing;

/// What makes a key with pkcs11-tool.
const MAKE: [&str; 7] = [
    "--keypairgen",
    "--key-type",
    "EC:prime256v1",
    "--label",
    "other",
    "--id",
    "03",
];

/// A token with a key on it, beside which another one is to come.
fn scene(attack: &str) -> Scene {
    let token = Token::with(Software::SoftHsm, "p256");
    let program = env!("CARGO_BIN_EXE_signstar-pkcs11-provisioner");
    let mut worker = Worker::new(program, &token);
    worker.settings.uri = "pkcs11:token=Package%20signing;object=made".to_owned();
    Scene::new(token, worker, attack, env!("CARGO_TARGET_TMPDIR"))
}

fn prepare(scene: &Scene, order: impl FnOnce(NewKey) -> Order) -> Result<Waiting, ProvisionError> {
    let key = NewKey {
        kind: KeyKind::P256,
        label: "made".to_owned(),
        id: vec![2],
    };
    let demand = Demand {
        account: None,
        order: order(key),
    };
    let worker = &scene.worker;
    let socket = worker.start().socket;
    provision::prepare(socket, worker.settings.clone(), &demand, worker.patience)
}

fn make(scene: &Scene) -> Result<PublicKey, ProvisionError> {
    prepare(scene, |key| Order::Make(key, None))?.make(pin())
}

fn pin() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(PIN.as_bytes().to_vec())
}

#[test]
fn everything_that_a_module_tries_while_a_key_is_made_works_unconfined_and_is_refused_here() {
    let stages = ["initialize", "make"];
    let scene = scene("try");
    scene.unconfined(&MAKE);
    assert_eq!(scene.outcomes(), everything(stages), "the control");
    fs::remove_file(scene.forbidden()).unwrap();

    make(&scene).unwrap();
    assert_eq!(scene.outcomes(), confined(stages));
    assert!(!scene.forbidden().exists());
}

#[test]
fn everything_that_a_module_tries_while_it_gets_a_key_works_unconfined_and_is_refused_here() {
    let stages = ["initialize", "import"];
    let scene = scene("try");
    let data = scene.path("data");
    fs::write(&data, "data").unwrap();
    let data = data.to_str().unwrap();
    scene.unconfined(&["--write-object", data, "--type", "data", "--label", "other"]);
    assert_eq!(scene.outcomes(), everything(stages), "the control");
    fs::remove_file(scene.forbidden()).unwrap();

    let outside = TestKey::named("p256");
    let (SecretMaterial::Ecdsa { scalar, .. }, PublicKey::Ecdsa { point, .. }) = (
        outside.material(),
        outside.signing_key().public_key().clone(),
    ) else {
        panic!("the test key p256 is none");
    };
    let secret = Secret::Curve {
        secret: scalar,
        point,
    };
    let waiting = prepare(&scene, Order::Import).unwrap();
    let public = waiting.import(pin(), &secret).unwrap();
    assert_eq!(&public, outside.signing_key().public_key());
    assert_eq!(scene.outcomes(), confined(stages));
    assert!(!scene.forbidden().exists());
}

#[test]
fn while_tokens_are_listed_a_module_gets_no_more() {
    let scene = scene("try");
    scene.unconfined(&["--list-objects"]);
    let stage = "initialize";
    assert_eq!(scene.outcomes(), expected(stage, |_| true), "the control");
    fs::remove_file(scene.forbidden()).unwrap();

    let worker = &scene.worker;
    let (socket, settings) = (worker.start().socket, worker.settings.clone());
    let listed = provision::list(socket, settings, None, worker.patience).unwrap();
    assert!(listed.iter().any(|listed| listed.keys.len() == 1));
    let first = expected(stage, |name| ALLOWED_AT_FIRST.contains(&name));
    assert_eq!(scene.outcomes(), first);
    assert!(!scene.forbidden().exists());
}

#[test]
fn a_thread_that_a_module_started_early_is_under_the_second_filter_too() {
    let scene = scene("thread");
    make(&scene).unwrap();
    assert_eq!(scene.outcomes(), ["thread executable-memory refused"]);
}

/// Whatever it does instead of making a key, there is none afterwards.
#[test]
fn a_module_that_fails_spins_crashes_or_babbles_makes_no_key() {
    for attack in [
        "exit-at-make",
        "crash-at-make",
        "spin-at-make",
        "fail-at-make",
        "babble-at-make",
    ] {
        let mut scene = scene(attack);
        scene.worker.settings.processor_seconds = 1;
        let made = make(&scene);
        assert!(made.is_err(), "{attack}: {made:?}");
        scene.worker.settings.module = scene.token.software.module().display().to_string();
        let worker = &scene.worker;
        let (socket, settings) = (worker.start().socket, worker.settings.clone());
        let listed = provision::list(socket, settings, None, worker.patience).unwrap();
        let keys: usize = listed.iter().map(|listed| listed.keys.len()).sum();
        assert_eq!(keys, 1, "{attack}: what was there before");
    }
}
