//! What every signer of every back end promises, checked for one opened key.
//!
//! Signatures are verified by OpenSSL, whatever made them.

use signstar_core::{
    Curve, Digest, HashAlgorithm, Hasher, PublicKey, RawSignature, SignatureValue, Signer,
};

use crate::openssl::OpenSsl;

/// Whether a device counts the signatures of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// It does not, and says so.
    Absent,
    /// Each signature adds one, and nothing else does.
    EverySignature,
}

/// Checks every promise for the key behind `signer`, which must be of the kind `name`
/// ([`PublicKey::name`]).
pub fn check(signer: &mut dyn Signer, name: &str, counting: Counting) {
    assert_eq!(signer.public_key().name(), name);
    has_a_well_formed_public_key(signer);
    signs_every_allowed_digest(signer);
    refuses_digests_that_are_shorter_than_its_curve(signer, counting);
    signs_one_after_the_other(signer, counting);
}

/// The public key has the shape that its type documents, is a key to OpenSSL, and stays the same.
pub fn has_a_well_formed_public_key(signer: &mut dyn Signer) {
    let key = signer.public_key().clone();
    match &key {
        PublicKey::Ed25519(_) | PublicKey::MlDsa65Ed25519 { .. } => {}
        PublicKey::Ecdsa { curve, point } => {
            assert_eq!(point.len(), 1 + 2 * curve.scalar_bytes(), "{curve:?}");
            assert_eq!(point[0], 4, "the point is uncompressed");
        }
        PublicKey::Rsa { n, e } => {
            for number in [n, e] {
                assert_ne!(number[0], 0, "numbers have no leading zeros");
                assert_eq!(number[number.len() - 1] % 2, 1, "both numbers are odd");
            }
            assert_ne!(*e, [1], "the exponent is larger than one");
        }
    }
    let _ = OpenSsl::new(&key);
    sign(signer, strongest(), "the public key stays the same");
    assert_eq!(*signer.public_key(), key);
}

/// A digest of each hash that the key may sign gives a signature that OpenSSL verifies for this
/// digest and for no other.
pub fn signs_every_allowed_digest(signer: &mut dyn Signer) {
    let openssl = OpenSsl::new(signer.public_key());
    for hash in allowed(signer.public_key()) {
        let text = format!("{hash} signed");
        let value = sign(signer, hash, &text).value;
        assert!(openssl.verifies(&digest(hash, &text), &value), "{hash}");
        assert!(!openssl.verifies(&digest(hash, "other"), &value), "{hash}");
    }
}

/// A digest that is weaker than the curve (RFC 9580, section 5.2.3.2) is refused, nothing is
/// signed in its place, and the signer goes on afterwards.
pub fn refuses_digests_that_are_shorter_than_its_curve(
    signer: &mut dyn Signer,
    counting: Counting,
) {
    let before = sign(signer, strongest(), "before").counter;
    let allowed = allowed(signer.public_key());
    for hash in HashAlgorithm::ALL {
        if !allowed.contains(&hash) {
            let answer = signer.sign(&digest(hash, "too short"));
            assert!(answer.is_err(), "{hash} was signed");
        }
    }
    let after = sign(signer, strongest(), "after").counter;
    if counting == Counting::EverySignature {
        assert_eq!(after, before.map(|counter| counter + 1), "a refusal counts");
    }
}

/// Signatures made one after the other are each of their own digest, and are counted.
pub fn signs_one_after_the_other(signer: &mut dyn Signer, counting: Counting) {
    let openssl = OpenSsl::new(signer.public_key());
    let texts = ["first", "second", "third"];
    let made = texts.map(|text| sign(signer, strongest(), text));
    for (text, raw) in texts.iter().zip(&made) {
        let digest = digest(strongest(), text);
        assert!(openssl.verifies(&digest, &raw.value), "{text}");
    }
    let counters = made.map(|raw| raw.counter);
    match (counting, counters) {
        (Counting::Absent, counters) => assert_eq!(counters, [None; 3]),
        (Counting::EverySignature, [Some(first), second, third]) => {
            assert_eq!([second, third], [Some(first + 1), Some(first + 2)]);
            assert_ne!(first, 0, "a signature counts itself");
        }
        (Counting::EverySignature, [None, ..]) => panic!("the signer does not count"),
    }
}

/// Has a digest signed and checks the answer's shape.
fn sign(signer: &mut dyn Signer, hash: HashAlgorithm, text: &str) -> RawSignature {
    let raw = signer.sign(&digest(hash, text)).unwrap();
    let within = |number: &[u8], most: usize| {
        assert!(number.len() <= most, "{} of {most} bytes", number.len());
        assert!(number.iter().any(|&byte| byte != 0), "the number is zero");
    };
    match (&raw.value, signer.public_key()) {
        (SignatureValue::Ed25519(_), PublicKey::Ed25519(_)) => {}
        (SignatureValue::MlDsa65Ed25519 { .. }, PublicKey::MlDsa65Ed25519 { .. }) => {}
        (SignatureValue::Ecdsa { r, s }, PublicKey::Ecdsa { curve, .. }) => {
            within(r, curve.scalar_bytes());
            within(s, curve.scalar_bytes());
        }
        (SignatureValue::Rsa(s), PublicKey::Rsa { n, .. }) => within(s, n.len()),
        (value, key) => panic!("a key {} made {value:?}", key.name()),
    }
    raw
}

fn digest(hash: HashAlgorithm, text: &str) -> Digest {
    let mut hasher = Hasher::new(hash, u64::MAX);
    hasher.update(text.as_bytes()).unwrap();
    hasher.finish()
}

/// Every key signs its digests.
fn strongest() -> HashAlgorithm {
    HashAlgorithm::Sha512
}

/// The hashes that are as strong as the key's curve.
pub fn allowed(key: &PublicKey) -> Vec<HashAlgorithm> {
    let weakest = match key {
        PublicKey::Ecdsa { curve, .. } => match curve {
            Curve::P256 => HashAlgorithm::Sha256,
            Curve::P384 => HashAlgorithm::Sha384,
            Curve::P521 => HashAlgorithm::Sha512,
        },
        PublicKey::Ed25519(_) | PublicKey::Rsa { .. } | PublicKey::MlDsa65Ed25519 { .. } => {
            HashAlgorithm::Sha256
        }
    };
    let all = HashAlgorithm::ALL.into_iter();
    all.filter(|hash| *hash >= weakest).collect()
}
