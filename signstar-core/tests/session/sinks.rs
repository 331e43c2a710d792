//! Sinks that fail: no record, no signature.

use signstar_core::{Digest, Event, Failure, Field, RawSignature, Refusal, SignerError};

use crate::keys::{Kind, cert, device, signing_key};
use crate::stage::{Notes, Play, Step};

/// Plays a request whose sink fails from the given record on.
fn play(
    kind: Kind,
    fails_from: Option<usize>,
    answer: impl FnMut(&Digest) -> Result<RawSignature, SignerError>,
) -> (Result<Vec<u8>, Refusal>, Notes) {
    let key = signing_key(kind);
    let mut play = Play::with(&key);
    play.fails_from = fails_from;
    let (outcome, notes) = play.run(answer, [b"artifact".as_slice()]);
    let outcome = outcome
        .map(|signature| signature.into_bytes())
        .map_err(|failure| failure.refusal);
    (outcome, notes)
}

fn right(kind: Kind) -> impl FnMut(&Digest) -> Result<RawSignature, SignerError> {
    let mut device = device(cert(kind), &signing_key(kind));
    move |digest| device.sign(digest)
}

#[test]
fn the_device_is_asked_after_the_intent_and_before_the_release() {
    for kind in Kind::ALL {
        let (outcome, notes) = play(kind, None, right(kind));
        assert!(outcome.is_ok());
        assert!(matches!(
            notes.steps().as_slice(),
            [
                Step::Recorded(Event::Intent),
                Step::Asked(_),
                Step::Recorded(Event::Release)
            ]
        ));
    }
}

#[test]
fn without_the_intent_the_device_is_not_asked() {
    for kind in Kind::ALL {
        let (outcome, notes) = play(kind, Some(1), |_| panic!("the device was asked"));
        assert_eq!(outcome, Err(Refusal::Audit));
        assert_eq!(notes.steps(), [Step::NotRecorded(Event::Intent)]);
    }
}

#[test]
fn without_the_release_there_is_no_signature() {
    for kind in Kind::ALL {
        let (outcome, notes) = play(kind, Some(2), right(kind));
        assert_eq!(outcome, Err(Refusal::Audit));
        assert_eq!(notes.asked(), 1);
        assert_eq!(notes.events(), [Event::Intent]);
        assert_eq!(
            notes.steps().last(),
            Some(&Step::NotRecorded(Event::Release))
        );
    }
}

#[test]
fn a_refusal_that_cannot_be_recorded_is_the_sinks_failure() {
    // The second record of a request whose device fails is the refusal.
    let (outcome, notes) = play(Kind::P256, Some(2), |_| {
        Err(SignerError::Failed("broken".to_owned()))
    });
    assert_eq!(outcome, Err(Refusal::Audit));
    assert_eq!(notes.asked(), 1);
    assert_eq!(
        notes.steps().last(),
        Some(&Step::NotRecorded(Event::Refusal))
    );
}

#[test]
fn a_sink_that_fails_at_the_third_record_loses_only_the_undelivered_one() {
    use signstar_core::{Ledger, Policy, Profile, RequestId, Session, Subject};

    let key = signing_key(Kind::Ed25519Legacy);
    let notes = Notes::default();
    let mut signer = device(cert(Kind::Ed25519Legacy), &key);
    let mut sink = crate::stage::NotingSink {
        notes: notes.clone(),
        fails_from: Some(3),
    };
    let mut session = Session {
        key: &key,
        profile: Profile::default(),
        policy: Policy::default(),
        signer: signer.as_mut(),
        ledger: Ledger {
            subject: Subject::new(RequestId::from_bytes([1; 16])),
            sink: &mut sink,
            clock: crate::keys::noon,
        },
    };
    let mut intake = session.intake(None, &[0; 32]);
    intake.update(b"artifact").unwrap();
    let approval = session.approve(intake).unwrap();
    let signed = session.sign(approval).unwrap();
    let signature = session.release(signed).unwrap();
    let failure = session.undelivered(&signature, "closed");
    assert_eq!(failure.refusal, Refusal::Audit);
    drop(session);
    assert_eq!(notes.events(), [Event::Intent, Event::Release]);
    assert_eq!(
        notes.steps().last(),
        Some(&Step::NotRecorded(Event::Undelivered))
    );
}

#[test]
fn an_empty_stream_is_refused_and_recorded_without_the_device() {
    let key = signing_key(Kind::P256);
    for chunks in [vec![], vec![b"".as_slice()]] {
        let (outcome, notes) = Play::with(&key).run(|_| panic!("asked"), chunks);
        assert_eq!(outcome.unwrap_err().refusal, Refusal::InputEmpty);
        assert_eq!(notes.steps(), [Step::Recorded(Event::Refusal)]);
    }
}

#[test]
fn a_signature_that_is_thrown_away_is_recorded_with_all_that_is_known_of_it() {
    let key = signing_key(Kind::Ed25519);
    let mut device = device(cert(Kind::Ed25519), &key);
    let answer = |digest: &Digest| {
        let counter = Some(7);
        device
            .sign(digest)
            .map(|raw| RawSignature { counter, ..raw })
    };
    let failure = Failure::new(Refusal::Output, "nobody is there");
    let (told, notes) = Play::with(&key).withhold(answer, b"artifact", failure);
    assert_eq!((told.refusal, notes.asked()), (Refusal::Output, 1));
    assert_eq!(notes.events(), [Event::Intent, Event::Refusal]);
    let intent = notes.records.borrow()[0].clone();
    for (field, value) in [
        (Field::Input, intent.get(Field::Input)),
        (Field::Bytes, Some("8")),
        (Field::Counter, Some("7")),
        (Field::Code, Some("output")),
        (Field::Verdict, Some("refused")),
        (Field::Signature, None),
    ] {
        assert_eq!(notes.last(field).as_deref(), value, "{field:?}");
    }
    assert!(intent.get(Field::Input).is_some());
}
