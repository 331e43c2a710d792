//! A composite key needs both of its halves, of the right kinds, on one token.

use signstar_core::{Digest, HashAlgorithm, PublicKey, SignatureValue, WorkerFault};
use signstar_testkit::openssl::OpenSsl;
use signstar_testkit::token::{ED25519_HALF, KEY, Key, MlDsa, Software, Token};
use signstar_testkit::worker::Worker;

use crate::{composite, worker};

const ED25519_URI: &str = "pkcs11:token=Package%20signing;object=signing-ed25519";

fn digest() -> Digest {
    Digest::new(HashAlgorithm::Sha512, &[0x5a; 64]).unwrap()
}

#[track_caller]
fn refused_at_open(worker: &Worker, fault: WorkerFault) {
    assert_eq!(worker.open().err(), Some(fault.error()));
}

/// The half that is not there is named after the login: it could be private.
#[test]
fn a_half_that_is_missing_is_an_error() {
    let token = Token::empty(Software::Kryoptic);
    token.add_ml_dsa(MlDsa::MlDsa65, &KEY);
    refused_at_open(&worker(&token), WorkerFault::HalfMissing);
    refused_at_open(&composite(&token), WorkerFault::KeyMissing);
    token.add("ed25519", &ED25519_HALF);
    assert!(composite(&token).open().is_ok());
    refused_at_open(&worker(&token), WorkerFault::HalfMissing);

    let token = Token::empty(Software::Kryoptic);
    token.add("ed25519", &ED25519_HALF);
    refused_at_open(&composite(&token), WorkerFault::KeyMissing);
}

#[test]
fn halves_of_other_kinds_or_exchanged_are_refused() {
    let token = Token::composite();
    let with = |uri: &str, half: &str| {
        let mut worker = composite(&token);
        worker.settings.uri = uri.to_owned();
        worker.settings.uri_ed25519 = Some(half.to_owned());
        worker
    };
    let name = |label: &str| format!("pkcs11:token=Package%20signing;object={label}");
    token.add(
        "p256",
        &Key {
            label: "p256",
            id: "03",
        },
    );
    let smaller = Key {
        label: "smaller",
        id: "04",
    };
    token.add_ml_dsa(MlDsa::MlDsa44, &smaller);
    let (whole, half) = (name("signing"), name("signing-ed25519"));
    assert!(with(&whole, &half).open().is_ok());
    for (uri, half) in [
        (&half, &whole),
        (&half, &half),
        (&whole, &whole),
        (&whole, &name("p256")),
        (&name("p256"), &half),
        (&name("smaller"), &half),
    ] {
        refused_at_open(&with(uri, half), WorkerFault::HalfKind);
    }
    // ECDSA, or Ed25519 alone, stay what they are.
    let mut alone = worker(&token);
    alone.settings.uri = ED25519_URI.to_owned();
    let alone = alone.open().unwrap();
    assert_eq!(alone.public_key().name(), "ed25519");
}

#[test]
fn both_halves_are_named_on_one_token() {
    let token = Token::composite();
    let mut worker = composite(&token);
    for wrong in [
        "pkcs11:token=other;object=signing-ed25519",
        "pkcs11:token=Package%20signing;serial=1;object=signing-ed25519",
        "pkcs11:nonsense",
    ] {
        worker.settings.uri_ed25519 = Some(wrong.to_owned());
        refused_at_open(&worker, WorkerFault::Uri);
    }
}

/// The judge of these tests takes both halves, and neither alone or of another digest.
#[test]
fn both_halves_sign_the_same_digest() {
    let token = Token::composite();
    let mut signer = composite(&token).open().unwrap();
    let key = signer.public_key().clone();
    assert!(matches!(key, PublicKey::MlDsa65Ed25519 { .. }));
    let value = signer.sign(&digest()).unwrap().value;
    let judge = OpenSsl::new(&key);
    assert!(judge.verifies(&digest(), &value));
    let SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa } = value else {
        panic!("not composite: {value:?}");
    };
    for half in [0, 1] {
        let (mut ed25519, mut ml_dsa) = (ed25519.clone(), ml_dsa.clone());
        match half {
            0 => ed25519[40] ^= 1,
            _ => ml_dsa[40] ^= 1,
        }
        let bent = SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa };
        assert!(!judge.verifies(&digest(), &bent), "half {half}");
    }
}

/// A half whose private key has gone: the other one alone is no signature.
#[test]
fn a_half_that_cannot_sign_leaves_no_signature() {
    for (key, kind) in [(&KEY, "ML-DSA"), (&ED25519_HALF, "Ed25519")] {
        let token = Token::composite();
        let mut remove = token.software.tool(&token.configuration());
        remove.args(["--token-label", signstar_testkit::token::LABEL, "--login"]);
        remove.args(["--pin", signstar_testkit::token::PIN, "--delete-object"]);
        signstar_testkit::token::run(remove.args(["--type", "privkey", "--id", key.id]));
        let mut signer = composite(&token).open().unwrap();
        let error = signer.sign(&digest()).unwrap_err();
        assert_eq!(error, WorkerFault::KeyMissing.error(), "{kind}");
    }
}
