//! What signatures look like, and what was hashed for them: recomputed from the packet that comes
//! out, for random input, with another implementation of the hash.

use proptest::prelude::*;
use sequoia_openpgp::types::HashAlgorithm as PgpHash;
use signstar_core::{DetachedSignature, Digest, HashAlgorithm, Notation, Profile, SigningKey};

use crate::keys::{Kind, cert, device, noon, signing_key};
use crate::packet::{Packet, Subpacket};
use crate::stage::{Play, Step};

/// Signs, and returns the packet with the digest that the device was asked to sign.
fn sign(
    kind: Kind,
    key: &SigningKey,
    profile: &Profile,
    salt: [u8; 32],
    chunks: &[Vec<u8>],
) -> (DetachedSignature, Digest) {
    let mut device = device(cert(kind), key);
    let mut play = Play::with(key);
    (play.profile, play.salt) = (profile.clone(), salt);
    let (outcome, notes) = play.run(
        |digest| device.sign(digest),
        chunks.iter().map(Vec::as_slice),
    );
    let asked: Vec<Digest> = notes
        .steps()
        .into_iter()
        .filter_map(|step| match step {
            Step::Asked(digest) => Some(digest),
            Step::Recorded(_) | Step::NotRecorded(_) => None,
        })
        .collect();
    let [digest] = asked.try_into().unwrap();
    (outcome.unwrap(), digest)
}

fn hashed(algorithm: HashAlgorithm, parts: &[&[u8]]) -> Vec<u8> {
    let algorithm = match algorithm {
        HashAlgorithm::Sha256 => PgpHash::SHA256,
        HashAlgorithm::Sha384 => PgpHash::SHA384,
        HashAlgorithm::Sha512 => PgpHash::SHA512,
    };
    let mut context = algorithm.context().unwrap().for_digest();
    parts.iter().for_each(|part| context.update(part));
    context.into_digest().unwrap()
}

fn algorithm(kind: Kind) -> u8 {
    match kind {
        Kind::Ed25519Legacy => 22,
        Kind::Ed25519 | Kind::Ed25519V6 => 27,
        Kind::P256 | Kind::P384 | Kind::P521 | Kind::P256V6 => 19,
        Kind::Rsa2048 => 1,
        Kind::Composite => 30,
    }
}

fn fingerprint(key: &SigningKey) -> Vec<u8> {
    let hex = key.fingerprint();
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Asserts that `packet` is of the profile that every verifier accepts, for this key and artifact.
fn assert_profile(packet: &Packet, length: usize, kind: Kind, profile: &Profile, artifact: &[u8]) {
    let key = signing_key(kind);
    let fingerprint = fingerprint(&key);
    match (kind.is_v6(), length) {
        (false, ..258) => assert_eq!(packet.tag, 0x88),
        (false, _) => assert_eq!(packet.tag, 0x89),
        (true, _) => assert_eq!(packet.tag, 0xc2),
    }
    let version = if kind.is_v6() { 6 } else { 4 };
    assert_eq!(packet.version, version);
    assert_eq!(packet.signature_type, 0x00);
    assert_eq!(packet.key_algorithm, algorithm(kind));
    assert_eq!(packet.hash_algorithm, profile.hash.openpgp_id());

    let seconds = noon().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seconds = u32::try_from(seconds.as_secs()).unwrap();
    let plain = |kind, body| Subpacket {
        kind,
        is_critical: false,
        body,
    };
    let mut expected = vec![
        plain(2, seconds.to_be_bytes().to_vec()),
        plain(33, [&[version], fingerprint.as_slice()].concat()),
    ];
    if profile.notation == Notation::DataDigest {
        let name = b"data-digest@archlinux.org";
        // Not human-readable; lengths of name and value; name; value.
        let head = [0, 0, 0, 0, 0, u8::try_from(name.len()).unwrap(), 0, 64];
        let value = hashed(HashAlgorithm::Sha512, &[artifact]);
        expected.push(plain(20, [&head, name.as_slice(), &value].concat()));
    }
    assert_eq!(packet.hashed, expected);
    let unhashed = match kind.is_v6() {
        false => vec![plain(16, fingerprint[12..].to_vec())],
        true => vec![],
    };
    assert_eq!(packet.unhashed, unhashed);
    let integers = match packet.key_algorithm {
        27 => {
            assert_eq!(packet.numbers.len(), 64);
            return;
        }
        30 => {
            assert_eq!(packet.numbers.len(), 64 + 3309);
            return;
        }
        1 => 1,
        _ => 2,
    };
    assert_eq!(packet.integers().len(), integers);
}

fn profiles() -> impl Strategy<Value = Profile> {
    let hash = prop::sample::select(HashAlgorithm::ALL.to_vec());
    let notation = prop_oneof![Just(Notation::None), Just(Notation::DataDigest)];
    (hash, notation).prop_map(|(hash, notation)| Profile {
        hash,
        notation,
        ..Profile::default()
    })
}

fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let chunk = prop::collection::vec(any::<u8>(), 0..300);
    prop::collection::vec(chunk, 1..8).prop_filter("empty input is refused", |chunks| {
        !chunks.concat().is_empty()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// R4: the pre-image is salt, artifact and our trailer, whatever the artifact is.
    #[test]
    fn every_pre_image_ends_with_the_trailer_of_the_packet(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        profile in profiles(),
        salt in any::<[u8; 32]>(),
        chunks in chunks(),
    ) {
        let key = signing_key(kind);
        prop_assume!(key.allows(profile.hash));
        let artifact = chunks.concat();
        let (signature, digest) = sign(kind, &key, &profile, salt, &chunks);
        let packet = Packet::parse(signature.as_bytes());
        let expected_salt: &[u8] = match (kind.is_v6(), profile.hash) {
            (false, _) => &[],
            (true, HashAlgorithm::Sha256) => &salt[..16],
            (true, HashAlgorithm::Sha384) => &salt[..24],
            (true, HashAlgorithm::Sha512) => &salt,
        };
        prop_assert_eq!(&packet.salt, expected_salt);
        let pre_image = [expected_salt, &artifact, &packet.trailer()];
        prop_assert_eq!(digest.as_bytes().to_vec(), hashed(profile.hash, &pre_image));
        prop_assert_eq!(packet.prefix.as_slice(), &digest.as_bytes()[..2]);
        assert_profile(&packet, signature.as_bytes().len(), kind, &profile, &artifact);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// An artifact that is itself a packet, or what is hashed for a certification, changes nothing.
    #[test]
    fn an_artifact_that_looks_like_hashed_data_gets_the_same_profile(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        signature_type in any::<u8>(),
        tail in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let key = signing_key(kind);
        let profile = Profile::default();
        let (first, _) = sign(kind, &key, &profile, [0; 32], &[b"x".to_vec()]);
        let inner = Packet::parse(first.as_bytes());
        let mut trailer = inner.trailer();
        trailer[1] = signature_type;
        for artifact in [first.into_bytes(), trailer.clone(), [trailer, tail].concat()] {
            let (signature, digest) = sign(kind, &key, &profile, [9; 32], std::slice::from_ref(&artifact));
            let packet = Packet::parse(signature.as_bytes());
            let pre_image = [packet.salt.as_slice(), &artifact, &packet.trailer()];
            prop_assert_eq!(digest.as_bytes().to_vec(), hashed(profile.hash, &pre_image));
            assert_profile(&packet, signature.as_bytes().len(), kind, &profile, &artifact);
        }
    }
}
