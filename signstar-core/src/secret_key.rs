//! One signing key out of an OpenPGP secret key file, as numbers.
//!
//! The file is what `gpg --export-secret-keys`, `sq key export` or `signstar-admin key generate`
//! write: version 4 or 6, binary or ASCII-armored, protected by a passphrase or not. Only the key
//! packet with the wanted fingerprint is looked at. Its user IDs, bindings and expiry are not:
//! they are judged in the certificate, and the key found here must be the certificate's.
//!
//! Absent: reading files, writing keys, and keys that cannot sign or sign too weakly.

use std::fmt;

use sequoia_openpgp::Packet;
use sequoia_openpgp::crypto::mpi::{self, ProtectedMPI};
use sequoia_openpgp::crypto::{Password, S2K};
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{KeyRole, SecretKeyMaterial, SecretParts};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse};
use zeroize::Zeroizing;

use crate::certificate;
use crate::signer::{Curve, PublicKey, bits};

/// Longest secret key file, in bytes. A key with hundreds of certifications has a tenth of it.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Most packets that are looked at in a file; the same key has at most a few hundred.
const PACKETS_MAX: usize = 4096;

/// Most memory that a passphrase may cost by Argon2, as an exponent of KiB: 64 MiB, the second of
/// the recommendations of RFC 9106 (section 4). The first takes 2 GiB for each signature.
const ARGON2_MEMORY_EXPONENT_MAX: u8 = 16;

/// What to use instead of DSA, curves of other families, and RSA that is too short or too long.
const KINDS: &str = "use Ed25519, ECDSA with P-256, P-384 or P-521, or RSA of 2048 to 4096 bits";

/// Why a secret key file is of no use. The operator must act; a retry does not help.
///
/// Texts say nothing of the passphrase, of the secret or of what stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// The file is longer than any key.
    #[error("secret key file is longer than {bytes_max} bytes")]
    TooLarge {
        /// The bound that was passed.
        bytes_max: usize,
    },
    /// The file is empty, cut or not OpenPGP.
    #[error("secret key file is not a readable OpenPGP key")]
    Malformed,
    /// No key in the file has the fingerprint that was asked for.
    #[error("secret key file does not hold the key {fingerprint}")]
    NotFound {
        /// The fingerprint that was asked for, as the certificate has it.
        fingerprint: String,
    },
    /// The file has the key, but not its secret half: a certificate, or the stub of a key that is
    /// on a card or kept offline.
    #[error("secret key file holds only the public half of the key")]
    NoSecret,
    /// The key is protected and no passphrase was given.
    #[error("secret key is protected: a passphrase is needed")]
    PassphraseMissing,
    /// The passphrase does not open the key. A damaged file looks the same.
    #[error("passphrase does not open the secret key (or the file is damaged)")]
    PassphraseWrong,
    /// A passphrase was given for a key that has none. Refused, because whoever configured it
    /// believes that the file protects the key.
    #[error("secret key is not protected, but a passphrase was given: protect it or give none")]
    PassphraseUnused,
    /// The key, or the way in which it is protected, is none that is supported.
    #[error("secret key is not supported: {0}")]
    Unsupported(&'static str),
}

/// The secret numbers of a key, without format and without metadata; wiped when dropped.
#[derive(Clone)]
pub enum SecretMaterial {
    /// Ed25519 (RFC 8032): the seed.
    Ed25519(Zeroizing<[u8; 32]>),
    /// ECDSA.
    Ecdsa {
        /// The curve of the key.
        curve: Curve,
        /// The secret number, big-endian, of [`Curve::scalar_bytes`].
        scalar: Zeroizing<Vec<u8>>,
    },
    /// RSA with two primes: big-endian numbers without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
        /// The private exponent.
        d: Zeroizing<Vec<u8>>,
        /// A prime.
        p: Zeroizing<Vec<u8>>,
        /// The other prime.
        q: Zeroizing<Vec<u8>>,
    },
}

/// Which kind of key it is, and nothing else of it.
impl fmt::Debug for SecretMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(_) => f.write_str("Ed25519(..)"),
            Self::Ecdsa { curve, .. } => write!(f, "Ecdsa({curve:?}, ..)"),
            Self::Rsa { n, .. } => write!(f, "Rsa({} bits, ..)", bits(n)),
        }
    }
}

/// A signing key from a secret key file.
#[derive(Debug)]
pub struct SecretKey {
    public_key: PublicKey,
    material: SecretMaterial,
}

impl SecretKey {
    /// Finds the key with `fingerprint` (upper-case hexadecimal, of the primary key or a subkey)
    /// in the secret key file `bytes` and opens it with `passphrase`.
    ///
    /// # Errors
    /// See [`SecretKeyError`]. A passphrase for an unprotected key is an error, as is none for a
    /// protected one.
    pub fn parse(
        bytes: &[u8],
        fingerprint: &str,
        passphrase: Option<&[u8]>,
    ) -> Result<Self, SecretKeyError> {
        match find(bytes, fingerprint)? {
            Packet::SecretKey(key) => Self::open(key, passphrase),
            Packet::SecretSubkey(key) => Self::open(key, passphrase),
            _ => Err(SecretKeyError::NoSecret),
        }
    }

    /// The public half, as the file states it.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The secret half.
    pub fn material(&self) -> &SecretMaterial {
        &self.material
    }

    /// The secret half, for a back end to keep.
    pub fn into_material(self) -> SecretMaterial {
        self.material
    }

    fn open<R: KeyRole>(
        key: Key<SecretParts, R>,
        passphrase: Option<&[u8]>,
    ) -> Result<Self, SecretKeyError> {
        let public_key =
            certificate::public_key(key.mpis()).ok_or(SecretKeyError::Unsupported(KINDS))?;
        let (key, secret) = key.take_secret();
        let secret = match (secret, passphrase) {
            (SecretKeyMaterial::Unencrypted(secret), None) => secret,
            (SecretKeyMaterial::Unencrypted(_), Some(_)) => {
                return Err(SecretKeyError::PassphraseUnused);
            }
            (SecretKeyMaterial::Encrypted(secret), passphrase) => {
                openable(secret.s2k())?;
                let passphrase = passphrase.ok_or(SecretKeyError::PassphraseMissing)?;
                secret
                    .decrypt(&key, &Password::from(passphrase))
                    .map_err(|_| SecretKeyError::PassphraseWrong)?
            }
        };
        let material = secret.map(|secret| material(&public_key, secret))?;
        Ok(Self {
            public_key,
            material,
        })
    }
}

/// The packet with the secret half of the key that has `fingerprint`.
fn find(bytes: &[u8], fingerprint: &str) -> Result<Packet, SecretKeyError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(SecretKeyError::TooLarge {
            bytes_max: FILE_BYTES_MAX,
        });
    }
    let mut parser = PacketParser::from_bytes(bytes).map_err(|_| SecretKeyError::Malformed)?;
    let mut missing = SecretKeyError::Malformed;
    for _ in 0..PACKETS_MAX {
        let PacketParserResult::Some(current) = parser else {
            return Err(missing);
        };
        // Containers are stepped over, not into.
        let (packet, rest) = current.next().map_err(|_| SecretKeyError::Malformed)?;
        parser = rest;
        let found = match &packet {
            Packet::SecretKey(key) => key.fingerprint(),
            Packet::SecretSubkey(key) => key.fingerprint(),
            Packet::PublicKey(key) => key.fingerprint(),
            Packet::PublicSubkey(key) => key.fingerprint(),
            _ => continue,
        };
        match (&packet, found.to_hex() == fingerprint) {
            (Packet::SecretKey(_) | Packet::SecretSubkey(_), true) => return Ok(packet),
            (_, true) => missing = SecretKeyError::NoSecret,
            (_, false) if missing == SecretKeyError::Malformed => {
                let fingerprint = fingerprint.to_owned();
                missing = SecretKeyError::NotFound { fingerprint };
            }
            (_, false) => {}
        }
    }
    Err(SecretKeyError::Malformed)
}

/// Refuses a protection that cannot be undone, or not within a bound.
fn openable(protection: &S2K) -> Result<(), SecretKeyError> {
    match protection {
        S2K::Argon2 { m, .. } if *m > ARGON2_MEMORY_EXPONENT_MAX => Err(
            SecretKeyError::Unsupported("its passphrase takes more than 64 MiB of memory"),
        ),
        // The stubs of gpg for keys on cards and for keys that are kept offline.
        S2K::Private { .. } => Err(SecretKeyError::NoSecret),
        known if known.is_supported() => Ok(()),
        _ => Err(SecretKeyError::Unsupported(
            "it is protected in an unknown way",
        )),
    }
}

/// The secret numbers in the form that belongs to `public_key`.
fn material(
    public_key: &PublicKey,
    secret: &mpi::SecretKeyMaterial,
) -> Result<SecretMaterial, SecretKeyError> {
    use mpi::SecretKeyMaterial as Secret;
    match (public_key, secret) {
        (PublicKey::Ed25519(_), Secret::EdDSA { scalar }) => {
            Ok(SecretMaterial::Ed25519(seed(scalar.value())?))
        }
        (PublicKey::Ed25519(_), Secret::Ed25519 { x }) => Ok(SecretMaterial::Ed25519(seed(x)?)),
        (PublicKey::Ecdsa { curve, .. }, Secret::ECDSA { scalar }) => {
            let mut padded = Zeroizing::new(vec![0; curve.scalar_bytes()]);
            copy_right(scalar.value(), &mut padded)?;
            Ok(SecretMaterial::Ecdsa {
                curve: *curve,
                scalar: padded,
            })
        }
        (PublicKey::Rsa { n, e }, Secret::RSA { d, p, q, .. }) => Ok(SecretMaterial::Rsa {
            n: n.clone(),
            e: e.clone(),
            d: number(d),
            p: number(p),
            q: number(q),
        }),
        _ => Err(SecretKeyError::Malformed),
    }
}

fn seed(value: &[u8]) -> Result<Zeroizing<[u8; 32]>, SecretKeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    copy_right(value, seed.as_mut_slice())?;
    Ok(seed)
}

fn number(value: &ProtectedMPI) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.value().to_vec())
}

/// Copies `value` to the end of `padded`, which is zero.
fn copy_right(value: &[u8], padded: &mut [u8]) -> Result<(), SecretKeyError> {
    let start = padded
        .len()
        .checked_sub(value.len())
        .ok_or(SecretKeyError::Malformed)?;
    padded
        .get_mut(start..)
        .ok_or(SecretKeyError::Malformed)?
        .copy_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests;
