//! Every answer and every file damaged in every place: an error, or the right signature, and never
//! more than one use of the auth value.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use signstar_core::{KeyKind, PublicKey};
use signstar_testkit::tpm::{Answer, Device};
use signstar_tpm::Settings;
use signstar_tpm::provision::{Guessing, KeyFiles, Template};

use crate::bus::{SIGN, begun};
use crate::support::{AUTH, Scene, open, sign, template};

/// How long a program may wait for the rest of an answer before the device is taken away.
const PATIENCE: Duration = Duration::from_millis(700);

/// What is done to one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// One bit of the byte at this place.
    Flip(usize),
    /// Cut off here; the device goes if the program waits for the rest.
    Cut(usize),
    /// So many bytes more.
    Longer(usize),
    /// Every byte zero but those of the header.
    Blank,
    /// The answer before once more.
    Repeat,
    /// The device goes instead of answering.
    Gone,
}

impl Damage {
    fn of(self, answer: Vec<u8>, before: &[u8]) -> Answer {
        let mut answer = answer;
        match self {
            Self::Flip(at) => answer[at] ^= 1 << (at % 8),
            Self::Cut(at) => answer.truncate(at),
            Self::Longer(by) => answer.extend(vec![0xa5; by]),
            Self::Blank => answer[10..].fill(0),
            Self::Repeat => answer = before.to_vec(),
            Self::Gone => return Answer::Gone,
        }
        Answer::Bytes(answer)
    }
}

/// How a run with one damaged answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    NotOpened,
    NotSigned,
    Signed,
}

/// Opens and signs over `device`, whose answer `at` is damaged.
fn run(mut device: Device, settings: &Settings, key: &PublicKey, at: usize, damage: Damage) -> End {
    let mut before = Vec::new();
    device.tamper(move |count, command, ask| {
        let answer = ask(command);
        let damaged = if count == at {
            damage.of(answer.clone(), &before)
        } else {
            Answer::Bytes(answer.clone())
        };
        before = answer;
        damaged
    });
    let settings = Settings {
        device: device.path().to_owned(),
        ..settings.clone()
    };
    let key = key.clone();
    let (done, wait) = channel();
    let signing = std::thread::spawn(move || {
        let end = match open(&settings, Some(AUTH)) {
            Err(error) => (End::NotOpened, error.to_string()),
            Ok(mut opened) => {
                assert_eq!(*opened.signer.public_key(), key, "a wrong key");
                match sign(&mut opened) {
                    Err(error) => (End::NotSigned, error.to_string()),
                    Ok(()) => (End::Signed, String::new()),
                }
            }
        };
        let _ = done.send(());
        end
    });
    if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        device.remove();
    }
    let what = format!("answer {at}, {damage:?}");
    let (end, text) = signing.join().unwrap_or_else(|_| panic!("{what}: a panic"));
    let auth = std::str::from_utf8(AUTH).unwrap();
    assert!(
        !text.contains(auth) && !text.contains('\n'),
        "{what}: {text}"
    );
    let uses = begun(&device, SIGN);
    assert!(uses <= 1, "{what}: {uses} uses of the auth value");
    end
}

/// The answers of one opening and one signature.
fn answers(scene: &Scene) -> (Vec<Vec<u8>>, PublicKey) {
    let device = scene.tpm.device();
    let settings = Settings {
        device: device.path().to_owned(),
        ..scene.settings()
    };
    let mut opened = open(&settings, Some(AUTH)).unwrap();
    sign(&mut opened).unwrap();
    let exchanges = device.exchanges();
    let answers = exchanges.into_iter().map(|exchange| exchange.answer);
    (answers.collect(), opened.signer.public_key().clone())
}

/// A key whose wrong auth values do not count: an answer that is changed can use up tries.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.persist(&Template {
        guessing: Guessing::Uncounted,
        ..template(KeyKind::P256)
    });
    scene
}

#[test]
fn a_damaged_answer_gives_an_error_or_the_right_signature() {
    let scene = scene();
    let (answers, key) = answers(&scene);
    let mut points = Vec::new();
    for (at, answer) in answers.iter().enumerate() {
        // The first bytes are the most telling; further on every third.
        let telling = (0..answer.len()).filter(|place| *place < 30 || place % 3 == 0);
        points.extend(telling.map(|place| (at, Damage::Flip(place))));
        let cuts = [0, 1, 9, 10, 11, answer.len() / 2, answer.len() - 1];
        points.extend(cuts.map(|cut| (at, Damage::Cut(cut))));
        points.extend([1, 10, 4000].map(|more| (at, Damage::Longer(more))));
        points.push((at, Damage::Blank));
        points.push((at, Damage::Gone));
        if at > 0 {
            points.push((at, Damage::Repeat));
        }
    }
    let mut ends = Vec::new();
    for (at, damage) in &points {
        ends.push(run(
            scene.tpm.device(),
            &scene.settings(),
            &key,
            *at,
            *damage,
        ));
    }
    let count = |wanted| ends.iter().filter(|end| **end == wanted).count();
    let [not_opened, not_signed, signed] = [End::NotOpened, End::NotSigned, End::Signed].map(count);
    println!(
        "{} points over {} answers: {not_opened} not opened, {not_signed} not signed, {signed} \
         signed rightly",
        points.len(),
        answers.len()
    );
    assert!(points.len() >= 200, "{} points", points.len());
    assert!(not_opened > 100 && not_signed > 50, "damage has no effect");
    // Every bit behind the last header counts, since the session's HMAC is over it.
    let last = answers.len() - 1;
    for ((at, damage), end) in points.iter().zip(&ends) {
        if *at == last && matches!(damage, Damage::Flip(10..) | Damage::Blank | Damage::Repeat) {
            assert_ne!(*end, End::Signed, "{damage:?} of the signature");
        }
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let scene = Scene::new();
    let files = scene.create(&template(KeyKind::P256));
    let settings = scene.settings_of(&files);
    sign(&mut open(&settings, Some(AUTH)).unwrap()).unwrap();
    let mut points = 0;
    let mut refused = |files: &KeyFiles, what: &str| {
        let settings = scene.settings_of(files);
        let opened = open(&settings, Some(AUTH));
        assert!(opened.is_err(), "{what}");
        points += 1;
    };
    for at in 0..files.public.len() {
        let mut damaged = files.clone();
        damaged.public[at] ^= 1 << (at % 8);
        refused(&damaged, &format!("byte {at} of the public half"));
    }
    for at in 0..files.private.len() {
        let mut damaged = files.clone();
        damaged.private[at] ^= 1 << (at % 8);
        refused(&damaged, &format!("byte {at} of the private half"));
    }
    for length in [0, 1, 2, 10] {
        let mut damaged = files.clone();
        damaged.public.truncate(length);
        refused(&damaged, "a cut public half");
        let mut damaged = files.clone();
        damaged.private.truncate(length);
        refused(&damaged, "a cut private half");
    }
    let mut damaged = files.clone();
    damaged.private.push(0);
    refused(&damaged, "a private half that is too long");
    println!("{points} damaged files");
    assert_eq!(scene.tpm.loaded(), 0, "nothing is held in the TPM");
}
