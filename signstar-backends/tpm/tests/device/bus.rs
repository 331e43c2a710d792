//! What crosses the bus.

use std::fs::File;
use std::io::{Read, Write};

use signstar_core::KeyKind;
use signstar_testkit::tpm::{Device, Exchange, code, response_code};
use signstar_tpm::Settings;
use signstar_tpm::provision::Template;

use crate::support::{AUTH, Scene, open, registers, sign, template};

/// Codes of commands.
pub(crate) const SIGN: u32 = 0x15d;
pub(crate) const START_SESSION: u32 = 0x176;
/// `TPM_RC_RETRY`.
pub(crate) const RETRY: u32 = 0x922;

/// How many commands of this code the TPM has begun, or may have. One that it has not it says so
/// of: swtpm does, before it first counts attempts at an object.
pub(crate) fn begun(device: &Device, wanted: u32) -> usize {
    let is_begun = |exchange: &&Exchange| {
        let is_refused = exchange.answer.len() == 10 && response_code(&exchange.answer) == RETRY;
        code(&exchange.command) == wanted && !is_refused
    };
    device.exchanges().iter().filter(is_begun).count()
}

/// An answer that is only an error.
pub(crate) fn error_answer(code: u32) -> Vec<u8> {
    [&[0x80, 0x01, 0, 0, 0, 10][..], &code.to_be_bytes()].concat()
}

/// Whether the auth value stands in anything that has crossed.
fn is_seen(device: &Device) -> bool {
    device.exchanges().iter().any(|exchange| {
        let both = [&exchange.command, &exchange.answer];
        both.iter()
            .any(|bytes| bytes.windows(AUTH.len()).any(|window| window == AUTH))
    })
}

/// TPM2_Sign with a password session, as programs send it that think of no bus.
fn sign_by_password(device: &Device) -> Vec<u8> {
    const SHA256: [u8; 2] = [0x00, 0x0b];
    let length = u8::try_from(AUTH.len()).unwrap();
    let authorization = [
        &[0x40, 0, 0, 9, 0, 0, 0, 0, length][..], // TPM_RS_PW, no nonce, no attributes
        AUTH,
    ]
    .concat();
    let size = u32::try_from(authorization.len()).unwrap().to_be_bytes();
    let body = [
        &[0x81, 0, 1, 0][..], // the key
        &size,
        &authorization,
        &[0, 32],
        &[7; 32], // the digest
        &[0, 0x18],
        &SHA256,                            // ECDSA
        &[0x80, 0x24, 0x40, 0, 0, 7, 0, 0], // no ticket
    ]
    .concat();
    let length = u32::try_from(10 + body.len()).unwrap().to_be_bytes();
    let command = [&[0x80, 0x02][..], &length, &SIGN.to_be_bytes(), &body].concat();
    let mut near = File::options()
        .read(true)
        .write(true)
        .open(device.path())
        .unwrap();
    near.write_all(&command).unwrap();
    let mut answer = vec![0; 512];
    let length = near.read(&mut answer).unwrap();
    answer.truncate(length);
    answer
}

#[test]
fn the_auth_value_never_crosses_the_bus() {
    let scene = Scene::new();
    for with_policy in [false, true] {
        let registers = if with_policy { registers("7") } else { None };
        let template = Template {
            registers: registers.clone(),
            ..template(KeyKind::P256)
        };
        let files = scene.create(&template);
        let settings = Settings {
            registers,
            ..scene.settings_of(&files)
        };
        sign(&mut open(&settings, Some(AUTH)).unwrap()).unwrap();
        assert!(scene.device.exchanges().len() > 5, "something is seen");
        assert!(!is_seen(&scene.device));
    }
    // The search finds it where it stands.
    let scene = Scene::with(KeyKind::P256);
    assert!(!is_seen(&scene.device));
    let mut answers = (0..5).map(|_| response_code(&sign_by_password(&scene.device)));
    assert_eq!(answers.find(|code| *code != RETRY), Some(0), "it signs");
    assert!(is_seen(&scene.device));
}

#[test]
fn the_digest_is_not_seen_either_and_no_session_is_like_another() {
    let scene = Scene::with(KeyKind::P256);
    let mut opened = scene.open();
    sign(&mut opened).unwrap();
    scene.device.forget();
    sign(&mut opened).unwrap();
    sign(&mut opened).unwrap();
    let exchanges = scene.device.exchanges();
    let digest = crate::support::digest();
    let (mut signs, mut starts) = (Vec::new(), Vec::new());
    for exchange in &exchanges {
        match code(&exchange.command) {
            SIGN => signs.push(&exchange.command),
            START_SESSION => starts.push(&exchange.command),
            _ => {}
        }
        let mut windows = exchange.command.windows(digest.as_bytes().len());
        assert!(!windows.any(|window| window == digest.as_bytes()));
    }
    assert_eq!((signs.len(), starts.len()), (2, 2));
    assert_ne!(signs[0], signs[1]);
    assert_ne!(starts[0], starts[1]);
}

#[test]
fn every_session_is_salted_for_the_storage_key() {
    const PARENT: [u8; 4] = [0x81, 0, 0, 1];
    const NONE: [u8; 4] = [0x40, 0, 0, 7];
    for with_policy in [false, true] {
        let scene = Scene::new();
        let registers = if with_policy { registers("7") } else { None };
        scene.persist(&Template {
            registers: registers.clone(),
            ..template(KeyKind::P256)
        });
        scene.device.forget();
        let settings = Settings {
            registers,
            ..scene.settings()
        };
        sign(&mut open(&settings, Some(AUTH)).unwrap()).unwrap();
        let mut sessions = 0;
        for exchange in scene.device.exchanges() {
            if code(&exchange.command) == START_SESSION {
                let [key, bound] = [10, 14].map(|at| &exchange.command[at..at + 4]);
                assert_eq!((key, bound), (&PARENT[..], &NONE[..]));
                let nonce = usize::from(exchange.command[19]);
                // A point on P-256: two coordinates with their lengths.
                assert_eq!(exchange.command[20 + nonce..22 + nonce], [0, 68]);
                sessions += 1;
            }
        }
        assert_eq!(sessions, 2, "one to read the key, one to sign");
    }
}

#[test]
fn a_signature_recorded_on_the_bus_is_not_taken_again() {
    let scene = Scene::with(KeyKind::P256);
    let mut opened = scene.open();
    scene.device.forget();
    sign(&mut opened).unwrap();
    let recorded = scene.device.exchanges();
    let last = recorded.last().unwrap().answer.clone();
    scene.device.tamper(move |_, command, ask| {
        let answer = ask(command);
        let replayed = code(command) == SIGN;
        let bytes = if replayed { last.clone() } else { answer };
        signstar_testkit::tpm::Answer::Bytes(bytes)
    });
    assert!(sign(&mut opened).is_err());
}
