//! One signature of one digest, in the mechanisms that every module has, and ML-DSA.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::dsa::{HedgeType, SignAdditionalContext};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::ObjectHandle;
use signstar_core::{Digest, HashAlgorithm, PublicKey, SignatureValue, WorkerFault as Fault};
use signstar_pkcs11_worker::fault;
use signstar_pkcs11_worker::key::Private;
use signstar_pkcs11_worker::token::Token;

/// `DigestInfo` up to the digest (RFC 8017, section 9.2, note 1).
const SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512: &[u8] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// Has `digest` signed by `key`, whose public half is `public`. Both halves of a composite key sign
/// it, or there is no signature.
pub(crate) fn sign(
    token: &Token,
    key: &Private,
    public: &PublicKey,
    digest: &Digest,
) -> Result<SignatureValue, Fault> {
    let (ed25519, ml_dsa) = match key {
        Private::Whole(key) => return sign_whole(token, *key, public, digest),
        Private::Halves { ed25519, ml_dsa } => (*ed25519, *ml_dsa),
    };
    // The digest is the message of both (RFC 9580; RFC 9980), and the context is empty.
    let ml_dsa = sign_bytes(token, ml_dsa, &pure_ml_dsa(), digest.as_bytes())?;
    let ed25519 = sign_bytes(token, ed25519, &pure_ed25519(), digest.as_bytes())?;
    Ok(SignatureValue::MlDsa65Ed25519 {
        ed25519: ed25519.try_into().map_err(|_| Fault::Shape)?,
        ml_dsa: ml_dsa.try_into().map_err(|_| Fault::Shape)?,
    })
}

fn sign_whole(
    token: &Token,
    key: ObjectHandle,
    public: &PublicKey,
    digest: &Digest,
) -> Result<SignatureValue, Fault> {
    let (mechanism, input) = match public {
        PublicKey::Ed25519(_) => (pure_ed25519(), digest.as_bytes().to_vec()),
        PublicKey::Ecdsa { curve, .. } => {
            // The leftmost bits, taken here: not every module takes more than its curve has.
            let leftmost = digest.as_bytes().iter().take(curve.scalar_bytes());
            (Mechanism::Ecdsa, leftmost.copied().collect())
        }
        PublicKey::Rsa { .. } => (Mechanism::RsaPkcs, digest_info(digest)),
        PublicKey::MlDsa65Ed25519 { .. } => return Err(Fault::HalfKind),
    };
    shape(public, sign_bytes(token, key, &mechanism, &input)?)
}

fn sign_bytes(
    token: &Token,
    key: ObjectHandle,
    mechanism: &Mechanism<'_>,
    bytes: &[u8],
) -> Result<Vec<u8>, Fault> {
    let made = token.session.sign(mechanism, key, bytes);
    made.map_err(|error| fault::of(&error, Fault::Sign))
}

fn pure_ed25519() -> Mechanism<'static> {
    Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure))
}

fn pure_ml_dsa() -> Mechanism<'static> {
    Mechanism::MlDsa(SignAdditionalContext::new(HedgeType::Preferred, None))
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
