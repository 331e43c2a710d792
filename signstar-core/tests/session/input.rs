//! What a policy asks of an artifact beside its size: an inspector's verdict, or a place in a list.

use std::sync::Arc;

use signstar_core::{
    ArtifactKind, DetachedSignature, Digest, DigestList, Event, Failure, Field, HashAlgorithm,
    Hasher, Identity, InputPolicy, InspectionCode, Policy, Profile, Refusal, Verdict,
};

use crate::keys::{Kind, cert, device, signing_key};
use crate::packet::Packet;
use crate::stage::{Notes, Play};

const ARTIFACT: &[u8] = b"an artifact";

fn identity() -> Identity {
    Identity {
        kind: ArtifactKind::PacmanPackage,
        name: "trial".to_owned(),
        version: "1:2.0-3".to_owned(),
        architecture: "x86_64".to_owned(),
        packager: "Some Body <some@example.org>".to_owned(),
        entries: 6,
        unpacked_bytes: 10_240,
        ..Identity::default()
    }
}

fn play(
    input: InputPolicy,
    verdict: Option<Verdict>,
) -> (Result<DetachedSignature, Failure>, Notes) {
    play_with(Profile::default(), input, verdict)
}

fn play_with(
    profile: Profile,
    input: InputPolicy,
    verdict: Option<Verdict>,
) -> (Result<DetachedSignature, Failure>, Notes) {
    let key = signing_key(Kind::Ed25519);
    let mut device = device(cert(Kind::Ed25519), &key);
    let mut play = Play::with(&key);
    play.policy = Policy {
        input,
        ..Policy::default()
    };
    (play.profile, play.verdict) = (profile, verdict);
    play.run(|digest| device.sign(digest), [ARTIFACT])
}

fn refusal(outcome: &Result<DetachedSignature, Failure>) -> Option<Refusal> {
    outcome.as_ref().err().map(|failure| failure.refusal)
}

#[test]
fn an_accepted_artifact_is_signed_and_every_record_says_what_it_is() {
    let kind = ArtifactKind::PacmanPackage;
    let verdict = Verdict::Accepted(identity());
    let (outcome, notes) = play(InputPolicy::Inspected(kind), Some(verdict));
    assert!(outcome.is_ok());
    assert_eq!(notes.events(), [Event::Intent, Event::Release]);
    for record in notes.records.borrow().iter() {
        for (field, value) in [
            (Field::VerdictKind, "pacman-package"),
            (Field::VerdictName, "trial"),
            (Field::VerdictVersion, "1:2.0-3"),
            (Field::VerdictArchitecture, "x86_64"),
            (Field::VerdictPackager, "Some Body <some@example.org>"),
            (Field::VerdictEntries, "6"),
            (Field::VerdictUnpacked, "10240"),
        ] {
            assert_eq!(record.get(field), Some(value), "{field:?}");
        }
        assert_eq!(record.get(Field::VerdictCode), None);
    }
}

#[test]
fn a_refused_artifact_is_not_signed_and_the_record_has_number_place_and_identity() {
    let kind = ArtifactKind::PacmanPackage;
    let finding = InspectionCode::RuleName.at(77);
    for identity in [None, Some(identity())] {
        let verdict = Verdict::Refused {
            finding,
            identity: identity.clone(),
        };
        let (outcome, notes) = play(InputPolicy::Inspected(kind), Some(verdict));
        assert_eq!(
            refusal(&outcome),
            Some(Refusal::Artifact(InspectionCode::RuleName))
        );
        assert_eq!((notes.asked(), notes.events()), (0, vec![Event::Refusal]));
        assert_eq!(notes.last(Field::Code).as_deref(), Some("artifact"));
        assert_eq!(notes.last(Field::VerdictCode).as_deref(), Some("4060"));
        assert_eq!(notes.last(Field::VerdictPosition).as_deref(), Some("77"));
        let name = identity.map(|identity| identity.name);
        assert_eq!(notes.last(Field::VerdictName), name);
    }
}

#[test]
fn nothing_is_signed_without_the_verdict_that_the_policy_asks_for() {
    let accepted = |kind| {
        Some(Verdict::Accepted(Identity {
            kind,
            ..Identity::default()
        }))
    };
    let iso = InputPolicy::Inspected(ArtifactKind::Iso);
    let cases = [
        (iso.clone(), None),
        (iso, accepted(ArtifactKind::PacmanPackage)),
        (InputPolicy::Any, accepted(ArtifactKind::Iso)),
        (
            listed(HashAlgorithm::Sha256, ARTIFACT),
            accepted(ArtifactKind::Iso),
        ),
    ];
    for (input, verdict) in cases {
        let (outcome, notes) = play(input.clone(), verdict);
        assert_eq!(refusal(&outcome), Some(Refusal::Inspection), "{input:?}");
        assert_eq!((notes.asked(), notes.events()), (0, vec![Event::Refusal]));
    }
}

fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm, u64::MAX);
    hasher.update(bytes).unwrap();
    hasher.finish()
}

/// A list of `bytes` and of something else.
pub(crate) fn listed(algorithm: HashAlgorithm, bytes: &[u8]) -> InputPolicy {
    let mut text = String::new();
    for listed in [&b"something else"[..], bytes] {
        let digest = digest(algorithm, listed).to_string();
        let (_, digits) = digest.split_once(':').unwrap();
        text.push_str(&format!("{digits}  a name\n"));
    }
    InputPolicy::Listed(Arc::new(DigestList::parse(&text).unwrap()))
}

#[test]
fn what_stands_in_the_list_is_signed_whatever_the_hash_of_the_signature_and_nothing_else_is() {
    for hash in HashAlgorithm::ALL {
        for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
            let profile = Profile {
                hash,
                ..Profile::default()
            };
            let (outcome, _) = play_with(profile.clone(), listed(algorithm, ARTIFACT), None);
            assert!(outcome.is_ok(), "{hash} {algorithm}");
            let (outcome, notes) = play_with(profile, listed(algorithm, b"an artifacT"), None);
            assert_eq!(refusal(&outcome), Some(Refusal::DigestUnlisted));
            assert_eq!(notes.asked(), 0);
        }
    }
}

#[test]
fn the_signature_says_what_the_artifact_is_where_the_operator_wants_that() {
    let told = |name: &str, notation: Option<&str>| {
        let profile = Profile {
            artifact_notation: notation.map(str::to_owned),
            ..Profile::default()
        };
        let verdict = Verdict::Accepted(Identity {
            name: name.to_owned(),
            ..identity()
        });
        let input = InputPolicy::Inspected(ArtifactKind::PacmanPackage);
        let (outcome, _) = play_with(profile, input, Some(verdict));
        let packet = Packet::parse(outcome.unwrap().as_bytes());
        let notations = packet
            .hashed
            .iter()
            .filter(|subpacket| subpacket.kind == 20);
        let texts: Vec<String> = notations
            .map(|subpacket| String::from_utf8_lossy(&subpacket.body[8..]).into_owned())
            .collect();
        texts
    };
    let name = Some("artifact@example.org");
    assert_eq!(
        told("trial", name),
        ["artifact@example.orgpacman-package trial 1:2.0-3 x86_64"]
    );
    assert_eq!(
        told("a b\u{e9}", name),
        ["artifact@example.orgpacman-package a%20b%C3%A9 1:2.0-3 x86_64"]
    );
    assert!(told("trial", None).is_empty());
    assert!(told(&"x".repeat(128), name).is_empty());
}
