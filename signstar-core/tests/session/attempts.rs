//! A key on several devices: each attempt but the first is recorded before it is made.

use signstar_core::{Digest, Event, Field, Refusal, SignerError};

use crate::keys::{Kind, cert, device, signing_key};
use crate::stage::{Notes, Play, Step};

/// A device that sends to the next one so many times, and then signs.
fn play(again: usize, fails_from: Option<usize>) -> (Option<Refusal>, Notes) {
    let key = signing_key(Kind::Ed25519);
    let mut device = device(cert(Kind::Ed25519), &key);
    let mut left = again;
    let sign = |digest: &Digest| match left {
        0 => device.sign(digest),
        _ => {
            left -= 1;
            Err(SignerError::TryAgain(format!("{left} others")))
        }
    };
    let play = Play {
        fails_from,
        ..Play::with(&key)
    };
    let (outcome, notes) = play.run(sign, [b"artifact".as_slice()]);
    (outcome.err().map(|failure| failure.refusal), notes)
}

#[test]
fn each_further_attempt_is_recorded_before_it_is_made_with_the_same_digest() {
    let (refusal, notes) = play(2, None);
    assert_eq!(refusal, None);
    let steps = notes.steps();
    let [
        Step::Recorded(Event::Intent),
        Step::Asked(first),
        Step::Recorded(Event::Attempt),
        Step::Asked(second),
        Step::Recorded(Event::Attempt),
        Step::Asked(third),
        Step::Recorded(Event::Release),
    ] = steps.as_slice()
    else {
        panic!("{steps:?}");
    };
    assert_eq!([first, first], [second, third]);
    let records = notes.records.borrow();
    for (attempt, detail) in records[1..3].iter().zip(["1 others", "0 others"]) {
        assert_eq!(attempt.get(Field::Detail), Some(detail));
        assert_eq!(attempt.get(Field::Input), records[0].get(Field::Input));
        assert_eq!(attempt.get(Field::Bytes), records[0].get(Field::Bytes));
    }
}

#[test]
fn an_attempt_that_is_not_recorded_is_not_made() {
    let (refusal, notes) = play(1, Some(2));
    assert_eq!(refusal, Some(Refusal::Audit));
    assert_eq!(notes.asked(), 1);
}

#[test]
fn there_are_eight_attempts_at_most() {
    let (refusal, notes) = play(7, None);
    assert_eq!((refusal, notes.asked()), (None, 8));
    let (refusal, notes) = play(usize::MAX, None);
    assert_eq!(refusal, Some(Refusal::DeviceUnavailable));
    assert_eq!(notes.asked(), 8);
    assert_eq!(notes.events().last(), Some(&Event::Refusal));
}
