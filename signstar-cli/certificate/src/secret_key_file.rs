//! The file of a key of the `software` back end: one OpenPGP secret key packet.
//!
//! It has no user ID and no signature: those stand in the certificate. What it adds to the numbers
//! is the time of creation.

use std::time::SystemTime;

use sequoia_openpgp::crypto::{Password, S2K, mpi};
use sequoia_openpgp::packet::key::{
    Key4, Key6, KeyRole, PrimaryRole, SecretKeyMaterial, SecretParts,
};
use sequoia_openpgp::packet::{Key, Packet};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse};
use sequoia_openpgp::serialize::SerializeInto;
use sequoia_openpgp::{anyhow, types::PublicKeyAlgorithm};
use signstar_core::{KeyVersion, PublicKey, SecretMaterial};
use zeroize::Zeroizing;

use crate::key::numbers;

/// Longest file that is looked at, in bytes; the same bound as the core's.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Most packets that are looked at in a file; the same bound as the core's.
const PACKETS_MAX: usize = 4096;

/// Why a secret key file cannot be written or understood. The operator must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyFileError {
    /// The two halves are not of the same kind, or the numbers are no key.
    #[error("the secret key is not of the kind of its public key")]
    Mismatch,
    /// The passphrase has no characters.
    #[error("the passphrase is empty: give one with characters, or none at all")]
    EmptyPassphrase,
    /// The time of creation is none that OpenPGP can express.
    #[error("the key's creation lies outside of what OpenPGP can express")]
    Creation,
    /// The passphrase cannot be applied.
    #[error("the secret key cannot be protected by the passphrase")]
    Protection,
    /// The file is longer than any key, no OpenPGP, or has no secret key that can sign.
    #[error("not an OpenPGP file with a secret key that can sign")]
    Malformed,
}

/// What a secret key file says of a key without its passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// When the key was created.
    pub created: SystemTime,
    /// The version of the key.
    pub version: KeyVersion,
}

/// The file for the key `material`, whose other half is `public`, created at `created`.
///
/// A passphrase protects it as GnuPG does (version 4: AES-256 with SHA-1 checksum) or as RFC 9580
/// recommends (version 6: AES-128 in OCB mode); either way 62 MiB are hashed to open it, which
/// takes some hundredths of a second for each signature.
///
/// # Errors
/// See [`SecretKeyFileError`].
pub fn secret_key_file(
    material: &SecretMaterial,
    public: &PublicKey,
    created: SystemTime,
    version: KeyVersion,
    passphrase: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, SecretKeyFileError> {
    if passphrase.is_some_and(<[u8]>::is_empty) {
        return Err(SecretKeyFileError::EmptyPassphrase);
    }
    let (algorithm, numbers) = numbers(public, version);
    let secret = secret(material, public, algorithm)?;
    let key: Key<SecretParts, PrimaryRole> = match version {
        KeyVersion::V4 => Key4::with_secret(created, algorithm, numbers, secret).map(Key::from),
        KeyVersion::V6 => Key6::with_secret(created, algorithm, numbers, secret).map(Key::from),
    }
    .map_err(|_| SecretKeyFileError::Creation)?;
    let key = match passphrase {
        Some(passphrase) => key.encrypt_secret(&Password::from(passphrase)),
        None => Ok(key),
    }
    .map_err(|_| SecretKeyFileError::Protection)?;
    let bytes = Packet::from(key).to_vec();
    bytes
        .map(Zeroizing::new)
        .map_err(|_| SecretKeyFileError::Mismatch)
}

fn secret(
    material: &SecretMaterial,
    public: &PublicKey,
    algorithm: PublicKeyAlgorithm,
) -> Result<SecretKeyMaterial, SecretKeyFileError> {
    let secret = match (material, public) {
        (SecretMaterial::Ed25519(seed), PublicKey::Ed25519(_)) => match algorithm {
            PublicKeyAlgorithm::Ed25519 => mpi::SecretKeyMaterial::Ed25519 {
                x: seed.as_slice().into(),
            },
            _ => mpi::SecretKeyMaterial::EdDSA {
                scalar: seed.as_slice().into(),
            },
        },
        (
            SecretMaterial::Ecdsa { curve, scalar },
            PublicKey::Ecdsa {
                curve: of_public, ..
            },
        ) if curve == of_public => mpi::SecretKeyMaterial::ECDSA {
            scalar: scalar.as_slice().into(),
        },
        (SecretMaterial::Rsa { n, d, p, q, .. }, PublicKey::Rsa { n: of_public, .. })
            if n == of_public =>
        {
            // Puts the primes into the order that OpenPGP wants, and finds their coefficient.
            let key = Key4::<SecretParts, PrimaryRole>::import_secret_rsa(d, p, q, None);
            return Ok(key
                .map_err(|_| SecretKeyFileError::Mismatch)?
                .take_secret()
                .1);
        }
        _ => return Err(SecretKeyFileError::Mismatch),
    };
    Ok(secret.into())
}

/// Reads what there is to know of a secret key file without opening it: its keys that can sign, of
/// which it has more than the public half, the primary key first.
///
/// # Errors
/// [`SecretKeyFileError::Malformed`] if it is no OpenPGP file or there is no such key in it.
pub fn stored_keys(bytes: &[u8]) -> Result<Vec<StoredKey>, SecretKeyFileError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(SecretKeyFileError::Malformed);
    }
    let read = || -> anyhow::Result<Vec<StoredKey>> {
        let mut parser = PacketParser::from_bytes(bytes)?;
        let mut keys = Vec::new();
        let mut looked_at = 0;
        while let PacketParserResult::Some(current) = parser {
            anyhow::ensure!(looked_at < PACKETS_MAX, "more packets than any key has");
            looked_at += 1;
            let (packet, rest) = current.next()?;
            parser = rest;
            keys.extend(match &packet {
                Packet::SecretKey(key) => stored(key),
                Packet::SecretSubkey(key) => stored(key),
                _ => None,
            });
        }
        Ok(keys)
    };
    match read() {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        _ => Err(SecretKeyFileError::Malformed),
    }
}

/// What there is to know of a key, if it can sign and its secret half is there.
fn stored<R: KeyRole>(key: &Key<SecretParts, R>) -> Option<StoredKey> {
    let is_stub = match key.secret() {
        // GnuPG writes these for keys on cards and for those that are kept offline.
        SecretKeyMaterial::Encrypted(secret) => matches!(secret.s2k(), S2K::Private { .. }),
        SecretKeyMaterial::Unencrypted(_) => false,
    };
    let version = match key.version() {
        4 => KeyVersion::V4,
        6 => KeyVersion::V6,
        _ => return None,
    };
    (!is_stub && key.pk_algo().for_signing()).then(|| StoredKey {
        fingerprint: key.fingerprint().to_hex(),
        created: key.creation_time(),
        version,
    })
}
