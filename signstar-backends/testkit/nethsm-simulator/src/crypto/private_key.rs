//! A private key of any type of the device.

use ed25519_dalek::{Signer as _, SigningKey as Ed25519Key};
use rsa::RsaPrivateKey;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use super::ec::{Curve, EcKey};
use super::{CryptoError, certificate, der, pem, random, random_bytes, rsa_key};

/// The types, in the device's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    Rsa,
    Curve25519,
    Ec(Curve),
    /// Bytes for AES.
    Generic,
    /// Known by name only: nothing can be done with it.
    P224,
}

impl KeyType {
    /// By the device's name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let mut all = [Self::Rsa, Self::Curve25519, Self::Generic, Self::P224]
            .into_iter()
            .chain(Curve::ALL.map(Self::Ec));
        all.find(|key_type| key_type.name() == name)
    }

    /// The device's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Curve25519 => "Curve25519",
            Self::Generic => "Generic",
            Self::P224 => "EC_P224",
            Self::Ec(Curve::P256) => "EC_P256",
            Self::Ec(Curve::P384) => "EC_P384",
            Self::Ec(Curve::P521) => "EC_P521",
            Self::Ec(Curve::P256K1) => "EC_P256K1",
            Self::Ec(Curve::BrainpoolP256) => "BrainpoolP256",
            Self::Ec(Curve::BrainpoolP384) => "BrainpoolP384",
            Self::Ec(Curve::BrainpoolP512) => "BrainpoolP512",
        }
    }
}

/// A private key.
#[derive(Debug, Clone)]
pub(crate) enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(Box<Ed25519Key>),
    Ec(EcKey),
    Generic(Vec<u8>),
}

/// What may be known of it.
#[derive(Debug, Clone)]
pub(crate) enum PublicKey {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Point(Vec<u8>),
}

impl PrivateKey {
    /// A new one; `bits` counts for RSA and generic keys only.
    pub(crate) fn generate(key_type: KeyType, bits: usize) -> Result<Self, CryptoError> {
        match key_type {
            KeyType::Rsa => Ok(Self::Rsa(Box::new(rsa_key::generate(bits)?))),
            KeyType::Curve25519 => Ok(Self::Ed25519(Box::new(Ed25519Key::from_bytes(&random::<
                32,
            >(
            )?)))),
            KeyType::Ec(curve) => Ok(Self::Ec(EcKey::generate(curve)?)),
            KeyType::Generic => Ok(Self::Generic(random_bytes(bits.div_ceil(8))?)),
            KeyType::P224 => Err(CryptoError::new("P224 is unsupported")),
        }
    }

    /// The key of the bare `data` that an import brings; not for RSA.
    pub(crate) fn from_data(key_type: KeyType, data: &[u8]) -> Result<Self, CryptoError> {
        match key_type {
            KeyType::Curve25519 => {
                let seed = data
                    .try_into()
                    .map_err(|_| CryptoError::new("Cannot parse point: invalid length"))?;
                Ok(Self::Ed25519(Box::new(Ed25519Key::from_bytes(seed))))
            }
            KeyType::Ec(curve) => Ok(Self::Ec(EcKey::new(curve, data)?)),
            KeyType::Generic => Ok(Self::Generic(data.to_vec())),
            KeyType::P224 => Err(CryptoError::new("P224 is unsupported")),
            KeyType::Rsa => Err(CryptoError::new("invalid prime p")),
        }
    }

    /// Its type.
    pub(crate) fn key_type(&self) -> KeyType {
        match self {
            Self::Rsa(_) => KeyType::Rsa,
            Self::Ed25519(_) => KeyType::Curve25519,
            Self::Ec(key) => KeyType::Ec(key.curve),
            Self::Generic(_) => KeyType::Generic,
        }
    }

    /// What may be known of it; nothing of a generic one.
    pub(crate) fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Rsa(key) => Some(PublicKey::Rsa {
                modulus: key.n().to_bytes_be(),
                exponent: key.e().to_bytes_be(),
            }),
            Self::Ed25519(key) => {
                let point = key.verifying_key().to_bytes().to_vec();
                Some(PublicKey::Point(point))
            }
            Self::Ec(key) => Some(PublicKey::Point(key.point.clone())),
            Self::Generic(_) => None,
        }
    }

    /// Ed25519 over a whole message, 64 bytes.
    pub(crate) fn sign_ed25519(key: &Ed25519Key, message: &[u8]) -> Vec<u8> {
        key.sign(message).to_bytes().to_vec()
    }

    /// PKCS#8 with what the device writes into its store; a generic key has none.
    pub(crate) fn to_pkcs8_pem(&self) -> Option<String> {
        let (algorithm, inner) = match self {
            Self::Rsa(key) => (certificate::RSA_ALGORITHM.to_vec(), pkcs1(key)),
            Self::Ed25519(key) => (
                der::sequence([der::oid(certificate::ED25519)]),
                der::octet_string(&key.to_bytes()),
            ),
            Self::Ec(key) => (
                certificate::ec_algorithm(key.curve),
                der::sequence([der::integer(&[1]), der::octet_string(&key.scalar)]),
            ),
            Self::Generic(_) => return None,
        };
        let whole = der::sequence([der::integer(&[0]), algorithm, der::octet_string(&inner)]);
        Some(pem::encode("PRIVATE KEY", &whole))
    }
}

fn pkcs1(key: &RsaPrivateKey) -> Vec<u8> {
    let [p, q] = key.primes() else {
        return Vec::new();
    };
    let one = rsa::BigUint::from(1_u8);
    let d = key.d();
    let inverse = q.modpow(&(p - 2_u8), p);
    let numbers = [
        rsa::BigUint::from(0_u8),
        key.n().clone(),
        key.e().clone(),
        d.clone(),
        p.clone(),
        q.clone(),
        d % (p - &one),
        d % (q - &one),
        inverse,
    ];
    der::sequence(numbers.map(|number| der::integer(&number.to_bytes_be())))
}
