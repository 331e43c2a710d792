//! `key verify`, and what `key sign --verify` does: whether a signature is good, found out here with the
//! public key of the device, by other code than the device's.

use std::path::PathBuf;

use base64ct::{Base64, Encoding as _};
use clap::Args;
use ed25519_dalek::Signature as Ed25519;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{KeyPublicData, KeyType, PublicKey};

use super::data::{Form, read};
use super::key_id;
use super::sign::{Hash, How, Mode, message};
use crate::device::{Device, EITHER};
use crate::failure::{Failure, Status};
use crate::report::Report;

/// The longest modulus that a device has, in bits.
const MODULUS_BITS_MAX: usize = 8192;
/// Signatures have as many bytes as that, in hexadecimal twice, and a line end.
const SIGNATURE_BYTES_MAX: u64 = 4096;

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The key
    id: String,
    #[command(flatten)]
    how: How,
    /// The file that was signed; - for standard input
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// The file with the signature
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    /// In which form the signature is
    #[arg(
        long = "format",
        alias = "form",
        value_name = "FORMAT",
        value_enum,
        default_value = "raw"
    )]
    form: Form,
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    Bad,
    /// There is no code for that here.
    Unknown,
}

pub(crate) fn verify(device: &mut Device, options: &Verify) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let failed = |error: std::io::Error| Failure::with(&options.signature, &error);
    if std::fs::metadata(&options.signature).map_err(failed)?.len() > SIGNATURE_BYTES_MAX {
        let text = format!("{}: is no signature", options.signature.display());
        return Err(Failure::failed(text));
    }
    let signature = std::fs::read(&options.signature).map_err(failed)?;
    let signature = options.form.decoded(&signature)?;
    let key = public(device, id)?;
    let input = read(&options.input)?;
    let message = message(device, id, &options.how, input)?;
    match judged(&key, options.how.mode(), &message, &signature) {
        Verdict::Good => Ok(Report::done(
            format!("good signature of {id}"),
            json!({ "id": id, "good": true }),
        )),
        Verdict::Bad => Ok(Report::done(
            format!("BAD: that is no signature of {id} over this input"),
            json!({ "id": id, "good": false }),
        )
        .ending_with(Status::Wrong)),
        Verdict::Unknown => Err(unknown()),
    }
}

/// What to say where nothing can be found out.
pub(super) fn unknown() -> Failure {
    Failure::usage("signatures of that kind cannot be verified here")
}

/// The public half of a key.
pub(super) fn public(device: &mut Device, id: &str) -> Result<PublicKey, Failure> {
    device.read(EITHER, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, id)
    })
}

/// Whether there is code for that here; asked before the device signs.
pub(super) fn known(kind: KeyType, mode: Mode) -> bool {
    let brainpool = matches!(
        kind,
        KeyType::BrainpoolP256 | KeyType::BrainpoolP384 | KeyType::BrainpoolP512
    );
    !brainpool && !matches!(mode, Mode::PssMd5 | Mode::PssSha1)
}

/// `message` is what the device was given: a digest, or what stands for it in the mode.
pub(crate) fn judged(key: &PublicKey, mode: Mode, message: &[u8], signature: &[u8]) -> Verdict {
    if !known(key.r#type, mode) {
        return Verdict::Unknown;
    }
    let good = key
        .public
        .as_deref()
        .and_then(|public| good(key.r#type, public, mode, message, signature));
    match good {
        Some(true) => Verdict::Good,
        // A signature that cannot be read is none.
        Some(false) | None => Verdict::Bad,
    }
}

fn good(
    kind: KeyType,
    public: &KeyPublicData,
    mode: Mode,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let bytes = |text: &Option<String>| Base64::decode_vec(text.as_deref()?).ok();
    if kind == KeyType::Rsa {
        let (n, e) = (bytes(&public.modulus)?, bytes(&public.public_exponent)?);
        return rsa(&n, &e, mode, message, signature);
    }
    let point = bytes(&public.data)?;
    Some(match (kind, mode) {
        (KeyType::Curve25519, Mode::Eddsa) => {
            let key = ed25519_dalek::VerifyingKey::try_from(point.as_slice()).ok()?;
            let signature = Ed25519::from_slice(signature).ok()?;
            key.verify_strict(message, &signature).is_ok()
        }
        (KeyType::EcP256, Mode::Ecdsa) => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
            let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
            key.verify_prehash(message, &signature).is_ok()
        }
        (KeyType::EcP384, Mode::Ecdsa) => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
            let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
            key.verify_prehash(message, &signature).is_ok()
        }
        (KeyType::EcP521, Mode::Ecdsa) => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
            let signature = p521::ecdsa::Signature::from_der(signature).ok()?;
            key.verify_prehash(message, &signature).is_ok()
        }
        (KeyType::EcP256K1, Mode::Ecdsa) => {
            let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
            let signature = k256::ecdsa::Signature::from_der(signature).ok()?;
            // Of the two that are equally good, that library takes one alone.
            let signature = signature.normalize_s().unwrap_or(signature);
            key.verify_prehash(message, &signature).is_ok()
        }
        (KeyType::EcP256K1, Mode::Bip340) => {
            let x = point.get(1..33)?;
            let key = k256::schnorr::VerifyingKey::from_bytes(x).ok()?;
            let signature = k256::schnorr::Signature::try_from(signature).ok()?;
            key.verify_raw(message, &signature).is_ok()
        }
        _ => return None,
    })
}

fn rsa(n: &[u8], e: &[u8], mode: Mode, message: &[u8], signature: &[u8]) -> Option<bool> {
    let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    let bits = n.bits();
    let key = RsaPublicKey::new_with_max_size(n, e, MODULUS_BITS_MAX).ok()?;
    let number = BigUint::from_bytes_be(signature);
    if signature.len() != key.size() || number >= *key.n() {
        return None;
    }
    let opened = number.modpow(key.e(), key.n()).to_bytes_be();
    let padded = |length: usize| {
        let zeros = length.checked_sub(opened.len())?;
        Some([vec![0; zeros], opened.clone()].concat())
    };
    let hash = match mode {
        Mode::Pkcs1 => {
            // RFC 8017, section 9.2.
            let fill = key.size().checked_sub(message.len())?.checked_sub(3)?;
            let expected = [&[0, 1][..], &vec![0xff; fill], &[0], message].concat();
            return Some(fill >= 8 && padded(key.size())? == expected);
        }
        Mode::PssSha224 => Hash::Sha224,
        Mode::PssSha256 => Hash::Sha256,
        Mode::PssSha384 => Hash::Sha384,
        Mode::PssSha512 => Hash::Sha512,
        _ => return None,
    };
    let bits = bits.checked_sub(1)?;
    pss(&padded(bits.div_ceil(8))?, bits, hash, message)
}

/// EMSA-PSS-VERIFY (RFC 8017, section 9.1.2), with a salt as long as the digest.
fn pss(encoded: &[u8], bits: usize, hash: Hash, digest: &[u8]) -> Option<bool> {
    let length = hash.bytes();
    let (&last, rest) = encoded.split_last()?;
    let (masked, h) = rest.split_at_checked(rest.len().checked_sub(length)?)?;
    if last != 0xbc || digest.len() != length {
        return Some(false);
    }
    let unused = encoded.len() * 8 - bits;
    let mut block: Vec<u8> = Vec::with_capacity(masked.len());
    for (byte, mask) in masked.iter().zip(mgf1(h, masked.len(), hash)) {
        block.push(byte ^ mask);
    }
    let top = 0xff_u8.checked_shr(u32::try_from(unused).ok()?)?;
    let first = block.first_mut()?;
    *first &= top;
    let (zeros, salt) = block.split_at_checked(block.len().checked_sub(length)?)?;
    let (one, zeros) = zeros.split_last()?;
    let again = hash.digest(&[&[0; 8], digest, salt].concat());
    let clear = masked.first()? & !top == 0;
    Some(clear && *one == 1 && zeros.iter().all(|zero| *zero == 0) && again == h)
}

/// MGF1 (RFC 8017, appendix B.2.1).
fn mgf1(seed: &[u8], length: usize, hash: Hash) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + hash.bytes());
    for counter in 0_u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend(hash.digest(&[seed, &counter.to_be_bytes()].concat()));
    }
    mask.truncate(length);
    mask
}
