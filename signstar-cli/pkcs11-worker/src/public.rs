//! The public half of a key, from the attributes that a token shows.

use cryptoki::object::{Attribute, AttributeType, KeyType, MlDsaParameterSetType, ObjectHandle};
use cryptoki::session::Session;
use signstar_core::{Curve, ML_DSA_65_KEY_BYTES, PublicKey, WorkerFault as Fault};

use crate::key::attributes;

/// CKA_EC_PARAMS as object identifiers in DER (RFC 5480, RFC 8410), and the name that PKCS#11 3.0
/// allows instead, as a PrintableString.
pub const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// The same of P-384.
pub const P384: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x22";
/// The same of P-521.
pub const P521: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x23";
/// The same of Ed25519.
pub const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";

/// What the attributes of a public key say.
#[derive(Default)]
struct Parts {
    kind: Option<KeyType>,
    parameters: Vec<u8>,
    point: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Reads the public key `object`.
///
/// # Errors
/// [`Fault::KeyKind`], [`Fault::HalfMissing`], [`Fault::Shape`], or the module's own.
pub fn read(session: &Session, object: ObjectHandle) -> Result<PublicKey, Fault> {
    let mut parts = Parts::default();
    for attribute in attributes(session, object, &[AttributeType::KeyType])? {
        if let Attribute::KeyType(kind) = attribute {
            parts.kind = Some(kind);
        }
    }
    // Only what the kind has: some modules refuse the whole question otherwise.
    let wanted: &[AttributeType] = match parts.kind {
        Some(KeyType::RSA) => &[AttributeType::Modulus, AttributeType::PublicExponent],
        Some(KeyType::EC | KeyType::EC_EDWARDS) => {
            &[AttributeType::EcParams, AttributeType::EcPoint]
        }
        Some(KeyType::ML_DSA) => return Err(Fault::HalfMissing),
        _ => return Err(Fault::KeyKind),
    };
    for attribute in attributes(session, object, wanted)? {
        match attribute {
            Attribute::EcParams(bytes) => parts.parameters = bytes,
            Attribute::EcPoint(bytes) => parts.point = bytes,
            Attribute::Modulus(bytes) => parts.modulus = bytes,
            Attribute::PublicExponent(bytes) => parts.exponent = bytes,
            _ => {}
        }
    }
    assemble(&parts)
}

/// Reads the ML-DSA-65 half of a composite key, the public key `object` (PKCS#11 3.2, section 6.67).
///
/// # Errors
/// [`Fault::HalfKind`], [`Fault::Shape`], or the module's own.
pub fn read_ml_dsa(
    session: &Session,
    object: ObjectHandle,
) -> Result<Box<[u8; ML_DSA_65_KEY_BYTES]>, Fault> {
    let kind = attributes(session, object, &[AttributeType::KeyType])?;
    if kind != [Attribute::KeyType(KeyType::ML_DSA)] {
        return Err(Fault::HalfKind);
    }
    let wanted = [AttributeType::ParameterSet, AttributeType::Value];
    let (mut set, mut value) = (None, Vec::new());
    for attribute in attributes(session, object, &wanted)? {
        match attribute {
            Attribute::ParameterSet(found) => set = Some(MlDsaParameterSetType::from(found)),
            Attribute::Value(bytes) => value = bytes,
            _ => {}
        }
    }
    match set {
        Some(MlDsaParameterSetType::ML_DSA_65) => value.try_into().map_err(|_| Fault::Shape),
        _ => Err(Fault::HalfKind),
    }
}

fn assemble(parts: &Parts) -> Result<PublicKey, Fault> {
    let curve = match (parts.kind, parts.parameters.as_slice()) {
        (Some(KeyType::RSA), _) => {
            return Ok(PublicKey::Rsa {
                n: trim(&parts.modulus),
                e: trim(&parts.exponent),
            });
        }
        (Some(KeyType::EC_EDWARDS), ED25519 | ED25519_NAME) => {
            let point = point(&parts.point, 32).and_then(|point| point.try_into().ok());
            return point.map(PublicKey::Ed25519).ok_or(Fault::Shape);
        }
        (Some(KeyType::EC), P256) => Curve::P256,
        (Some(KeyType::EC), P384) => Curve::P384,
        (Some(KeyType::EC), P521) => Curve::P521,
        _ => return Err(Fault::KeyKind),
    };
    let point = point(&parts.point, 1 + 2 * curve.scalar_bytes()).ok_or(Fault::Shape)?;
    match point.first() {
        Some(4) => Ok(PublicKey::Ecdsa {
            curve,
            point: point.to_vec(),
        }),
        _ => Err(Fault::Shape),
    }
}

/// CKA_EC_POINT of a point that has `length` bytes: as it is, or as a DER OCTET STRING, which the
/// standard wants for some curves and which modules do as they like.
fn point(bytes: &[u8], length: usize) -> Option<&[u8]> {
    if bytes.len() == length {
        return Some(bytes);
    }
    let header: &[u8] = match u8::try_from(length).ok()? {
        short @ ..0x80 => &[0x04, short],
        long => &[0x04, 0x81, long],
    };
    let inner = bytes.strip_prefix(header)?;
    (inner.len() == length).then_some(inner)
}

/// The big-endian number without its leading zeros.
fn trim(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.iter().copied().skip(zeros).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_raw_or_as_an_octet_string() {
        for (length, header) in [
            (32, &[0x04, 0x20][..]),
            (65, &[0x04, 0x41]),
            (97, &[0x04, 0x61]),
            (133, &[0x04, 0x81, 0x85]),
        ] {
            let raw = vec![4; length];
            let wrapped = [header, &raw].concat();
            assert_eq!(point(&raw, length), Some(raw.as_slice()));
            assert_eq!(point(&wrapped, length), Some(raw.as_slice()));
            assert_eq!(point(&raw[1..], length), None);
            assert_eq!(point(&wrapped[1..], length).map(<[u8]>::len), None);
            assert_eq!(point(&[&wrapped[..], &[0]].concat(), length), None);
        }
    }

    #[test]
    fn a_key_is_of_a_kind_and_curve_that_signs_here() {
        let of = |kind, parameters: &[u8], point: &[u8]| {
            assemble(&Parts {
                kind: Some(kind),
                parameters: parameters.to_vec(),
                point: point.to_vec(),
                ..Parts::default()
            })
        };
        let point = [&[4][..], &[7; 64]].concat();
        let p256 = PublicKey::Ecdsa {
            curve: Curve::P256,
            point: point.clone(),
        };
        assert_eq!(of(KeyType::EC, P256, &point), Ok(p256));
        assert_eq!(of(KeyType::EC, P384, &point), Err(Fault::Shape));
        assert_eq!(of(KeyType::EC, P256, &[2; 65]), Err(Fault::Shape));
        // secp256k1
        assert_eq!(
            of(KeyType::EC, b"\x06\x05\x2b\x81\x04\x00\x0a", &point),
            Err(Fault::KeyKind)
        );
        assert_eq!(of(KeyType::EC_EDWARDS, P256, &point), Err(Fault::KeyKind));
        for name in [ED25519, ED25519_NAME] {
            assert_eq!(
                of(KeyType::EC_EDWARDS, name, &[9; 32]),
                Ok(PublicKey::Ed25519([9; 32]))
            );
        }
        // Ed448
        assert_eq!(
            of(KeyType::EC_EDWARDS, b"\x06\x03\x2b\x65\x71", &[9; 57]),
            Err(Fault::KeyKind)
        );
        assert_eq!(of(KeyType::AES, P256, &point), Err(Fault::KeyKind));
    }
}
