//! Artifacts whose first part was hashed elsewhere.

use signstar_core::{
    ArtifactKind, Declaring, Event, Field, HashAlgorithm, HashState, Hasher, InputPolicy, Notation,
    Policy, Profile, Refusal,
};

use crate::input::listed;
use crate::keys::{Kind, cert, device, signing_key};
use crate::stage::{Notes, Play};

const ARTIFACT: &[u8] = b"an artifact of which the service sees only the end";

fn state(algorithm: HashAlgorithm, bytes: &[u8]) -> HashState {
    let mut hasher = Hasher::new(algorithm, u64::MAX);
    hasher.update(bytes).unwrap();
    hasher.export()
}

fn open() -> Policy {
    Policy {
        hash_states: true,
        ..Policy::default()
    }
}

/// What comes of `state` and what follows it.
fn play(
    kind: Kind,
    (profile, policy): (Profile, Policy),
    state: Option<HashState>,
    rest: &[u8],
) -> (Result<Vec<u8>, Refusal>, Notes) {
    let key = signing_key(kind);
    let mut device = device(cert(kind), &key);
    let mut play = Play::with(&key);
    (play.profile, play.policy, play.state) = (profile, policy, state);
    let (outcome, notes) = play.run(|digest| device.sign(digest), [rest]);
    let outcome = outcome.map(signstar_core::DetachedSignature::into_bytes);
    (outcome.map_err(|failure| failure.refusal), notes)
}

/// The key is one whose signatures are always the same.
#[test]
fn the_signature_is_that_of_the_whole_wherever_it_was_cut_and_the_intent_says_so() {
    for hash in HashAlgorithm::ALL {
        let profile = || Profile {
            hash,
            ..Profile::default()
        };
        let (whole, seen) = play(Kind::Ed25519, (profile(), open()), None, ARTIFACT);
        assert_eq!(seen.last(Field::Origin), None);
        for cut in 0..=ARTIFACT.len() {
            let (first, rest) = ARTIFACT.split_at(cut);
            let first = Some(state(hash, first));
            let (resumed, notes) = play(Kind::Ed25519, (profile(), open()), first, rest);
            assert!(resumed.is_ok() && resumed == whole, "{hash} {cut}");
            assert_eq!(notes.events(), [Event::Intent, Event::Release]);
            for (record, before) in notes
                .records
                .borrow()
                .iter()
                .zip(seen.records.borrow().iter())
            {
                assert_eq!(record.get(Field::Origin), Some("hash-state"));
                assert_eq!(record.get(Field::Detail), None);
                for field in [Field::Input, Field::Bytes, Field::Signature] {
                    assert_eq!(record.get(field), before.get(field), "{field:?}");
                }
            }
        }
    }
}

#[test]
fn a_state_is_refused_unless_the_policy_and_everything_that_is_to_be_known_allow_it() {
    let hash = Profile::default().hash;
    let others = [HashAlgorithm::Sha256, HashAlgorithm::Sha384];
    let refused = |kind, profile: Profile, policy: Policy, algorithm, expected| {
        let what = format!("{profile:?} {policy:?} {algorithm}");
        let given = Some(state(algorithm, ARTIFACT));
        let (outcome, notes) = play(kind, (profile, policy), given, b"");
        assert_eq!((outcome.err(), notes.asked()), (expected, 0), "{what}");
        let intents = [Event::Intent];
        assert!(!notes.events().starts_with(&intents), "{what}");
    };
    let configuration = Some(Refusal::Configuration);
    let plain = Profile::default;
    refused(
        Kind::Ed25519,
        plain(),
        Policy::default(),
        hash,
        configuration,
    );
    for algorithm in others {
        refused(Kind::Ed25519, plain(), open(), algorithm, configuration);
        // The notation wants the SHA-512, which nobody can make any more.
        let profile = Profile {
            hash: algorithm,
            notation: Notation::DataDigest,
            ..Profile::default()
        };
        refused(Kind::Ed25519, profile, open(), algorithm, configuration);
    }
    // A list of other digests.
    let policy = Policy {
        input: listed(HashAlgorithm::Sha256, ARTIFACT),
        ..open()
    };
    refused(Kind::Ed25519, plain(), policy, hash, configuration);
    for kind in [Kind::Ed25519V6, Kind::P256V6] {
        refused(kind, plain(), open(), hash, configuration);
    }
    let policy = Policy {
        declaring: Declaring::Required,
        ..open()
    };
    let required = Some(Refusal::DeclarationRequired);
    refused(Kind::Ed25519, plain(), policy, hash, required);
    let policy = Policy {
        input: InputPolicy::Inspected(ArtifactKind::PacmanPackage),
        ..open()
    };
    let unseen = Some(Refusal::Inspection);
    refused(Kind::Ed25519, plain(), policy, hash, unseen);
}

#[test]
fn what_the_state_itself_says_is_still_judged() {
    let hash = Profile::default().hash;
    let length = u64::try_from(ARTIFACT.len()).unwrap();
    let outcome = |policy: Policy, state: HashState, rest: &[u8]| {
        let (outcome, notes) = play(
            Kind::Ed25519,
            (Profile::default(), policy),
            Some(state),
            rest,
        );
        assert_eq!(outcome.is_ok(), notes.asked() == 1);
        outcome.err()
    };
    let at_most = |input_bytes_max| Policy {
        input_bytes_max,
        ..open()
    };
    let given = || state(hash, ARTIFACT);
    assert_eq!(outcome(at_most(length), given(), b""), None);
    let too_large = Some(Refusal::InputTooLarge);
    assert_eq!(outcome(at_most(length), given(), b"!"), too_large);
    assert_eq!(outcome(at_most(length - 1), given(), b""), too_large);
    let least = Policy {
        input_bytes_min: length + 1,
        ..open()
    };
    let too_small = Some(Refusal::InputTooSmall);
    assert_eq!(outcome(least, given(), b""), too_small);
    let empty = outcome(open(), state(hash, b""), b"");
    assert_eq!(empty, Some(Refusal::InputEmpty));
    let mut longer = given();
    longer.bytes.push(0);
    let unreadable = Some(Refusal::InputUnreadable);
    assert_eq!(outcome(open(), longer, b""), unreadable);
    let mut dirty = given();
    *dirty.bytes.last_mut().unwrap() = 1;
    assert_eq!(outcome(open(), dirty, b""), unreadable);
    let of_the_list = Policy {
        input: listed(hash, ARTIFACT),
        ..open()
    };
    assert_eq!(outcome(of_the_list.clone(), given(), b""), None);
    let unlisted = Some(Refusal::DigestUnlisted);
    assert_eq!(outcome(of_the_list, given(), b"!"), unlisted);
}
