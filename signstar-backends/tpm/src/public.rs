//! The public area of a signing key, and what is made of signatures.

use signstar_core::{Curve, Digest, HashAlgorithm, PublicKey, SignatureValue, SignerError};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::structures::{HashScheme, Public, Signature, SignatureScheme};

use crate::error::nonsense;

/// What a public exponent of zero stands for (TPM 2.0 Library, part 2, `TPMS_RSA_PARMS`).
const DEFAULT_EXPONENT: u32 = 65537;

/// The key in `public`, which must be able to sign what it is given.
pub(crate) fn key(public: &Public) -> Result<PublicKey, SignerError> {
    let unfit = |why: &str| SignerError::Failed(format!("the key at this place {why}"));
    let attributes = public.object_attributes();
    if !attributes.sign_encrypt() {
        return Err(unfit("does not sign"));
    }
    if attributes.restricted() {
        return Err(unfit(
            "signs only what the TPM has made itself (restricted)",
        ));
    }
    match public {
        Public::Rsa {
            parameters, unique, ..
        } => {
            let exponent = match parameters.exponent().value() {
                0 => DEFAULT_EXPONENT,
                exponent => exponent,
            };
            let e: Vec<u8> = exponent
                .to_be_bytes()
                .into_iter()
                .skip_while(|byte| *byte == 0)
                .collect();
            let n = unique.value().to_vec();
            match (n.len(), n.first()) {
                (256 | 384 | 512, Some(0x80..)) => Ok(PublicKey::Rsa { n, e }),
                _ => Err(unfit("has a size that is not used here")),
            }
        }
        Public::Ecc {
            parameters, unique, ..
        } => {
            let curve = match parameters.ecc_curve() {
                EccCurve::NistP256 => Curve::P256,
                EccCurve::NistP384 => Curve::P384,
                EccCurve::NistP521 => Curve::P521,
                _ => return Err(unfit("is on a curve that is not used here")),
            };
            let mut point = vec![4];
            for coordinate in [unique.x(), unique.y()] {
                let bytes = coordinate.value();
                let missing = curve.scalar_bytes().checked_sub(bytes.len());
                point.resize(point.len() + missing.ok_or_else(nonsense)?, 0);
                point.extend_from_slice(bytes);
            }
            Ok(PublicKey::Ecdsa { curve, point })
        }
        _ => Err(unfit("is no key pair")),
    }
}

/// How a key of this kind signs this digest.
pub(crate) fn scheme(key: &PublicKey, digest: &Digest) -> SignatureScheme {
    let hash_scheme = HashScheme::new(match digest.algorithm() {
        HashAlgorithm::Sha256 => HashingAlgorithm::Sha256,
        HashAlgorithm::Sha384 => HashingAlgorithm::Sha384,
        HashAlgorithm::Sha512 => HashingAlgorithm::Sha512,
    });
    match key {
        PublicKey::Rsa { .. } => SignatureScheme::RsaSsa { hash_scheme },
        // No TPM gives the latter two.
        PublicKey::Ecdsa { .. } | PublicKey::Ed25519(_) | PublicKey::MlDsa65Ed25519 { .. } => {
            SignatureScheme::EcDsa { hash_scheme }
        }
    }
}

/// The numbers of a signature, which must be one of this kind of key.
pub(crate) fn value(key: &PublicKey, signature: &Signature) -> Result<SignatureValue, SignerError> {
    match (key, signature) {
        (PublicKey::Rsa { n, .. }, Signature::RsaSsa(signature)) => {
            let number = signature.signature().value();
            match number.len() == n.len() {
                true => Ok(SignatureValue::Rsa(number.to_vec())),
                false => Err(nonsense()),
            }
        }
        (PublicKey::Ecdsa { curve, .. }, Signature::EcDsa(signature)) => {
            let [r, s] = [signature.signature_r(), signature.signature_s()];
            let (r, s) = (r.value().to_vec(), s.value().to_vec());
            match [&r, &s]
                .iter()
                .all(|number| number.len() <= curve.scalar_bytes())
            {
                true => Ok(SignatureValue::Ecdsa { r, s }),
                false => Err(nonsense()),
            }
        }
        _ => Err(nonsense()),
    }
}
