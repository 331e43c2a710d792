//! What the device keeps.
//!
//! A real one has a key-value store with encrypted values. Here values are kept decoded, so that a
//! signature does not parse its key again, and users and keys beside that in the sealed form that
//! backups have ([`crate::vault`]). Of the hash of that the device makes ETags; a setting has a random
//! stamp in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::crypto::ec::Curve;
use crate::crypto::private_key::{KeyType, PrivateKey};
use crate::crypto::sealed::{self, Key};
use crate::crypto::{CryptoError, certificate, random};

/// Stands for one version of a stored value.
pub(crate) type Stamp = [u8; 32];

/// A stamp that no other value has.
pub(crate) fn new_stamp() -> Result<Stamp, CryptoError> {
    random()
}

/// The ETag of what has this stamp: hexadecimal of hexadecimal.
pub(crate) fn etag(stamp: &Stamp) -> String {
    sealed::hex(sealed::hex(stamp))
}

/// A value and its stamp.
#[derive(Debug, Clone)]
pub(crate) struct Stamped<T> {
    pub(crate) value: T,
    pub(crate) stamp: Stamp,
    /// What a backup has of it; empty where that is made when it is asked for.
    pub(crate) sealed: Vec<u8>,
}

impl<T> Stamped<T> {
    pub(crate) fn new(value: T) -> Result<Self, CryptoError> {
        Ok(Self {
            value,
            stamp: new_stamp()?,
            sealed: Vec::new(),
        })
    }

    /// What was read from its sealed form.
    pub(crate) fn opened(value: T, sealed: &[u8]) -> Self {
        Self {
            value,
            stamp: sealed::sha256(sealed),
            sealed: sealed.to_vec(),
        }
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Administrator,
    Operator,
    Metrics,
    Backup,
}

impl Role {
    pub(crate) const ALL: [Self; 4] = [
        Self::Administrator,
        Self::Operator,
        Self::Metrics,
        Self::Backup,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
            Self::Metrics => "Metrics",
            Self::Backup => "Backup",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.name().as_bytes() == name)
    }
}

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) real_name: Vec<u8>,
    pub(crate) role: Role,
    pub(crate) salt: Vec<u8>,
    pub(crate) digest: Vec<u8>,
    pub(crate) tags: BTreeSet<String>,
}

impl User {
    pub(crate) fn new(
        real_name: &[u8],
        role: Role,
        passphrase: &[u8],
    ) -> Result<Self, CryptoError> {
        let mut user = Self {
            real_name: real_name.to_vec(),
            role,
            salt: Vec::new(),
            digest: Vec::new(),
            tags: BTreeSet::new(),
        };
        user.set_passphrase(passphrase)?;
        Ok(user)
    }

    pub(crate) fn set_passphrase(&mut self, passphrase: &[u8]) -> Result<(), CryptoError> {
        self.salt = random::<16>()?.to_vec();
        self.digest = sealed::passphrase_digest(&self.salt, passphrase);
        Ok(())
    }

    pub(crate) fn has_passphrase(&self, passphrase: &[u8]) -> bool {
        self.digest == sealed::passphrase_digest(&self.salt, passphrase)
    }
}

/// The place of a key: its namespace, or none, and its name.
pub(crate) type KeyPlace = (Option<String>, String);

/// A key.
#[derive(Debug, Clone)]
pub(crate) struct StoredKey {
    pub(crate) key: Arc<PrivateKey>,
    /// Sorted as the device sorts them.
    pub(crate) mechanisms: Vec<crate::mechanism::Mechanism>,
    /// Its media type and content.
    pub(crate) certificate: Option<(String, Vec<u8>)>,
    /// How often it was used.
    pub(crate) operations: u64,
    /// The same, as of the last write: the device counts in memory.
    pub(crate) operations_written: u64,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) label: String,
}

/// The network that the device was told to use; here it is only kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) address: std::net::Ipv4Addr,
    pub(crate) netmask: std::net::Ipv4Addr,
    pub(crate) gateway: std::net::Ipv4Addr,
    /// Prefix and gateway.
    pub(crate) ipv6: Option<(String, Option<String>)>,
}

/// Where the device was told to send its log; here it is only kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logging {
    pub(crate) address: std::net::Ipv4Addr,
    pub(crate) port: i64,
    pub(crate) level: String,
}

/// Where the device was told to ask for the time; here it is only kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ntp {
    pub(crate) address: Option<String>,
    pub(crate) nts_name: Option<String>,
}

/// Key and certificates of the HTTPS server.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    pub(crate) key: Arc<PrivateKey>,
    /// DER, the server's own first.
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key_stamp: Stamp,
    pub(crate) chain_stamp: Stamp,
}

/// The key that backups are encrypted with.
#[derive(Debug, Clone)]
pub(crate) struct BackupKey {
    pub(crate) key: Key,
    pub(crate) salt: Vec<u8>,
}

/// Settings.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) tls: Tls,
    /// Absent until it is asked for or set.
    pub(crate) network: Option<Stamped<Network>>,
    pub(crate) logging: Option<Stamped<Logging>>,
    pub(crate) unattended_boot: Option<Stamped<bool>>,
    pub(crate) ntp: Option<Ntp>,
    /// DER
    pub(crate) cluster_ca: Option<Vec<u8>>,
    pub(crate) backup: Option<BackupKey>,
    pub(crate) unlock_salt: Vec<u8>,
}

impl Configuration {
    /// That of a new device: a P-256 key and the certificate that it signs itself.
    pub(crate) fn new() -> Result<Self, CryptoError> {
        let key = PrivateKey::generate(KeyType::Ec(Curve::P256), 0)?;
        let chain = vec![certificate::self_signed(&key)?];
        Ok(Self {
            tls: Tls {
                key: Arc::new(key),
                chain,
                key_stamp: new_stamp()?,
                chain_stamp: new_stamp()?,
            },
            network: None,
            logging: None,
            unattended_boot: None,
            ntp: None,
            cluster_ca: None,
            backup: None,
            unlock_salt: Vec::new(),
        })
    }
}

/// Everything that is there once the device is provisioned.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// The domain key under the unlock passphrase.
    pub(crate) locked_domain_key: Vec<u8>,
    /// The domain key; absent after a restore, until somebody unlocks.
    pub(crate) domain_key: Option<Key>,
    /// What was restored and is not opened yet.
    pub(crate) sealed: BTreeMap<String, Vec<u8>>,
    pub(crate) users: BTreeMap<String, Stamped<User>>,
    pub(crate) keys: BTreeMap<KeyPlace, Stamped<StoredKey>>,
    pub(crate) namespaces: BTreeSet<String>,
}
