//! One signature of one digest, in the mechanisms that every module has.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::ObjectHandle;
use signstar_core::{Digest, HashAlgorithm, PublicKey, SignatureValue, WorkerFault as Fault};

use crate::fault;
use crate::token::Token;

/// `DigestInfo` up to the digest (RFC 8017, section 9.2, note 1).
const SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512: &[u8] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// Has `digest` signed by `key`, whose public half is `public`.
pub(crate) fn sign(
    token: &Token,
    key: ObjectHandle,
    public: &PublicKey,
    digest: &Digest,
) -> Result<SignatureValue, Fault> {
    let (mechanism, input) = match public {
        PublicKey::Ed25519(_) => {
            let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
            (Mechanism::Eddsa(pure), digest.as_bytes().to_vec())
        }
        PublicKey::Ecdsa { curve, .. } => {
            // The leftmost bits, taken here: not every module takes more than its curve has.
            let leftmost = digest.as_bytes().iter().take(curve.scalar_bytes());
            (Mechanism::Ecdsa, leftmost.copied().collect())
        }
        PublicKey::Rsa { .. } => (Mechanism::RsaPkcs, digest_info(digest)),
    };
    let made = token.session.sign(&mechanism, key, &input);
    shape(
        public,
        made.map_err(|error| fault::of(&error, Fault::Sign))?,
    )
}

fn digest_info(digest: &Digest) -> Vec<u8> {
    let head = match digest.algorithm() {
        HashAlgorithm::Sha256 => SHA256,
        HashAlgorithm::Sha384 => SHA384,
        HashAlgorithm::Sha512 => SHA512,
    };
    [head, digest.as_bytes()].concat()
}

/// The module's answer as numbers of the lengths that they must have.
fn shape(public: &PublicKey, bytes: Vec<u8>) -> Result<SignatureValue, Fault> {
    match public {
        PublicKey::Ed25519(_) => {
            let bytes = bytes.try_into().map_err(|_| Fault::Shape)?;
            Ok(SignatureValue::Ed25519(bytes))
        }
        PublicKey::Ecdsa { curve, .. } if bytes.len() == 2 * curve.scalar_bytes() => {
            let (r, s) = bytes.split_at(curve.scalar_bytes());
            let (r, s) = (r.to_vec(), s.to_vec());
            Ok(SignatureValue::Ecdsa { r, s })
        }
        PublicKey::Rsa { n, .. } if bytes.len() == n.len() => Ok(SignatureValue::Rsa(bytes)),
        _ => Err(Fault::Shape),
    }
}
