//! Numbers that are no key, as a damaged or forged secret key file can hold them: they are refused
//! and nothing panics, and whatever opens all the same signs rightly.

use proptest::prelude::*;
use signstar_core::{Curve, Digest, HashAlgorithm, PublicKey, SecretMaterial};
use signstar_testkit::key::TestKey;
use signstar_testkit::openssl::OpenSsl;
use zeroize::Zeroizing;

/// Opens what opens, and has OpenSSL verify what it signs.
fn open_and_sign(material: SecretMaterial) -> Result<(), TestCaseError> {
    let Ok(mut opened) = signstar_software::open(material) else {
        return Ok(());
    };
    let signer = opened.signer.as_mut();
    let digest = Digest::new(HashAlgorithm::Sha512, &[0x5a; 64]);
    let digest = digest.ok_or(TestCaseError::fail("64 bytes are a SHA-512"))?;
    let signed = signer.sign(&digest);
    let raw = signed.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let openssl = OpenSsl::new(signer.public_key());
    prop_assert!(openssl.verifies(&digest, &raw.value));
    Ok(())
}

/// n, e, d, p and q of the test key.
fn rsa_numbers() -> [Vec<u8>; 5] {
    match TestKey::named("rsa2048").material() {
        SecretMaterial::Rsa { n, e, d, p, q } => [n, e, d.to_vec(), p.to_vec(), q.to_vec()],
        _ => Default::default(),
    }
}

fn rsa([n, e, d, p, q]: [Vec<u8>; 5]) -> SecretMaterial {
    let [d, p, q] = [d, p, q].map(Zeroizing::new);
    SecretMaterial::Rsa { n, e, d, p, q }
}

/// Numbers at their limits, small ones, and those that belong to another place of the key.
fn number() -> impl Strategy<Value = Vec<u8>> {
    let own = rsa_numbers().to_vec();
    prop_oneof![
        Just(Vec::new()),
        (0_u8..=7).prop_map(|byte| vec![byte]),
        (1_usize..=513).prop_map(|length| vec![0xff; length]),
        (1_usize..=513).prop_map(|length| [vec![0; length - 1], vec![1]].concat()),
        (1_usize..=513).prop_map(|length| [vec![1], vec![0; length - 1]].concat()),
        prop::collection::vec(any::<u8>(), 1..300),
        prop::sample::select(own),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn rsa_numbers_that_are_exchanged_open_nothing_that_signs_wrongly(
        changes in prop::collection::vec((0_usize..5, number()), 1..4)
    ) {
        let mut numbers = rsa_numbers();
        for (at, number) in changes {
            if let Some(place) = numbers.get_mut(at) {
                *place = number;
            }
        }
        open_and_sign(rsa(numbers))?;
    }

    #[test]
    fn rsa_numbers_with_a_flipped_bit_open_nothing_that_signs_wrongly(
        at in 0_usize..5, byte in any::<prop::sample::Index>(), bit in 0_u8..8
    ) {
        let mut numbers = rsa_numbers();
        if let Some(number) = numbers.get_mut(at) {
            let index = byte.index(number.len());
            if let Some(byte) = number.get_mut(index) {
                *byte ^= 1 << bit;
            }
        }
        open_and_sign(rsa(numbers))?;
    }

    #[test]
    fn scalars_of_any_length_open_nothing_that_signs_wrongly(
        curve in prop::sample::select(vec![Curve::P256, Curve::P384, Curve::P521]),
        scalar in prop_oneof![number(), prop::collection::vec(any::<u8>(), 30..70)]
    ) {
        let scalar = Zeroizing::new(scalar);
        open_and_sign(SecretMaterial::Ecdsa { curve, scalar })?;
    }
}

#[test]
fn the_unchanged_numbers_open() {
    let opened = signstar_software::open(rsa(rsa_numbers()));
    let name = opened.map(|opened| opened.signer.public_key().name());
    assert_eq!(name, Ok("rsa2048".to_owned()));
    let key = TestKey::named("rsa2048").signing_key();
    assert!(matches!(key.public_key(), PublicKey::Rsa { n, .. } if *n == rsa_numbers()[0]));
}
