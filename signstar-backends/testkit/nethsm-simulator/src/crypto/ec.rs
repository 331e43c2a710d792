//! Keys on elliptic curves: their numbers, points and signatures.

use k256::ecdsa::signature::hazmat::RandomizedPrehashSigner as _;
use rsa::rand_core::OsRng;

use super::brainpool::{self, Curve as Brainpool};
use super::{CryptoError, der, random, random_bytes};

/// A curve for ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    P256K1,
    BrainpoolP256,
    BrainpoolP384,
    BrainpoolP512,
}

impl Curve {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::P256K1,
        Self::BrainpoolP256,
        Self::BrainpoolP384,
        Self::BrainpoolP512,
    ];

    /// The content of its object identifier.
    pub(crate) fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
            Self::P384 => &[0x2b, 0x81, 4, 0, 0x22],
            Self::P521 => &[0x2b, 0x81, 4, 0, 0x23],
            Self::P256K1 => &[0x2b, 0x81, 4, 0, 0x0a],
            Self::BrainpoolP256 => &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7],
            Self::BrainpoolP384 => &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 0x0b],
            Self::BrainpoolP512 => &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 0x0d],
        }
    }

    /// The length of a scalar, in bytes.
    pub(crate) fn scalar_bytes(self) -> usize {
        match self {
            Self::P256 | Self::P256K1 | Self::BrainpoolP256 => 32,
            Self::P384 | Self::BrainpoolP384 => 48,
            Self::P521 => 66,
            Self::BrainpoolP512 => 64,
        }
    }

    /// The length of the only digest that is signed, in bytes.
    pub(crate) fn digest_bytes(self) -> usize {
        match self {
            Self::P521 => 64,
            _ => self.scalar_bytes(),
        }
    }

    fn brainpool(self) -> Option<Brainpool> {
        let parameters = match self {
            Self::BrainpoolP256 => &brainpool::P256R1,
            Self::BrainpoolP384 => &brainpool::P384R1,
            Self::BrainpoolP512 => &brainpool::P512R1,
            Self::P256 | Self::P384 | Self::P521 | Self::P256K1 => return None,
        };
        Some(Brainpool::new(parameters))
    }
}

/// A private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EcKey {
    pub(crate) curve: Curve,
    /// Big-endian, as long as the curve's scalars.
    pub(crate) scalar: Vec<u8>,
    /// 0x04 ‖ X ‖ Y
    pub(crate) point: Vec<u8>,
}

impl EcKey {
    /// The key with `scalar`.
    ///
    /// # Errors
    /// Its length or its value is wrong for the curve.
    pub(crate) fn new(curve: Curve, scalar: &[u8]) -> Result<Self, CryptoError> {
        if scalar.len() != curve.scalar_bytes() {
            return Err(CryptoError::new("Cannot parse point: invalid length"));
        }
        let range = || CryptoError::new("Cannot parse point: invalid range");
        let point = match curve.brainpool() {
            Some(brainpool) if brainpool.is_private(scalar) => brainpool.public(scalar),
            Some(_) => return Err(range()),
            None => public(curve, scalar).ok_or_else(range)?,
        };
        Ok(Self {
            curve,
            scalar: scalar.to_vec(),
            point,
        })
    }

    /// A new one.
    pub(crate) fn generate(curve: Curve) -> Result<Self, CryptoError> {
        // 521 bits in 66 bytes: what is above them would be refused most of the time.
        let spare = if curve == Curve::P521 { 1 } else { 0xff };
        loop {
            let mut scalar = random_bytes(curve.scalar_bytes())?;
            if let Some(first) = scalar.first_mut() {
                *first &= spare;
            }
            if let Ok(key) = Self::new(curve, &scalar) {
                return Ok(key);
            }
        }
    }

    /// The signature over `digest`, SEQUENCE { r, s }.
    pub(crate) fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if digest.len() != self.curve.digest_bytes() {
            return Err(CryptoError::new("digested data of invalid size"));
        }
        let (r, s) = match self.curve.brainpool() {
            Some(brainpool) => brainpool.sign(&self.scalar, digest)?,
            None => sign(self.curve, &self.scalar, digest)
                .ok_or_else(|| CryptoError::new("Signing failure"))?,
        };
        Ok(der::sequence([der::integer(&r), der::integer(&s)]))
    }

    /// The signature of BIP 340 over `message` of any length, 64 bytes; only on `P256K1`.
    pub(crate) fn sign_bip340(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let failed = |_| CryptoError::new("Signing failure");
        let key = k256::schnorr::SigningKey::from_bytes(&self.scalar).map_err(failed)?;
        let signature = key.sign_raw(message, &random::<32>()?).map_err(failed)?;
        Ok(signature.to_bytes().to_vec())
    }
}

fn public(curve: Curve, scalar: &[u8]) -> Option<Vec<u8>> {
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let point = key.verifying_key().to_encoded_point(false);
            Some(point.as_bytes().to_vec())
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let point = key.verifying_key().to_encoded_point(false);
            Some(point.as_bytes().to_vec())
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let point = p521::ecdsa::VerifyingKey::from(&key).to_encoded_point(false);
            Some(point.as_bytes().to_vec())
        }
        Curve::P256K1 => {
            let key = k256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let point = key.verifying_key().to_encoded_point(false);
            Some(point.as_bytes().to_vec())
        }
        Curve::BrainpoolP256 | Curve::BrainpoolP384 | Curve::BrainpoolP512 => None,
    }
}

fn sign(curve: Curve, scalar: &[u8], digest: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut rng = OsRng;
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: p256::ecdsa::Signature =
                key.sign_prehash_with_rng(&mut rng, digest).ok()?;
            let (r, s) = signature.split_bytes();
            Some((r.to_vec(), s.to_vec()))
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: p384::ecdsa::Signature =
                key.sign_prehash_with_rng(&mut rng, digest).ok()?;
            let (r, s) = signature.split_bytes();
            Some((r.to_vec(), s.to_vec()))
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: p521::ecdsa::Signature =
                key.sign_prehash_with_rng(&mut rng, digest).ok()?;
            let (r, s) = signature.split_bytes();
            Some((r.to_vec(), s.to_vec()))
        }
        Curve::P256K1 => {
            let key = k256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: k256::ecdsa::Signature =
                key.sign_prehash_with_rng(&mut rng, digest).ok()?;
            let (r, s) = signature.split_bytes();
            Some((r.to_vec(), s.to_vec()))
        }
        Curve::BrainpoolP256 | Curve::BrainpoolP384 | Curve::BrainpoolP512 => None,
    }
}
