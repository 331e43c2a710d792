//! The format of update images.
//!
//! `_NETHSM_UPDATE_` and a zero, then three fields with lengths of three bytes (signature, release
//! notes, version), the number of blocks of 512 bytes in four, and the blocks. The signature is RSA,
//! PKCS#1 v1.5 with SHA-256, over everything after it. No recording has an accepted image.

use rsa::sha2::{Digest as _, Sha256};
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};

use crate::crypto::der::Reader;
use crate::crypto::pem;
use crate::exchange::Refusal;

const HEADER: &[u8] = b"_NETHSM_UPDATE_\0";
const BLOCK_BYTES: usize = 512;

/// An image whose signature is right.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) notes: Vec<u8>,
    pub(crate) version: (u32, u32),
}

/// Reads and verifies an image.
///
/// # Errors
/// The device's messages; without a key no signature is right.
pub(crate) fn parse(image: &[u8], key: Option<&str>) -> Result<Image, Refusal> {
    let mut rest = image;
    if take(&mut rest, HEADER.len())? != HEADER {
        return Err(Refusal::bad("Invalid update file"));
    }
    let signature = field(&mut rest)?;
    let signed = rest;
    let notes = field(&mut rest)?;
    let version = field(&mut rest)?;
    let version = parse_version(version)
        .ok_or_else(|| Refusal::bad("Failed to decode version: expected major.minor"))?;
    let blocks = take(&mut rest, 4)?;
    let blocks = blocks
        .iter()
        .fold(0, |count, byte| (count << 8) | usize::from(*byte));
    if rest.len() != blocks * BLOCK_BYTES {
        return Err(Refusal::bad("unexpected end of data"));
    }
    let verified = key.and_then(public_key).is_some_and(|key| {
        let digest = Sha256::digest(signed);
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature)
            .is_ok()
    });
    if !verified {
        return Err(Refusal::bad("Signature check of update image failed."));
    }
    Ok(Image {
        notes: notes.to_vec(),
        version,
    })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Refusal> {
    let (taken, after) = rest
        .split_at_checked(count)
        .ok_or_else(|| Refusal::bad("Unexpected end of data"))?;
    *rest = after;
    Ok(taken)
}

/// Three bytes of length, and as much as they say.
fn field<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Refusal> {
    let length = take(rest, 3)?;
    let length = length
        .iter()
        .fold(0, |length, byte| (length << 8) | usize::from(*byte));
    take(rest, length)
}

fn parse_version(text: &[u8]) -> Option<(u32, u32)> {
    let (major, minor) = std::str::from_utf8(text).ok()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The RSA key of a SubjectPublicKeyInfo in PEM.
fn public_key(text: &str) -> Option<RsaPublicKey> {
    let (_, der) = pem::blocks(text).into_iter().next()?;
    let mut info = Reader(Reader(&der).expect(0x30).ok()?);
    info.expect(0x30).ok()?;
    let bits = info.expect(0x03).ok()?.get(1..)?;
    let mut numbers = Reader(Reader(bits).expect(0x30).ok()?);
    let modulus = BigUint::from_bytes_be(numbers.expect(0x02).ok()?);
    let exponent = BigUint::from_bytes_be(numbers.expect(0x02).ok()?);
    RsaPublicKey::new(modulus, exponent).ok()
}
