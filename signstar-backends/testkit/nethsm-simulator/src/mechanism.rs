//! What a key may be used for, and the modes of the requests that use it.

use crate::crypto::private_key::KeyType;
use crate::crypto::rsa_key::Hash;

/// In the order that the device sorts them by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mechanism(usize);

const NAMES: [&str; 20] = [
    "RSA_Decryption_RAW",
    "RSA_Decryption_PKCS1",
    "RSA_Decryption_OAEP_MD5",
    "RSA_Decryption_OAEP_SHA1",
    "RSA_Decryption_OAEP_SHA224",
    "RSA_Decryption_OAEP_SHA256",
    "RSA_Decryption_OAEP_SHA384",
    "RSA_Decryption_OAEP_SHA512",
    "RSA_Signature_PKCS1",
    "RSA_Signature_PSS_MD5",
    "RSA_Signature_PSS_SHA1",
    "RSA_Signature_PSS_SHA224",
    "RSA_Signature_PSS_SHA256",
    "RSA_Signature_PSS_SHA384",
    "RSA_Signature_PSS_SHA512",
    "EdDSA_Signature",
    "ECDSA_Signature",
    "BIP340_Signature",
    "AES_Encryption_CBC",
    "AES_Decryption_CBC",
];

impl Mechanism {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().position(|known| *known == name).map(Self)
    }

    pub(crate) fn name(self) -> &'static str {
        NAMES.get(self.0).copied().unwrap_or_default()
    }

    /// Whether keys of a type can do it.
    pub(crate) fn matches(self, key_type: KeyType) -> bool {
        use crate::crypto::ec::Curve;
        let name = self.name();
        match key_type {
            KeyType::Rsa => name.starts_with("RSA_"),
            KeyType::Curve25519 => name == "EdDSA_Signature",
            KeyType::Ec(Curve::P256K1) => name == "ECDSA_Signature" || name == "BIP340_Signature",
            KeyType::Ec(_) => name == "ECDSA_Signature",
            KeyType::Generic => name.starts_with("AES_"),
            KeyType::P224 => false,
        }
    }
}

/// How to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignMode {
    Pkcs1,
    Pss(Hash),
    EdDsa,
    Ecdsa,
    Bip340,
}

/// How to decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecryptMode {
    Raw,
    Pkcs1,
    Oaep(Hash),
    AesCbc,
}

const HASHES: [(&str, Hash); 6] = [
    ("MD5", Hash::Md5),
    ("SHA1", Hash::Sha1),
    ("SHA224", Hash::Sha224),
    ("SHA256", Hash::Sha256),
    ("SHA384", Hash::Sha384),
    ("SHA512", Hash::Sha512),
];

fn hash(name: &str) -> Option<Hash> {
    let mut hashes = HASHES.iter();
    hashes
        .find(|(known, _)| *known == name)
        .map(|(_, hash)| *hash)
}

impl SignMode {
    /// The mode and the mechanism that it takes.
    pub(crate) fn from_name(name: &str) -> Option<(Self, Mechanism)> {
        let (mode, mechanism) = match name {
            "PKCS1" => (Self::Pkcs1, "RSA_Signature_PKCS1".to_owned()),
            "EdDSA" => (Self::EdDsa, "EdDSA_Signature".to_owned()),
            "ECDSA" => (Self::Ecdsa, "ECDSA_Signature".to_owned()),
            "BIP340" => (Self::Bip340, "BIP340_Signature".to_owned()),
            _ => {
                let hash = hash(name.strip_prefix("PSS_")?)?;
                (Self::Pss(hash), format!("RSA_Signature_{name}"))
            }
        };
        Some((mode, Mechanism::from_name(&mechanism)?))
    }
}

impl DecryptMode {
    /// The mode and the mechanism that it takes.
    pub(crate) fn from_name(name: &str) -> Option<(Self, Mechanism)> {
        let (mode, mechanism) = match name {
            "RAW" => (Self::Raw, "RSA_Decryption_RAW".to_owned()),
            "PKCS1" => (Self::Pkcs1, "RSA_Decryption_PKCS1".to_owned()),
            "AES_CBC" => (Self::AesCbc, "AES_Decryption_CBC".to_owned()),
            _ => {
                let hash = hash(name.strip_prefix("OAEP_")?)?;
                (Self::Oaep(hash), format!("RSA_Decryption_{name}"))
            }
        };
        Some((mode, Mechanism::from_name(&mechanism)?))
    }
}

#[cfg(test)]
mod tests {
    use super::{DecryptMode, SignMode};

    #[test]
    fn every_mode_has_its_mechanism() {
        let (_, mechanism) = SignMode::from_name("PSS_SHA224").unwrap();
        assert_eq!(mechanism.name(), "RSA_Signature_PSS_SHA224");
        let (_, mechanism) = DecryptMode::from_name("OAEP_MD5").unwrap();
        assert_eq!(mechanism.name(), "RSA_Decryption_OAEP_MD5");
        assert!(SignMode::from_name("PSS_SHA3").is_none());
    }
}
