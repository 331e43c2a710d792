//! What a policy asks of an artifact's size and of what was declared, and a refusal before any policy.

use signstar_core::{
    Declaration, Declaring, Event, Failure, Field, HashAlgorithm, Hasher, Policy, Profile, Refusal,
};

use crate::keys::{Kind, cert, device, signing_key};
use crate::stage::Play;

const ARTIFACT: &[u8] = b"an artifact";
const BYTES: u64 = 11;

/// What becomes of `artifact` by this policy, when this was declared; whatever is refused is refused
/// before the device is asked.
fn outcome(
    policy: Policy,
    declaration: Option<Declaration>,
    profile: &Profile,
    artifact: &[u8],
) -> Option<Refusal> {
    let key = signing_key(Kind::Ed25519);
    let mut device = device(cert(Kind::Ed25519), &key);
    let mut play = Play::with(&key);
    (play.policy, play.declaration) = (policy, declaration);
    play.profile = profile.clone();
    let (outcome, notes) = play.run(|digest| device.sign(digest), [artifact]);
    let refusal = outcome.err().map(|failure| failure.refusal);
    assert_eq!(notes.asked(), usize::from(refusal.is_none()));
    refusal
}

#[test]
fn an_artifact_is_as_small_and_as_large_as_allowed_and_not_one_byte_more() {
    let judged = |input_bytes_min, input_bytes_max, artifact| {
        let policy = Policy {
            input_bytes_min,
            input_bytes_max,
            ..Policy::default()
        };
        outcome(policy, None, &Profile::default(), artifact)
    };
    assert_eq!(judged(BYTES, BYTES, ARTIFACT), None);
    let small = Some(Refusal::InputTooSmall);
    assert_eq!(judged(BYTES + 1, BYTES + 1, ARTIFACT), small);
    let large = Some(Refusal::InputTooLarge);
    assert_eq!(judged(1, BYTES - 1, ARTIFACT), large);
    // An empty one is never signed, whatever the policy says.
    let empty = Some(Refusal::InputEmpty);
    for input_bytes_min in [0, 1, 2] {
        assert_eq!(judged(input_bytes_min, BYTES, b""), empty);
    }
    let policy = Policy::default();
    assert_eq!(policy.input_bytes_min, 1);
    assert_eq!(policy.input_bytes_max, 16 << 30);
}

#[test]
fn what_is_declared_is_what_comes_or_nothing_is_signed() {
    let declare = |bytes, artifact: &[u8]| {
        let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
        hasher.update(artifact).unwrap();
        let sha512 = hasher.finish();
        Some(Declaration { bytes, sha512 })
    };
    let other = Some(Refusal::SizeMismatch);
    let changed = Some(Refusal::DigestMismatch);
    for (declaration, expected) in [
        (declare(BYTES, ARTIFACT), None),
        (declare(BYTES - 1, ARTIFACT), other),
        (declare(BYTES + 1, ARTIFACT), other),
        (declare(BYTES, b"an artifacT"), changed),
    ] {
        for hash in HashAlgorithm::ALL {
            let profile = Profile {
                hash,
                ..Profile::default()
            };
            for declaring in [Declaring::Optional, Declaring::Required] {
                let policy = Policy {
                    declaring,
                    ..Policy::default()
                };
                let judged = outcome(policy, declaration.clone(), &profile, ARTIFACT);
                assert_eq!(judged, expected, "{declaration:?} {hash}");
            }
        }
    }
}

#[test]
fn what_is_not_declared_is_refused_where_it_must_be() {
    for (declaring, expected) in [
        (Declaring::Optional, None),
        (Declaring::Required, Some(Refusal::DeclarationRequired)),
    ] {
        let policy = Policy {
            declaring,
            ..Policy::default()
        };
        let judged = outcome(policy, None, &Profile::default(), ARTIFACT);
        assert_eq!(judged, expected);
    }
}

/// An inspector that gives no verdict, say.
#[test]
fn a_refusal_before_any_policy_records_what_came() {
    let key = signing_key(Kind::Ed25519);
    let play = Play::with(&key);
    let failure = Failure::new(Refusal::Inspection, "it has ended");
    let (told, notes) = play.refuse(ARTIFACT, failure);
    assert_eq!(told.refusal, Refusal::Inspection);
    assert_eq!(notes.events(), [Event::Refusal]);
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(ARTIFACT).unwrap();
    let digest = hasher.finish().to_string();
    for (field, value) in [
        (Field::Input, digest.as_str()),
        (Field::Bytes, "11"),
        (Field::Code, Refusal::Inspection.code()),
        (Field::Detail, "it has ended"),
    ] {
        assert_eq!(notes.last(field).as_deref(), Some(value), "{field:?}");
    }
    let (_, notes) = Play {
        fails_from: Some(1),
        ..play
    }
    .refuse(ARTIFACT, Refusal::Inspection.into());
    assert_eq!(notes.events(), []);
}
