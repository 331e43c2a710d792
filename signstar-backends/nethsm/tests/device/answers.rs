//! Every status at every step, and answers that are none.

use std::time::{Duration, Instant};

use signstar_nethsm_simulator::Fault;
use signstar_testkit::nethsm::{NetHsm, credentials};

use crate::support::{READ, SIGN, device, digest, kind, signs};

/// What a status means when the key is read, and when it signs.
const STATUSES: [(u16, &str, &str); 24] = [
    (201, "failed", "failed"),
    (204, "failed", "failed"),
    (300, "failed", "failed"),
    (301, "failed", "failed"),
    (302, "failed", "failed"),
    (304, "failed", "failed"),
    (307, "failed", "failed"),
    (308, "failed", "failed"),
    (400, "failed", "failed"),
    // Once it has taken the passphrase, it has not become wrong.
    (401, "credential", "unavailable"),
    (403, "credential", "credential"),
    (404, "failed", "failed"),
    (405, "failed", "failed"),
    (406, "failed", "failed"),
    (409, "failed", "failed"),
    (412, "unavailable", "unavailable"),
    (413, "failed", "failed"),
    (414, "failed", "failed"),
    (415, "failed", "failed"),
    (429, "busy", "busy"),
    (500, "unavailable", "unavailable"),
    (501, "unavailable", "unavailable"),
    (502, "unavailable", "unavailable"),
    (503, "unavailable", "unavailable"),
];

const BODIES: [&str; 4] = ["", "{\"message\":\"SAID-BY-THE-DEVICE\"}", "Not found", "{"];

#[test]
fn every_status_at_every_step_says_who_must_act_and_is_asked_once() {
    let (device, key) = device();
    let simulator = device.simulator();
    for (status, read, sign) in STATUSES {
        for body in BODIES {
            let fault = || Fault::Status(status, body.to_owned());
            let before = simulator.requests(READ);
            simulator.fail_next(Some(READ), fault(), 1);
            let refused = signstar_nethsm::open(&device.settings(&key)).err().unwrap();
            assert_eq!(kind(&refused), read, "reading, {status} {body}: {refused}");
            assert_eq!(simulator.requests(READ), before + 1, "{status}: asked once");

            let mut opened = signstar_nethsm::open(&device.settings(&key)).unwrap();
            let before = simulator.requests(SIGN);
            simulator.fail_next(Some(SIGN), fault(), 1);
            let refused = opened.signer.sign(&digest("x")).unwrap_err();
            assert_eq!(kind(&refused), sign, "signing, {status} {body}: {refused}");
            assert_eq!(simulator.requests(SIGN), before + 1, "{status}: asked once");
        }
    }
    assert_eq!(simulator.key_uses(&key), 0, "nothing was signed");
}

#[test]
fn a_count_that_does_not_come_costs_no_signature() {
    let (device, key) = device();
    let simulator = device.simulator();
    for fault in [
        Fault::Status(503, String::new()),
        Fault::Status(401, String::new()),
        Fault::CloseBefore,
        Fault::Raw(b"nonsense".to_vec()),
    ] {
        let mut opened = signstar_nethsm::open(&device.settings(&key)).unwrap();
        simulator.fail_next(Some(READ), fault, 1);
        assert_eq!(signs(opened.signer.as_mut()), None);
    }
    let mut opened = signstar_nethsm::open(&device.settings(&key)).unwrap();
    assert_eq!(signs(opened.signer.as_mut()), Some(5));
}

#[test]
fn answers_that_are_cut_late_too_long_or_changed_are_no_signatures() {
    let (device, key) = device();
    let simulator = device.simulator();
    let mut settings = device.settings(&key);
    settings.wait = Duration::from_secs(1);
    for (fault, expected) in [
        (Fault::CloseBefore, "unavailable"),
        (Fault::CloseAfter, "unavailable"),
        (Fault::Cut, "unavailable"),
        (Fault::Delay(Duration::from_secs(3)), "unavailable"),
        (Fault::Drip(Duration::from_millis(100)), "unavailable"),
        (Fault::Oversize(1 << 20), "failed"),
        (Fault::Raw(b"nonsense\r\n\r\n".to_vec()), "failed"),
        (
            Fault::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            "failed",
        ),
    ] {
        let mut opened = signstar_nethsm::open(&settings).unwrap();
        simulator.fail_next(Some(SIGN), fault.clone(), 1);
        let (before, began) = (simulator.requests(SIGN), Instant::now());
        let refused = opened.signer.sign(&digest("x")).unwrap_err();
        assert_eq!(kind(&refused), expected, "{fault:?}: {refused}");
        // It was sent, so it may have been done: that must be said.
        let lost = refused.to_string().contains("has not answered");
        assert_eq!(lost, expected == "unavailable", "{fault:?}: {refused}");
        assert!(began.elapsed() < Duration::from_millis(2500), "{fault:?}");
        assert_eq!(
            simulator.requests(SIGN),
            before + 1,
            "{fault:?}: asked once"
        );
    }
}

#[test]
fn a_flipped_bit_is_a_signature_for_the_caller_to_refuse_or_none() {
    let (device, key) = device();
    let mut opened = signstar_nethsm::open(&device.settings(&key)).unwrap();
    let right = opened.signer.sign(&digest("x")).unwrap().value;
    device.simulator().fail_next(Some(SIGN), Fault::Flip, 1);
    let wrong = opened.signer.sign(&digest("x")).unwrap().value;
    assert_ne!(wrong, right, "Ed25519 is deterministic");
}

/// The device counts a failed login against the right passphrase too.
#[test]
fn a_wrong_passphrase_is_tried_once() {
    let (device, key) = device();
    let simulator = device.simulator();
    let mut settings = device.settings(&key);
    settings.credentials = credentials(&device.operator, "Not-The-Passphrase");
    let before = simulator.requests(READ);
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert_eq!(kind(&refused), "credential");
    assert_eq!(simulator.requests(READ), before + 1);
    let refused = signstar_nethsm::open(&device.settings(&key)).err().unwrap();
    assert_eq!(kind(&refused), "busy");
    simulator.advance(Duration::from_secs(2));
    signs(
        signstar_nethsm::open(&device.settings(&key))
            .unwrap()
            .signer
            .as_mut(),
    );
}

/// The second is for a device of one's own, whose clock nobody can set.
#[test]
fn a_failed_login_keeps_its_user_out_for_a_second_and_no_longer() {
    let device = NetHsm::start();
    let key = device.generate("ed25519");
    let mut settings = device.settings(&key);
    settings.credentials = credentials(&device.operator, "Not-The-Passphrase");
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert_eq!(kind(&refused), "credential");
    std::thread::sleep(Duration::from_millis(1500));
    let mut opened = signstar_nethsm::open(&device.settings(&key)).unwrap();
    signs(opened.signer.as_mut());
}

#[test]
fn a_device_whose_store_fails_does_not_make_the_passphrase_wrong() {
    let (device, key) = device();
    let mut opened = signstar_nethsm::open(&device.settings(&key)).unwrap();
    device.simulator().set_store_present(false);
    let refused = opened.signer.sign(&digest("x")).unwrap_err();
    assert_eq!(kind(&refused), "unavailable", "{refused}");
    device.simulator().set_store_present(true);
}

#[test]
fn keys_that_cannot_sign_here_are_refused() {
    use signstar_nethsm::sdk::models::{KeyMechanism, KeyType};
    let device = NetHsm::start();
    for (of_device, mechanism, length) in [
        (KeyType::EcP256K1, KeyMechanism::EcdsaSignature, None),
        (KeyType::Generic, KeyMechanism::AesEncryptionCbc, Some(256)),
        (
            KeyType::Rsa,
            KeyMechanism::RsaSignaturePssSha512,
            Some(2048),
        ),
    ] {
        let id = device.make(of_device, mechanism, length);
        let refused = signstar_nethsm::open(&device.settings(&id)).err().unwrap();
        assert_eq!(kind(&refused), "failed", "{of_device:?}");
    }
    for id in ["", "../keys", "a b", "-a", "a/b", "absent"] {
        let refused = signstar_nethsm::open(&device.settings(id)).err().unwrap();
        assert_eq!(kind(&refused), "failed", "{id}");
    }
}
