//! A hostile module gets nothing beyond its grants, as root even; each attempt first succeeds where
//! nothing confines the module.

use std::fs;

use signstar_core::{Digest, HashAlgorithm, Signer, SignerError};
use signstar_testkit::hostile::{ALLOWED_AT_FIRST, ATTEMPTS, module};
use signstar_testkit::token::{LABEL, PIN, Software, Token, run};
use signstar_testkit::worker::Worker;

use crate::worker;

fn digest() -> Digest {
    Digest::new(HashAlgorithm::Sha512, &[0x5a; 64]).unwrap()
}

/// A token, a worker with the hostile module for it, and the folder that holds the module.
fn scene(attack: &str) -> (Token, Worker, tempfile::TempDir) {
    let token = Token::with(Software::SoftHsm, "p256");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut worker = worker(&token);
    worker.settings.module = module(folder.path()).to_str().unwrap().to_owned();
    let forbidden = folder.path().join("forbidden");
    for (name, value) in [
        ("ATTACK", attack.to_owned()),
        (
            "RESULT",
            token.tokens().join("result").display().to_string(),
        ),
        ("FORBIDDEN", forbidden.display().to_string()),
    ] {
        worker.environment.push((name.to_owned(), value));
    }
    (token, worker, folder)
}

fn outcomes(token: &Token) -> Vec<String> {
    let text = fs::read_to_string(token.tokens().join("result")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What is expected of all attempts at `stage`.
fn expected(stage: &str, done: impl Fn(&str) -> bool) -> Vec<String> {
    let outcome = |name: &str| if done(name) { "done" } else { "refused" };
    ATTEMPTS
        .map(|name| format!("{stage} {name} {}", outcome(name)))
        .into()
}

#[test]
fn everything_that_a_module_tries_works_unconfined_and_is_refused_in_the_worker() {
    let (token, worker, folder) = scene("try");
    let data = folder.path().join("data");
    fs::write(&data, [7; 32]).unwrap();
    let mut control = token.software.tool(&token.configuration());
    control.args(["--module", &worker.settings.module, "--token-label", LABEL]);
    control.args([
        "--login", "--pin", PIN, "--sign", "-m", "ECDSA", "--label", "signing", "-i",
    ]);
    control
        .arg(&data)
        .args(["-o", "/dev/null"])
        .envs(worker.environment.clone());
    run(&mut control);
    let everything = [expected("initialize", |_| true), expected("sign", |_| true)].concat();
    assert_eq!(outcomes(&token), everything, "the control");
    fs::remove_file(token.tokens().join("result")).unwrap();
    fs::remove_file(folder.path().join("forbidden")).unwrap();

    let signed = worker.open().unwrap().sign(&digest());
    assert!(signed.is_ok(), "{signed:?}");
    let first = expected("initialize", |name| ALLOWED_AT_FIRST.contains(&name));
    let nothing = expected("sign", |_| false);
    assert_eq!(outcomes(&token), [first, nothing].concat());
    assert!(!folder.path().join("forbidden").exists());
}

#[test]
fn a_thread_that_a_module_started_early_is_under_the_second_filter_too() {
    let (token, worker, _folder) = scene("thread");
    let signed = worker.open().unwrap().sign(&digest());
    assert!(signed.is_ok(), "{signed:?}");
    assert_eq!(outcomes(&token), ["thread executable-memory refused"]);
}

/// The module's own filter answers for the kernel that the second one is loaded. No PIN is sent then.
#[test]
fn a_second_filter_that_is_not_in_force_ends_the_worker() {
    let (token, worker, _folder) = scene("forge-filter");
    let error = worker.open().err().expect("a key");
    assert!(error.to_string().contains("confine"), "{error}");
    assert_eq!(outcomes(&token), ["initialize forged-filter done"]);
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
        let (_token, mut worker, _folder) = scene(attack);
        worker.patience = std::time::Duration::from_secs(2);
        worker.settings.processor_seconds = 1;
        let error = worker
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
        let (_token, mut worker, _folder) = scene(attack);
        worker.patience = std::time::Duration::from_secs(2);
        let mut signer: Box<dyn Signer> = worker.open().unwrap();
        let error = signer.sign(&digest()).expect_err(attack);
        assert!(kind(&error), "{attack}: {error}");
    }
}
