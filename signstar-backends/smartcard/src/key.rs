//! Keys and signatures, between the card's forms and ours.

use openpgp_card::ocard::algorithm::{AlgorithmAttributes, Curve as CardCurve};
use openpgp_card::ocard::crypto::{EccPub, HashAlgo, PublicKeyMaterial, RSAPub, SigningAlgo};
use signstar_core::{Curve, Digest, HashAlgorithm, PublicKey, SignatureValue, SignerError};

use crate::Ident;

/// Bits of a modulus that is neither weak nor longer than OpenPGP programs take.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// No public exponent in use is longer, in bytes.
const EXPONENT_BYTES_MAX: usize = 4;
/// RFC 9580, section 11.2: before the bytes of a point in its native form.
pub(crate) const NATIVE_POINT: u8 = 0x40;

/// The public key in a card's answer.
pub(crate) fn public_key(
    material: &PublicKeyMaterial,
    card: Ident,
) -> Result<PublicKey, SignerError> {
    let found = match material {
        PublicKeyMaterial::E(ecc) => on_curve(ecc),
        PublicKeyMaterial::R(rsa) => modulus(rsa),
    };
    found.ok_or_else(|| {
        SignerError::Failed(format!(
            "card {card}: the key in its signing slot is none of Ed25519, P-256, P-384, P-521, RSA \
             with 2048 to 4096 bits"
        ))
    })
}

fn on_curve(ecc: &EccPub) -> Option<PublicKey> {
    let AlgorithmAttributes::Ecc(attributes) = ecc.algo() else {
        return None;
    };
    let curve = match attributes.curve() {
        CardCurve::Ed25519 => {
            let bytes = match ecc.data() {
                [NATIVE_POINT, bytes @ ..] if bytes.len() == 32 => bytes,
                bytes => bytes,
            };
            return Some(PublicKey::Ed25519(bytes.try_into().ok()?));
        }
        CardCurve::NistP256r1 => Curve::P256,
        CardCurve::NistP384r1 => Curve::P384,
        CardCurve::NistP521r1 => Curve::P521,
        _ => return None,
    };
    let point = ecc.data();
    let whole = point.len() == 1 + 2 * curve.scalar_bytes() && point.first() == Some(&4);
    whole.then(|| PublicKey::Ecdsa {
        curve,
        point: point.to_vec(),
    })
}

fn modulus(rsa: &RSAPub) -> Option<PublicKey> {
    let (n, e) = (trim(rsa.n()), trim(rsa.v()));
    let leading = n.first()?.leading_zeros();
    let bits = n.len() * 8 - usize::try_from(leading).ok()?;
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let sound =
        RSA_BITS.contains(&bits) && odd(n) && odd(e) && e != [1] && e.len() <= EXPONENT_BYTES_MAX;
    sound.then(|| PublicKey::Rsa {
        n: n.to_vec(),
        e: e.to_vec(),
    })
}

fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or(&[])
}

/// What the card is asked to sign: for RSA it gets a `DigestInfo`, for Ed25519 the digest, for ECDSA
/// its leftmost bytes, since not every card shortens a digest by itself.
pub(crate) fn request<'d>(key: &PublicKey, digest: &'d Digest) -> (SigningAlgo, &'d [u8]) {
    let bytes = digest.as_bytes();
    match key {
        // No card has a composite key; its answer would be no signature, see below.
        PublicKey::Ed25519(_) | PublicKey::MlDsa65Ed25519 { .. } => (SigningAlgo::ECC, bytes),
        PublicKey::Ecdsa { curve, .. } => {
            let left = bytes.get(..curve.scalar_bytes()).unwrap_or(bytes);
            (SigningAlgo::ECC, left)
        }
        PublicKey::Rsa { .. } => {
            let hash = match digest.algorithm() {
                HashAlgorithm::Sha256 => HashAlgo::SHA256,
                HashAlgorithm::Sha384 => HashAlgo::SHA384,
                HashAlgorithm::Sha512 => HashAlgo::SHA512,
            };
            (SigningAlgo::RSA(hash), bytes)
        }
    }
}

/// The signature in a card's answer, if that has the form that the key wants.
pub(crate) fn signature(key: &PublicKey, answer: &[u8]) -> Option<SignatureValue> {
    match key {
        PublicKey::MlDsa65Ed25519 { .. } => None,
        PublicKey::Ed25519(_) => Some(SignatureValue::Ed25519(answer.try_into().ok()?)),
        PublicKey::Ecdsa { curve, .. } => {
            let (r, s) = answer.split_at_checked(curve.scalar_bytes())?;
            (r.len() == s.len()).then(|| SignatureValue::Ecdsa {
                r: r.to_vec(),
                s: s.to_vec(),
            })
        }
        PublicKey::Rsa { n, .. } => {
            (answer.len() == n.len()).then(|| SignatureValue::Rsa(answer.to_vec()))
        }
    }
}
