use std::time::Duration;

use sequoia_openpgp::Profile as PgpProfile;
use sequoia_openpgp::cert::{CertBuilder, CipherSuite};
use sequoia_openpgp::crypto::Signer as _;
use sequoia_openpgp::types::KeyFlags;

use super::*;
use crate::certificate::Certificate;

const NOTATION: &str = "data-digest@archlinux.org";

/// A key, the packet that it has made, and trailer and digest of that.
fn signed(profile: PgpProfile) -> (SigningKey, Vec<u8>, Vec<u8>, Digest) {
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_749_945_600);
    let (cert, _) = CertBuilder::new()
        .set_profile(profile)
        .unwrap()
        .set_cipher_suite(CipherSuite::Cv25519)
        .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
        .set_creation_time(created)
        .add_userid("Test <test@example.org>")
        .generate()
        .unwrap();
    let secret = cert.primary_key().key().clone().parts_into_secret();
    let mut pair = secret.unwrap().into_keypair().unwrap();
    let file = cert.strip_secret_key_material().to_vec().unwrap();
    let now = created + Duration::from_secs(86_400);
    let parsed = Certificate::parse(&file).unwrap();
    let key = parsed.signing_key(None, now).unwrap();
    let salt: &[u8] = match key.version() {
        KeyVersion::V4 => &[],
        KeyVersion::V6 => &[7; 32],
    };
    let mut document = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    document.update(salt).unwrap();
    document.update(b"an artifact").unwrap();
    let notations = vec![(NOTATION, vec![3; 64])];
    let unsigned = Unsigned::new(&key, notations, now, salt, document).unwrap();
    let (trailer, digest) = (unsigned.trailer.clone(), unsigned.digest.clone());
    let value = match pair.sign(PgpHash::SHA512, digest.as_bytes()).unwrap() {
        mpi::Signature::Ed25519 { s } => *s,
        mpi::Signature::EdDSA { r, s } => {
            let halves = [&r, &s].map(|half| half.value_padded(32).unwrap().into_owned());
            halves.concat().try_into().unwrap()
        }
        other => panic!("{other:?}"),
    };
    let finished = unsigned.finish(&SignatureValue::Ed25519(value), &key);
    (key, finished.unwrap().into_bytes(), trailer, digest)
}

/// The digest was signed as it is, so only a comparison with the trailer can tell.
#[test]
fn a_packet_that_says_anything_else_than_what_was_hashed_does_not_leave() {
    for (profile, lengths) in [(PgpProfile::RFC4880, 2), (PgpProfile::RFC9580, 4)] {
        let (key, packet, trailer, digest) = signed(profile);
        verify(&packet, &key, &trailer, &digest).unwrap();
        let fields = trailer.len() - 6;
        let header = packet
            .windows(fields)
            .position(|part| *part == trailer[..fields]);
        let header = header.expect("the fields stand in the packet");
        for at in 0..fields {
            let mut changed = packet.clone();
            changed[header + at] ^= 1;
            let outcome = verify(&changed, &key, &trailer, &digest);
            assert!(outcome.is_err(), "{profile:?}: octet {at} of {fields}");
        }
        // The last of these stands in the notation: a packet that parses, and whose signature holds.
        let mut changed = packet.clone();
        changed[header + fields - 1] ^= 1;
        let error = verify(&changed, &key, &trailer, &digest).unwrap_err();
        let expected = "the finished signature does not verify: it does not say what was hashed";
        assert_eq!(error.to_string(), expected);
        // What was hashed in front of the device's answer is the whole of version to hashed area.
        assert_eq!(trailer[1], TYPE);
        assert!(fields > 4 + lengths + 64);
    }
}
