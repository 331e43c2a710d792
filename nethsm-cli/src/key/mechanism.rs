//! What keys are and what they can be used for, with the names that the vendor uses everywhere.

use clap::ValueEnum;
use signstar_nethsm::sdk::models::{KeyMechanism, KeyType};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    #[value(name = "RSA", alias = "rsa")]
    Rsa,
    #[value(name = "Curve25519", alias = "ed25519")]
    Curve25519,
    #[value(name = "EC_P256", alias = "p256")]
    EcP256,
    #[value(name = "EC_P384", alias = "p384")]
    EcP384,
    #[value(name = "EC_P521", alias = "p521")]
    EcP521,
    #[value(name = "EC_P256K1", alias = "secp256k1")]
    EcP256K1,
    #[value(name = "BrainpoolP256")]
    BrainpoolP256,
    #[value(name = "BrainpoolP384")]
    BrainpoolP384,
    #[value(name = "BrainpoolP512")]
    BrainpoolP512,
    #[value(name = "Generic", alias = "aes")]
    Generic,
}

impl From<Kind> for KeyType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Rsa => Self::Rsa,
            Kind::Curve25519 => Self::Curve25519,
            Kind::EcP256 => Self::EcP256,
            Kind::EcP384 => Self::EcP384,
            Kind::EcP521 => Self::EcP521,
            Kind::EcP256K1 => Self::EcP256K1,
            Kind::BrainpoolP256 => Self::BrainpoolP256,
            Kind::BrainpoolP384 => Self::BrainpoolP384,
            Kind::BrainpoolP512 => Self::BrainpoolP512,
            Kind::Generic => Self::Generic,
        }
    }
}

/// What a key is for, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Use {
    /// RSA: PKCS#1 and PSS with SHA-2; curves: their signatures
    Sign,
    /// RSA: OAEP with SHA-2; Generic: AES-CBC
    Decrypt,
    /// Generic: AES-CBC
    Encrypt,
}

impl Use {
    /// The mechanisms, none where such a key cannot do that.
    pub(crate) fn mechanisms(self, kind: Kind) -> Vec<KeyMechanism> {
        match (self, kind) {
            (Self::Sign, Kind::Rsa) => vec![
                KeyMechanism::RsaSignaturePkcs1,
                KeyMechanism::RsaSignaturePssSha256,
                KeyMechanism::RsaSignaturePssSha384,
                KeyMechanism::RsaSignaturePssSha512,
            ],
            (Self::Sign, Kind::Curve25519) => vec![KeyMechanism::EdDsaSignature],
            (Self::Sign, Kind::Generic) => Vec::new(),
            (Self::Sign, _) => vec![KeyMechanism::EcdsaSignature],
            (Self::Decrypt, Kind::Rsa) => vec![
                KeyMechanism::RsaDecryptionOaepSha256,
                KeyMechanism::RsaDecryptionOaepSha384,
                KeyMechanism::RsaDecryptionOaepSha512,
            ],
            (Self::Decrypt, Kind::Generic) => vec![KeyMechanism::AesDecryptionCbc],
            (Self::Encrypt, Kind::Generic) => vec![KeyMechanism::AesEncryptionCbc],
            (Self::Decrypt | Self::Encrypt, _) => Vec::new(),
        }
    }
}

/// All of them, in the order of the device.
const ALL: [KeyMechanism; 20] = [
    KeyMechanism::RsaDecryptionRaw,
    KeyMechanism::RsaDecryptionPkcs1,
    KeyMechanism::RsaDecryptionOaepMd5,
    KeyMechanism::RsaDecryptionOaepSha1,
    KeyMechanism::RsaDecryptionOaepSha224,
    KeyMechanism::RsaDecryptionOaepSha256,
    KeyMechanism::RsaDecryptionOaepSha384,
    KeyMechanism::RsaDecryptionOaepSha512,
    KeyMechanism::RsaSignaturePkcs1,
    KeyMechanism::RsaSignaturePssMd5,
    KeyMechanism::RsaSignaturePssSha1,
    KeyMechanism::RsaSignaturePssSha224,
    KeyMechanism::RsaSignaturePssSha256,
    KeyMechanism::RsaSignaturePssSha384,
    KeyMechanism::RsaSignaturePssSha512,
    KeyMechanism::EdDsaSignature,
    KeyMechanism::EcdsaSignature,
    KeyMechanism::Bip340Signature,
    KeyMechanism::AesEncryptionCbc,
    KeyMechanism::AesDecryptionCbc,
];

/// A mechanism by the vendor's name, whatever its case.
pub(crate) fn mechanism(text: &str) -> Result<KeyMechanism, String> {
    let known = ALL
        .iter()
        .find(|known| known.to_string().eq_ignore_ascii_case(text));
    known.copied().ok_or_else(|| {
        let names: Vec<String> = ALL.iter().map(ToString::to_string).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// A kind of key by the vendor's name.
pub(crate) fn kind(text: &str) -> Option<Kind> {
    let mut known = Kind::value_variants().iter();
    known
        .find(|kind| KeyType::from(**kind).to_string() == text)
        .copied()
}
