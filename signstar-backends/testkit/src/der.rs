//! Just enough DER to hand public keys and ECDSA signatures to OpenSSL.

use signstar_core::{Curve, PublicKey};

/// Algorithm identifiers: ed25519 (RFC 8410); id-ecPublicKey with the curve (RFC 5480);
/// rsaEncryption (RFC 3279).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7); of a composite key its Ed25519 half.
pub(crate) fn public_key(key: &PublicKey) -> Vec<u8> {
    let (algorithm, bits) = match key {
        PublicKey::Ed25519(point) | PublicKey::MlDsa65Ed25519 { ed25519: point, .. } => {
            (ED25519.to_vec(), point.to_vec())
        }
        PublicKey::Ecdsa { curve, point } => {
            let curve = match curve {
                Curve::P256 => P256,
                Curve::P384 => P384,
                Curve::P521 => P521,
            };
            ([EC, curve].concat(), point.clone())
        }
        PublicKey::Rsa { n, e } => (RSA.to_vec(), integers(&[n, e])),
    };
    let algorithm = element(SEQUENCE, &algorithm);
    let bits = element(BIT_STRING, &[&[0][..], &bits].concat());
    element(SEQUENCE, &[algorithm, bits].concat())
}

/// `SEQUENCE` of `INTEGER`s from big-endian numbers that are not negative.
pub(crate) fn integers(numbers: &[&[u8]]) -> Vec<u8> {
    let integers: Vec<Vec<u8>> = numbers.iter().map(|number| integer(number)).collect();
    element(SEQUENCE, &integers.concat())
}

fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let mut value = number[zeros..].to_vec();
    if value.first().is_none_or(|&byte| byte >= 0x80) {
        value.insert(0, 0);
    }
    element(INTEGER, &value)
}

fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let mut bytes = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        0x100.. => vec![tag, 0x82, high, low],
    };
    bytes.extend_from_slice(value);
    bytes
}
