//! What goes wrong with a token, a module, a PIN or the process, and what the operator is told.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use signstar_core::{Digest, HashAlgorithm, SignerError, WorkerFault};
use signstar_testkit::token::{Key, LABEL, PIN, SO_PIN, Software, Token, run};
use signstar_testkit::worker::Worker;

use crate::worker;

fn digest() -> Digest {
    Digest::new(HashAlgorithm::Sha512, &[0x5a; 64]).unwrap()
}

#[track_caller]
fn refused_at_open(worker: &Worker, fault: WorkerFault) {
    assert_eq!(worker.open().err(), Some(fault.error()));
}

#[track_caller]
fn refused_at_sign(worker: &Worker, fault: WorkerFault) {
    let mut signer = worker.open().unwrap();
    assert_eq!(signer.sign(&digest()).err(), Some(fault.error()));
}

#[track_caller]
fn signs(worker: &Worker) {
    let mut signer = worker.open().unwrap();
    assert!(signer.sign(&digest()).is_ok());
}

#[test]
fn a_uri_must_name_exactly_one_token_and_one_key() {
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let token = Token::with(software, "p256");
        let with = |uri: &str| {
            let mut worker = worker(&token);
            worker.settings.uri = uri.to_owned();
            worker
        };
        signs(&with("pkcs11:token=Package%20signing;id=%01"));
        signs(&with(
            "pkcs11:token=Package%20signing;object=signing;id=%01;type=private",
        ));
        refused_at_open(
            &with("pkcs11:token=other;object=signing"),
            WorkerFault::TokenMissing,
        );
        refused_at_open(
            &with("pkcs11:serial=0;object=signing"),
            WorkerFault::TokenMissing,
        );
        refused_at_open(
            &with("pkcs11:token=Package%20signing;object=signing;x=1"),
            WorkerFault::Uri,
        );
        token.add(
            "p384",
            &Key {
                label: "signing",
                id: "02",
            },
        );
        let ambiguous = with("pkcs11:token=Package%20signing;object=signing");
        refused_at_open(&ambiguous, WorkerFault::KeyAmbiguous);
        signs(&with(
            "pkcs11:token=Package%20signing;object=signing;id=%02",
        ));
    }
    let token = Token::with(Software::SoftHsm, "p256");
    for mut command in token.software.initialize(&token.configuration(), LABEL) {
        run(&mut command);
    }
    refused_at_open(&worker(&token), WorkerFault::TokenAmbiguous);
}

/// Public keys can be seen before the login, so what is missing is asked for after it.
#[test]
fn a_key_that_is_not_there_is_missing_after_the_login_and_not_before() {
    let token = Token::with(Software::SoftHsm, "p256");
    let mut absent = worker(&token);
    absent.settings.uri = "pkcs11:token=Package%20signing;object=absent".to_owned();
    refused_at_open(&absent, WorkerFault::KeyMissing);
    absent.pin = "1111".to_owned();
    refused_at_open(&absent, WorkerFault::PinWrong);
}

#[test]
fn a_wrong_pin_is_tried_once_and_a_token_at_its_last_try_or_locked_is_refused_unasked() {
    let token = Token::with(Software::SoftHsm, "p256");
    let mut wrong = worker(&token);
    wrong.pin = "4711-wrong".to_owned();
    refused_at_sign(&wrong, WorkerFault::PinWrong);
    signs(&worker(&token));

    // kryoptic counts to ten.
    let token = Token::with(Software::Kryoptic, "p256");
    let mut wrong = worker(&token);
    wrong.pin = "4711-wrong".to_owned();
    let mut refusals = Vec::new();
    for _ in 0..12 {
        let opened = wrong.open();
        let outcome = opened.and_then(|mut signer| signer.sign(&digest()));
        refusals.push(outcome.unwrap_err());
    }
    let count = |fault: WorkerFault| {
        refusals
            .iter()
            .filter(|error| **error == fault.error())
            .count()
    };
    assert_eq!(count(WorkerFault::PinWrong), 9, "{refusals:?}");
    assert_eq!(
        count(WorkerFault::PinFinalTry),
        3,
        "the tenth was never made: {refusals:?}"
    );
    // Nor is the right one sent then.
    refused_at_open(&worker(&token), WorkerFault::PinFinalTry);
    let mut last = token.software.tool(&token.configuration());
    last.args([
        "--token-label",
        LABEL,
        "--login",
        "--pin",
        "4711-wrong",
        "--list-objects",
    ]);
    let _ = last.output().unwrap();
    refused_at_open(&worker(&token), WorkerFault::PinLocked);
    let mut unlock = token.software.tool(&token.configuration());
    unlock.args([
        "--init-pin",
        "--login",
        "--login-type",
        "so",
        "--so-pin",
        SO_PIN,
    ]);
    run(unlock.args(["--new-pin", PIN]));
    signs(&worker(&token));
}

#[test]
fn a_module_that_others_could_change_is_never_loaded() {
    let token = Token::with(Software::SoftHsm, "p256");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let place = folder.path().join("module.so");
    fs::copy(token.software.module(), &place).unwrap();
    let at = |path: &Path| {
        let mut worker = worker(&token);
        worker.settings.module = path.to_str().unwrap().to_owned();
        worker
    };
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&place, 0o644);
    signs(&at(&place));
    for wrong in [0o664, 0o646, 0o666, 0o777] {
        mode(&place, wrong);
        refused_at_open(&at(&place), WorkerFault::ModuleChangeable);
    }
    mode(&place, 0o644);
    for wrong in [0o775, 0o757, 0o1777] {
        mode(folder.path(), wrong);
        refused_at_open(&at(&place), WorkerFault::ModuleChangeable);
    }
    mode(folder.path(), 0o755);
    chown(&place, Some(65534), None).unwrap();
    refused_at_open(&at(&place), WorkerFault::ModuleChangeable);
    chown(&place, Some(0), None).unwrap();
    chown(folder.path(), Some(65534), None).unwrap();
    refused_at_open(&at(&place), WorkerFault::ModuleChangeable);
    chown(folder.path(), Some(0), None).unwrap();

    refused_at_open(
        &at(&folder.path().join("absent.so")),
        WorkerFault::ModuleMissing,
    );
    refused_at_open(&at(folder.path()), WorkerFault::ModuleMissing);
    fs::write(&place, "no library").unwrap();
    refused_at_open(&at(&place), WorkerFault::ModuleLoad);
}

#[test]
fn paths_and_variables_decide_what_the_module_can_reach() {
    let token = Token::with(Software::SoftHsm, "p256");
    let mut absent = worker(&token);
    absent.settings.read.push("/nowhere/at/all".to_owned());
    refused_at_open(&absent, WorkerFault::Grant);
    let mut without = worker(&token);
    without.settings.read.clear();
    refused_at_open(&without, WorkerFault::ModuleInitialize);
    let mut without = worker(&token);
    without.settings.write.clear();
    assert!(without.open().is_err(), "the token is out of reach");
    let mut bare = worker(&token);
    bare.environment.clear();
    assert!(bare.open().is_err(), "the module has no configuration");
    // Reading is enough for a signature.
    let mut reading = worker(&token);
    reading.settings.read.append(&mut reading.settings.write);
    signs(&reading);
}

#[test]
fn a_token_that_goes_between_opening_and_signing_is_an_error() {
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let token = Token::with(software, "p256");
        let mut signer = worker(&token).open().unwrap();
        fs::remove_dir_all(token.tokens()).unwrap();
        // One that keeps its file open signs all the same, which is as well.
        let outcome = signer.sign(&digest());
        if software == Software::SoftHsm {
            assert!(outcome.is_err(), "{outcome:?}");
        }
    }
}

#[test]
fn a_worker_that_is_killed_at_any_step_is_unavailable() {
    let token = Token::with(Software::SoftHsm, "p256");
    let kill = |process: u32| run(Command::new("kill").args(["-KILL", &process.to_string()]));
    let worker = worker(&token);
    let helper = worker.start();
    kill(helper.process);
    let error = worker.open_with(helper).err();
    assert!(
        matches!(error, Some(SignerError::Unavailable(_))),
        "{error:?}"
    );
    let helper = worker.start();
    let process = helper.process;
    let mut signer = worker.open_with(helper).unwrap();
    kill(process);
    let error = signer.sign(&digest()).unwrap_err();
    assert!(matches!(error, SignerError::Unavailable(_)), "{error}");
}
