//! The seam between what is signed and what holds the key.
//!
//! A back end is data: a name, a [`Signer`] it has opened, and what it must still reach after
//! lock-down. It knows digests and raw key material, never OpenPGP or any other format.

use crate::digest::{Digest, HashAlgorithm};
use crate::kind::KeyKind;

/// A key on an opened device, ready to sign digests.
pub trait Signer {
    /// The public half, as the device reports it.
    fn public_key(&self) -> &PublicKey;

    /// What the device waits for while it signs, if somebody must do it: one sentence for the caller.
    fn waits_for(&self) -> Option<&'static str>;

    /// Signs `digest` once. Ed25519 signs the digest's bytes as its message, ECDSA takes their
    /// leftmost bits (FIPS 186-5), RSA wraps them in a PKCS#1 v1.5 `DigestInfo` (RFC 8017). A composite
    /// key signs the digest's bytes with each of its halves, ML-DSA with an empty context (FIPS 204):
    /// there are both signatures or there is none.
    ///
    /// # Errors
    /// See [`SignerError`]. After an error nothing may be known about whether the device has
    /// signed; the caller of this function never repeats it for the same approval, but after
    /// [`SignerError::TryAgain`], and then only when the attempt is recorded.
    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError>;
}

/// Elliptic curves for ECDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// Length of a field element and of a scalar, in bytes.
    pub const fn scalar_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// Octets of a public key of ML-DSA-65 (FIPS 204, table 2).
pub const ML_DSA_65_KEY_BYTES: usize = 1952;
/// Octets of a signature of ML-DSA-65 (FIPS 204, table 2).
pub const ML_DSA_65_SIGNATURE_BYTES: usize = 3309;

/// A public key, without format and without metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519 (RFC 8032): the encoded point.
    Ed25519([u8; 32]),
    /// ECDSA: the uncompressed point `04 ‖ x ‖ y`, each coordinate of [`Curve::scalar_bytes`].
    Ecdsa {
        /// The curve of the point.
        curve: Curve,
        /// The point.
        point: Vec<u8>,
    },
    /// RSA: big-endian numbers without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
    /// ML-DSA-65 and Ed25519 side by side (RFC 9980): one key with two halves.
    MlDsa65Ed25519 {
        /// Ed25519 (RFC 8032): the encoded point.
        ed25519: [u8; 32],
        /// ML-DSA-65 (FIPS 204): the encoded key.
        ml_dsa: Box<[u8; ML_DSA_65_KEY_BYTES]>,
    },
}

impl PublicKey {
    /// Whether it has two halves, which OpenPGP knows in version 6 only (RFC 9980).
    pub const fn is_composite(&self) -> bool {
        matches!(self, Self::MlDsa65Ed25519 { .. })
    }

    /// The shortest hash that the key may sign: as strong as its curve (RFC 9580, section 5.2.3.2).
    pub const fn weakest_hash(&self) -> HashAlgorithm {
        match self {
            Self::Ed25519(_) | Self::Rsa { .. } | Self::MlDsa65Ed25519 { .. } => {
                HashAlgorithm::Sha256
            }
            Self::Ecdsa { curve, .. } => match curve {
                Curve::P256 => HashAlgorithm::Sha256,
                Curve::P384 => HashAlgorithm::Sha384,
                Curve::P521 => HashAlgorithm::Sha512,
            },
        }
    }

    /// Makes sure that `digest` is long enough for the key.
    ///
    /// # Errors
    /// [`SignerError::Failed`] if it is shorter than [`Self::weakest_hash`].
    pub fn check_digest(&self, digest: &Digest) -> Result<(), SignerError> {
        if digest.algorithm() >= self.weakest_hash() {
            return Ok(());
        }
        Err(SignerError::Failed(format!(
            "{} is too short for a key of the kind {}",
            digest.algorithm(),
            self.kind()
        )))
    }

    /// Algorithm and size.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::Ecdsa { curve, .. } => KeyKind::Ecdsa(*curve),
            Self::Rsa { n, .. } => KeyKind::Rsa(bits(n)),
            Self::MlDsa65Ed25519 { .. } => KeyKind::MlDsa65Ed25519,
        }
    }

    /// Algorithm and size, for people: `ed25519`, `p256`, `rsa4096`, `mldsa65-ed25519`.
    pub fn name(&self) -> String {
        self.kind().to_string()
    }
}

/// Number of significant bits of a big-endian number.
pub(crate) fn bits(number: &[u8]) -> usize {
    let trimmed = trim(number);
    let leading = trimmed.first().map_or(0, |byte| byte.leading_zeros());
    trimmed.len() * 8 - usize::try_from(leading).unwrap_or(0)
}

/// The big-endian number without its leading zeros.
pub(crate) fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or(&[])
}

/// The signature proper, as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureValue {
    /// Ed25519: `R ‖ S`.
    Ed25519([u8; 64]),
    /// ECDSA: two big-endian numbers; leading zeros are allowed.
    Ecdsa {
        /// The number r.
        r: Vec<u8>,
        /// The number s.
        s: Vec<u8>,
    },
    /// RSA: one big-endian number; leading zeros are allowed.
    Rsa(Vec<u8>),
    /// ML-DSA-65 and Ed25519: each over the same digest.
    MlDsa65Ed25519 {
        /// Ed25519: `R ‖ S`.
        ed25519: Box<[u8; 64]>,
        /// ML-DSA-65 (FIPS 204): the encoded signature.
        ml_dsa: Box<[u8; ML_DSA_65_SIGNATURE_BYTES]>,
    },
}

/// What a device answered, with its signature counter if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSignature {
    /// The signature.
    pub value: SignatureValue,
    /// How many signatures the device has made with this key, this one included.
    pub counter: Option<u64>,
}

/// Why a device did not sign. Texts carry no secret and no raw answer of the device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The device cannot be reached or has gone. The operator must look; a later retry may help.
    #[error("device unavailable: {0}")]
    Unavailable(String),
    /// The device is used by somebody else or asks to wait. A retry helps.
    #[error("device busy: {0}")]
    Busy(String),
    /// The device refused the credential. It is never tried again; the operator must act.
    #[error("device refused the credential: {0}")]
    Credential(String),
    /// The key cannot do what was asked, or the device answered nonsense. A retry does not help.
    #[error("device failed: {0}")]
    Failed(String),
    /// This device did not sign, or has not said so, and there is another one with the key: asked again for
    /// the same digest, the signer asks that one.
    #[error("device did not sign: {0}")]
    TryAgain(String),
}

/// What a back end must still reach once the process is locked down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// System calls beyond those of every signature.
    pub rules: Vec<ReachRule>,
    /// TCP ports to which a socket that exists already may still connect.
    pub tcp_ports: Vec<u16>,
}

/// A system call that a device needs after lock-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachRule {
    /// The kernel's name of it, `sendto` say.
    pub syscall: &'static str,
    /// Arguments (by position from 0) that must have exactly this value, compared as 32 bits.
    pub equals: Vec<(u8, u32)>,
    /// Why it is needed.
    pub reason: &'static str,
}

/// A device that a back end has opened.
pub struct Opened {
    /// The key.
    pub signer: Box<dyn Signer>,
    /// What it needs after lock-down.
    pub reach: Reach,
}
