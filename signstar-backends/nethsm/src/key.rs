//! The device's words for keys and signatures, and ours.

use base64ct::{Base64, Encoding as _};
use nethsm_sdk_rs::models::{
    KeyPublicData, KeyType, PublicKey as DeviceKey, SignMode, SignRequestData,
};
use signstar_core::{Curve, Digest, HashAlgorithm, PublicKey, SignatureValue};

use crate::der;

/// `DigestInfo` up to the digest (RFC 8017, section 9.2, note 1).
const SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512: &[u8] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// A device's answer about a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is of a kind that makes no OpenPGP signature here.
    #[error("the key is of a kind that cannot sign here")]
    Kind,
    /// The device may not sign with it in the way that is needed.
    #[error("the key's mechanisms do not allow its signatures")]
    Mechanism,
    /// The answer does not have the shape of a key.
    #[error("the answer is no key of its kind")]
    Shape,
}

/// The public half of a key on a device, which must be one that signs.
///
/// # Errors
/// See [`KeyError`].
pub fn public_key(key: &DeviceKey) -> Result<PublicKey, KeyError> {
    use nethsm_sdk_rs::models::KeyMechanism as Mechanism;
    let data = key.public.as_deref().ok_or(KeyError::Kind)?;
    let (needed, public) = match key.r#type {
        KeyType::Curve25519 => (Mechanism::EdDsaSignature, ed25519(data)),
        KeyType::EcP256 => (Mechanism::EcdsaSignature, point(data, Curve::P256)),
        KeyType::EcP384 => (Mechanism::EcdsaSignature, point(data, Curve::P384)),
        KeyType::EcP521 => (Mechanism::EcdsaSignature, point(data, Curve::P521)),
        KeyType::Rsa => (Mechanism::RsaSignaturePkcs1, rsa(data)),
        _ => return Err(KeyError::Kind),
    };
    match key.mechanisms.contains(&needed) {
        true => public.ok_or(KeyError::Shape),
        false => Err(KeyError::Mechanism),
    }
}

fn ed25519(data: &KeyPublicData) -> Option<PublicKey> {
    let bytes = bytes(data.data.as_deref()?)?;
    Some(PublicKey::Ed25519(bytes.try_into().ok()?))
}

fn point(data: &KeyPublicData, curve: Curve) -> Option<PublicKey> {
    let point = bytes(data.data.as_deref()?)?;
    let shaped = point.len() == 1 + 2 * curve.scalar_bytes() && point.first() == Some(&4);
    shaped.then_some(PublicKey::Ecdsa { curve, point })
}

fn rsa(data: &KeyPublicData) -> Option<PublicKey> {
    let number = |text: &Option<String>| {
        let bytes = bytes(text.as_deref()?)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..).map(<[u8]>::to_vec)
    };
    let (n, e) = (number(&data.modulus)?, number(&data.public_exponent)?);
    (!n.is_empty() && !e.is_empty()).then_some(PublicKey::Rsa { n, e })
}

/// What the device is asked, to have `digest` signed by `key`.
pub(crate) fn request(key: &PublicKey, digest: &Digest) -> Option<SignRequestData> {
    let (mode, message) = match key {
        PublicKey::Ed25519(_) => (SignMode::EdDsa, digest.as_bytes().to_vec()),
        PublicKey::Ecdsa { curve, .. } => {
            // It takes as much as a hash of the curve's strength has, not more and not less.
            let length = match curve {
                Curve::P256 => HashAlgorithm::Sha256.digest_bytes(),
                Curve::P384 => HashAlgorithm::Sha384.digest_bytes(),
                Curve::P521 => HashAlgorithm::Sha512.digest_bytes(),
            };
            (SignMode::Ecdsa, digest.as_bytes().get(..length)?.to_vec())
        }
        PublicKey::Rsa { .. } => {
            let head = match digest.algorithm() {
                HashAlgorithm::Sha256 => SHA256,
                HashAlgorithm::Sha384 => SHA384,
                HashAlgorithm::Sha512 => SHA512,
            };
            (SignMode::Pkcs1, [head, digest.as_bytes()].concat())
        }
        PublicKey::MlDsa65Ed25519 { .. } => return None,
    };
    Some(SignRequestData::new(mode, Base64::encode_string(&message)))
}

/// The signature in a device's answer, base64, if it has the shape of one that `key` makes: 64 bytes, DER of
/// two numbers no longer than the curve's, or as many bytes as the modulus. Nothing is verified.
pub fn signature(key: &PublicKey, text: &str) -> Option<SignatureValue> {
    let bytes = bytes(text)?;
    match key {
        PublicKey::Ed25519(_) => Some(SignatureValue::Ed25519(bytes.try_into().ok()?)),
        PublicKey::Ecdsa { curve, .. } => {
            let (r, s) = der::ecdsa_numbers(&bytes)?;
            let fits = r.len().max(s.len()) <= curve.scalar_bytes();
            fits.then_some(SignatureValue::Ecdsa { r, s })
        }
        PublicKey::Rsa { n, .. } => (bytes.len() == n.len()).then_some(SignatureValue::Rsa(bytes)),
        PublicKey::MlDsa65Ed25519 { .. } => None,
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}
