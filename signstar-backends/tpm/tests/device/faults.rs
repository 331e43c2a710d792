//! What a TPM, its owner or its machine can do to a key, and what is said then.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use signstar_core::{KeyKind, SignerError};
use signstar_testkit::tpm::{Answer, Property, code};
use signstar_tpm::provision::{Template, Tool};
use signstar_tpm::{KeyPlace, Settings};

use crate::bus::{RETRY, SIGN, START_SESSION, begun, error_answer};
use crate::support::{AUTH, PARENT, Scene, open, refusal, registers, sign, template};

/// Every wait here ends within it.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn credential(result: Result<(), SignerError>, about: &str) {
    let Err(SignerError::Credential(text)) = &result else {
        panic!("{result:?}");
    };
    assert!(text.contains(about), "{text}");
}

#[test]
fn a_wrong_auth_value_is_tried_once_and_counted_once() {
    let scene = Scene::with(KeyKind::P256);
    for wrong in [&b"wrong"[..], b"OPEN-SESAME-7f3b"] {
        let before = scene.tpm.lockout_counter();
        let mut opened = open(&scene.settings(), Some(wrong)).unwrap();
        scene.device.forget();
        credential(sign(&mut opened), "auth value is wrong");
        assert_eq!(begun(&scene.device, SIGN), 1);
        assert_eq!(scene.tpm.lockout_counter(), before + 1);
        assert_eq!(scene.tpm.loaded(), 0, "the session is ended");
    }
    sign(&mut scene.open()).unwrap();
}

#[test]
fn no_auth_value_where_one_is_wanted_is_a_wrong_one() {
    let scene = Scene::with(KeyKind::P256);
    let mut opened = open(&scene.settings(), None).unwrap();
    credential(sign(&mut opened), "auth value is wrong");
    assert_eq!(scene.tpm.lockout_counter(), 1);
}

#[test]
fn a_locked_out_tpm_is_told_from_a_wrong_auth_value() {
    let scene = Scene::with(KeyKind::P256);
    let most = scene.tpm.property(Property::MaxAuthFail);
    for _ in 0..most {
        let mut opened = open(&scene.settings(), Some(b"wrong")).unwrap();
        credential(sign(&mut opened), "auth value is wrong");
    }
    let mut opened = scene.open();
    scene.device.forget();
    credential(sign(&mut opened), "after too many wrong ones");
    assert_eq!(begun(&scene.device, SIGN), 1);
    let status = scene.tool().status().unwrap();
    assert_eq!(status.failed_attempts, most);
    assert_eq!(status.failed_attempts_max, most);
}

#[test]
fn an_auth_value_that_cannot_be_one_is_refused_before_the_device_is_opened() {
    let scene = Scene::with(KeyKind::P256);
    scene.device.forget();
    for impossible in [&b""[..], &[b'x'; 33]] {
        let refused = refusal(open(&scene.settings(), Some(impossible)));
        assert!(matches!(refused, SignerError::Credential(_)), "{refused}");
    }
    assert_eq!(scene.device.exchanges().len(), 0);
}

#[test]
fn a_changed_register_ends_the_use_of_a_key_until_it_is_back() {
    for auth in [None, Some(AUTH)] {
        let scene = Scene::new();
        scene.persist(&Template {
            auth: auth.map(|auth| auth.to_vec().into()),
            registers: registers("7,10"),
            ..template(KeyKind::P256)
        });
        let settings = Settings {
            registers: registers("7,10"),
            ..scene.settings()
        };
        scene.tpm.extend(9);
        sign(&mut open(&settings, auth).unwrap()).unwrap();
        scene.tpm.extend(10);
        let mut opened = open(&settings, auth).unwrap();
        credential(sign(&mut opened), "policy does not hold");
        assert_eq!(scene.tpm.lockout_counter(), 0, "that is no guessing");
        assert_eq!(scene.tpm.loaded(), 0, "the session is ended");
        scene.tpm.restart();
        sign(&mut open(&settings, auth).unwrap()).unwrap();
    }
}

#[test]
fn a_key_with_a_policy_takes_nothing_else() {
    let scene = Scene::new();
    scene.persist(&Template {
        registers: registers("7"),
        ..template(KeyKind::P256)
    });
    let with = |text| Settings {
        registers: registers(text),
        ..scene.settings()
    };
    let mut opened = open(&scene.settings(), Some(AUTH)).unwrap();
    credential(sign(&mut opened), "policy does not hold");
    let mut opened = open(&with("7,8"), Some(AUTH)).unwrap();
    credential(sign(&mut opened), "policy does not hold");
    let mut opened = open(&with("7"), None).unwrap();
    credential(sign(&mut opened), "policy does not hold");
    let mut opened = open(&with("7"), Some(b"wrong")).unwrap();
    credential(sign(&mut opened), "auth value is wrong");
    sign(&mut open(&with("7"), Some(AUTH)).unwrap()).unwrap();
}

#[test]
fn a_place_without_a_signing_key_is_refused() {
    let scene = Scene::with(KeyKind::P256);
    let at = |handle: &str| Settings {
        key: KeyPlace::Persistent(handle.parse().unwrap()),
        ..scene.settings()
    };
    let refused = refusal(open(&at("0x81000101"), Some(AUTH))).to_string();
    assert!(refused.contains("nothing at the handle"), "{refused}");
    let refused = refusal(open(&at(PARENT), Some(AUTH))).to_string();
    assert!(refused.contains("does not sign"), "{refused}");
}

#[test]
fn a_storage_key_that_is_missing_or_no_storage_key_is_refused() {
    let scene = Scene::with(KeyKind::P256);
    let mut settings = scene.settings();
    settings.parent.handle = "0x81000002".parse().unwrap();
    let refused = refusal(open(&settings, Some(AUTH))).to_string();
    assert!(refused.contains("nothing at the handle"), "{refused}");
    let mut tool = scene.tool();
    let key = tool.parent("0x81000100".parse().unwrap()).unwrap();
    settings.parent = key;
    let refused = refusal(open(&settings, Some(AUTH)));
    assert!(matches!(refused, SignerError::Failed(_)), "{refused}");
}

#[test]
fn another_tpm_gets_no_session() {
    let (ours, other) = (Scene::with(KeyKind::P256), Scene::with(KeyKind::P256));
    let mut settings = Settings {
        device: other.device.path().to_owned(),
        ..ours.settings()
    };
    other.device.forget();
    let refused = refusal(open(&settings, Some(AUTH))).to_string();
    assert!(refused.contains("is not the one of"), "{refused}");
    assert_eq!(begun(&other.device, START_SESSION), 0);
    // Who does not compare would have been taken in.
    settings.parent = other.parent.clone();
    sign(&mut open(&settings, Some(AUTH)).unwrap()).unwrap();
}

#[test]
fn files_of_another_tpm_are_refused() {
    let (ours, other) = (Scene::new(), Scene::new());
    let files = other.create(&template(KeyKind::P256));
    let refused = refusal(open(&ours.settings_of(&files), Some(AUTH))).to_string();
    assert!(refused.contains("belong to another TPM"), "{refused}");
}

#[test]
fn a_device_that_is_missing_or_no_device_is_unavailable() {
    let scene = Scene::with(KeyKind::P256);
    for path in ["/dev/tpm-that-is-not-there", "/dev/null"] {
        let settings = Settings {
            device: path.into(),
            ..scene.settings()
        };
        let refused = refusal(open(&settings, Some(AUTH)));
        assert!(matches!(refused, SignerError::Unavailable(_)), "{refused}");
    }
    let settings = Settings {
        device: "/tmp/tpmrm0".into(),
        ..scene.settings()
    };
    let refused = refusal(open(&settings, Some(AUTH)));
    assert!(matches!(refused, SignerError::Failed(_)), "{refused}");
}

#[test]
fn a_device_that_goes_between_opening_and_signing_is_unavailable() {
    let mut scene = Scene::with(KeyKind::P256);
    let mut opened = scene.open();
    scene.device.remove();
    let refused = sign(&mut opened).unwrap_err();
    assert!(matches!(refused, SignerError::Unavailable(_)), "{refused}");

    let scene = Scene::with(KeyKind::P256);
    let mut opened = scene.open();
    scene.tpm.stop();
    let refused = sign(&mut opened).unwrap_err();
    assert!(matches!(refused, SignerError::Unavailable(_)), "{refused}");
}

#[test]
fn a_tpm_that_restarts_between_opening_and_signing_signs() {
    let scene = Scene::with(KeyKind::P256);
    let files = scene.create(&template(KeyKind::P384));
    let other = scene.tpm.device();
    let mut in_tpm = scene.open();
    let settings = Settings {
        device: other.path().to_owned(),
        ..scene.settings_of(&files)
    };
    let mut in_files = open(&settings, Some(AUTH)).unwrap();
    scene.tpm.restart();
    sign(&mut in_tpm).unwrap();
    sign(&mut in_files).unwrap();
}

#[test]
fn a_slow_tpm_signs() {
    let scene = Scene::with(KeyKind::P256);
    scene.device.tamper(|_, command, ask| {
        std::thread::sleep(Duration::from_millis(100));
        Answer::Bytes(ask(command))
    });
    sign(&mut scene.open()).unwrap();
}

#[test]
fn a_tpm_that_never_answers_is_waited_for_until_it_goes() {
    let mut scene = Scene::with(KeyKind::P256);
    scene.device.forget();
    scene.device.tamper(|_, command, ask| match code(command) {
        SIGN => Answer::Silence,
        _ => Answer::Bytes(ask(command)),
    });
    let settings = scene.settings();
    let (done, wait) = channel();
    let signing = std::thread::spawn(move || {
        let mut opened = open(&settings, Some(AUTH)).unwrap();
        let result = sign(&mut opened);
        done.send(()).unwrap();
        result
    });
    let patience = Instant::now() + Duration::from_secs(60);
    while begun(&scene.device, SIGN) == 0 {
        assert!(Instant::now() < patience, "it never asks");
        std::thread::yield_now();
    }
    let waited = wait.recv_timeout(Duration::from_millis(300));
    assert!(waited.is_err(), "it does not give up by itself");
    assert_eq!(begun(&scene.device, SIGN), 1, "nor ask again");
    scene.device.remove();
    wait.recv_timeout(PATIENCE).unwrap();
    let refused = signing.join().unwrap().unwrap_err();
    assert!(matches!(refused, SignerError::Unavailable(_)), "{refused}");
}

#[test]
fn a_command_that_the_tpm_has_not_begun_is_repeated_a_few_times() {
    let scene = Scene::with(KeyKind::P256);
    let mut opened = scene.open();
    scene.device.forget();
    scene.device.tamper(|count, command, ask| match count % 2 {
        1 => Answer::Bytes(ask(command)),
        _ => Answer::Bytes(error_answer(RETRY)),
    });
    sign(&mut opened).unwrap();
    scene.device.forget();
    scene
        .device
        .tamper(|_, _, _| Answer::Bytes(error_answer(RETRY)));
    let refused = sign(&mut opened).unwrap_err();
    assert!(matches!(refused, SignerError::Busy(_)), "{refused}");
    let tries = scene.device.exchanges().len();
    assert!((2..=6).contains(&tries), "{tries} tries");
}

/// The library itself gives up after a second.
#[test]
fn a_tpm_that_is_at_work_for_others_is_waited_for_when_it_is_opened() {
    let scene = Scene::with(KeyKind::P256);
    scene.device.tamper(|count, command, ask| {
        if count == 0 {
            std::thread::sleep(Duration::from_millis(1500));
        }
        Answer::Bytes(ask(command))
    });
    let mut opened = scene.open();
    sign(&mut opened).unwrap();
}

#[test]
fn a_tpm_without_room_is_busy() {
    const OBJECT_MEMORY: u32 = 0x902;
    const SESSION_MEMORY: u32 = 0x903;
    const SESSION_HANDLES: u32 = 0x905;
    let scene = Scene::with(KeyKind::P256);
    let mut opened = scene.open();
    for full in [OBJECT_MEMORY, SESSION_MEMORY, SESSION_HANDLES] {
        scene
            .device
            .tamper(move |_, _, _| Answer::Bytes(error_answer(full)));
        let refused = sign(&mut opened).unwrap_err();
        assert!(matches!(refused, SignerError::Busy(_)), "{refused}");
    }
    scene.device.mend();
    sign(&mut opened).unwrap();
}

#[test]
fn operators_list_and_remove_keys_and_nobody_else_is_asked() {
    let scene = Scene::with(KeyKind::P384);
    let mut tool = scene.tool();
    let listed = tool.list().unwrap();
    let names: Vec<(String, Option<String>)> = listed
        .iter()
        .map(|(handle, key)| (handle.to_string(), key.as_ref().map(|key| key.name())))
        .collect();
    let expected = [
        ("0x81000001".to_owned(), None),
        ("0x81000100".to_owned(), Some("p384".to_owned())),
    ];
    assert_eq!(names, expected);
    let key = "0x81000100".parse().unwrap();
    tool.remove(key, None).unwrap();
    assert!(tool.remove(key, None).is_err());
    assert_eq!(tool.list().unwrap().len(), 1);
    drop(tool);
    let refused = refusal(open(&scene.settings(), Some(AUTH))).to_string();
    assert!(refused.contains("nothing at the handle"), "{refused}");
}

#[test]
fn a_handle_in_use_is_not_overwritten() {
    let scene = Scene::with(KeyKind::P256);
    let files = scene.create(&template(KeyKind::P256));
    let mut tool = Tool::open(scene.device.path()).unwrap();
    let kept = tool.persist(&scene.parent, &files, "0x81000100".parse().unwrap(), None);
    assert!(kept.is_err());
    drop(tool);
    sign(&mut scene.open()).unwrap();
}
