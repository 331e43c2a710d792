//! Keys with fixed numbers, made by GnuPG for these tests and worth nothing elsewhere.
//!
//! They carry no passphrase, never expire and were created on 2024-01-01; keys/README.md says how.

use std::time::{Duration, SystemTime};

use signstar_core::{Certificate, SecretKey, SecretMaterial, SigningKey};

/// A day after the keys were made, in seconds since 1970: the first moment at which they sign.
pub const SIGNING_SINCE: u64 = 1_704_153_600;

/// A key pair in OpenPGP's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestKey {
    /// The name that [`signstar_core::PublicKey::name`] gives it.
    pub name: &'static str,
    /// The certificate, binary.
    pub certificate: &'static [u8],
    /// The secret key file, binary.
    pub secret: &'static [u8],
}

/// One of each kind that can sign.
pub const KEYS: [TestKey; 7] = [
    TestKey {
        name: "ed25519",
        certificate: include_bytes!("../keys/ed25519.pgp"),
        secret: include_bytes!("../keys/ed25519.secret.pgp"),
    },
    TestKey {
        name: "p256",
        certificate: include_bytes!("../keys/p256.pgp"),
        secret: include_bytes!("../keys/p256.secret.pgp"),
    },
    TestKey {
        name: "p384",
        certificate: include_bytes!("../keys/p384.pgp"),
        secret: include_bytes!("../keys/p384.secret.pgp"),
    },
    TestKey {
        name: "p521",
        certificate: include_bytes!("../keys/p521.pgp"),
        secret: include_bytes!("../keys/p521.secret.pgp"),
    },
    TestKey {
        name: "rsa2048",
        certificate: include_bytes!("../keys/rsa2048.pgp"),
        secret: include_bytes!("../keys/rsa2048.secret.pgp"),
    },
    TestKey {
        name: "rsa3072",
        certificate: include_bytes!("../keys/rsa3072.pgp"),
        secret: include_bytes!("../keys/rsa3072.secret.pgp"),
    },
    TestKey {
        name: "rsa4096",
        certificate: include_bytes!("../keys/rsa4096.pgp"),
        secret: include_bytes!("../keys/rsa4096.secret.pgp"),
    },
];

impl TestKey {
    /// The key `name`.
    pub fn named(name: &str) -> Self {
        let found = KEYS.into_iter().find(|key| key.name == name);
        found.unwrap_or_else(|| panic!("there is no test key {name}"))
    }

    /// The public half, as the assembly wants it.
    pub fn signing_key(&self) -> SigningKey {
        let certificate = Certificate::parse(self.certificate).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(SIGNING_SINCE);
        certificate.signing_key(None, now).unwrap()
    }

    /// The secret half, as a back end wants it.
    pub fn material(&self) -> SecretMaterial {
        let fingerprint = self.signing_key().fingerprint();
        let key = SecretKey::parse(self.secret, &fingerprint, None).unwrap();
        key.into_material()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_key_is_of_the_kind_that_its_name_says() {
        for key in KEYS {
            assert_eq!(key.signing_key().public_key().name(), key.name);
            assert_eq!(TestKey::named(key.name), key);
        }
    }
}
