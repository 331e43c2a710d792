//! A backup as a device writes it, from what a fuzzer says.

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use nethsm_cli::files::{Backup, BackupKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const DEVICE: &str = "0123456789";
const DOMAIN_KEY: [u8; 32] = [3; 32];
const SETTINGS_KEY: [u8; 32] = [4; 32];
/// Where values lie, and what the key of that store is called; the device's own settings have a key of their own.
const PLACES: [(&str, Option<&str>); 6] = [
    ("/key/", Some("key_store")),
    ("/authentication/", Some("auth_store")),
    ("/config/", Some("config_store")),
    ("/namespace/", Some("namespace_store")),
    ("/local/0123456789/config/", None),
    ("/elsewhere/", None),
];

/// What a salt makes of a passphrase here.
pub(crate) fn key(number: u8, salt: &[u8]) -> BackupKey {
    let mut key = [number; 32];
    for (byte, salt) in key.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    Zeroizing::new(key)
}

fn seal(key: &[u8; 32], name: &str, msg: &[u8]) -> Vec<u8> {
    let nonce = [9; 12];
    let aad = name.as_bytes();
    let sealed = Aes256Gcm::new(key.into()).encrypt(&Nonce::from(nonce), Payload { msg, aad });
    [&nonce[..], &sealed.unwrap_or_default()].concat()
}

fn field(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes();
    [&length[1..], bytes].concat()
}

pub(crate) struct Written {
    version: u8,
    /// Paths and values, before they are sealed inside.
    values: Vec<(String, Vec<u8>)>,
    /// As they are stored.
    entries: Vec<(String, Vec<u8>)>,
}

impl Written {
    /// Each value in `input`: its place, the length of its name, the length of the value, name, value.
    pub(crate) fn of(version: u8, mut input: &[u8]) -> Self {
        let version = version & 1;
        let mut this = Self {
            version,
            values: Vec::new(),
            entries: Vec::new(),
        };
        while let Some(([place, name, value], rest)) = input.split_first_chunk::<3>() {
            let (name, rest) = rest.split_at(usize::from(*name).min(rest.len()));
            let (value, rest) = rest.split_at(usize::from(*value).min(rest.len()));
            input = rest;
            let (folder, store) = PLACES[usize::from(*place) % PLACES.len()];
            let path = format!("{folder}{}", String::from_utf8_lossy(name));
            this.add(path, folder, store, value);
        }
        let (path, folder) = match version {
            0 => ("/config/unlock-salt", "/config/"),
            _ => (
                "/local/0123456789/config/unlock-salt",
                "/local/0123456789/config/",
            ),
        };
        this.add(path.to_owned(), folder, Some("config_store"), b"inner salt");
        this
    }

    fn add(&mut self, path: String, folder: &str, store: Option<&str>, value: &[u8]) {
        let sealed = match (folder, store) {
            // What a device of version 0 does not seal inside.
            ("/config/", _) if self.version == 0 => value.to_vec(),
            ("/local/0123456789/config/", _) if self.version == 1 => {
                seal(&SETTINGS_KEY, &path, value)
            }
            ("/local/0123456789/config/", _) | (_, None) => value.to_vec(),
            (_, Some(store)) => {
                let mut hasher = Sha256::new();
                hasher.update(DOMAIN_KEY);
                hasher.update(store);
                seal(&hasher.finalize().into(), &path, value)
            }
        };
        self.values.push((path.clone(), value.to_vec()));
        self.entries.push((path, sealed));
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let salt = b"outer salt";
        let key = key(1, salt);
        let sealed = |name: &str, value: &[u8]| field(&seal(&key, name, value));
        let inner = self::key(2, b"inner salt");
        let locked = seal(&inner, "passphrase", &DOMAIN_KEY);
        let mut bytes = [b"_NETHSM_BACKUP_", &[self.version][..]].concat();
        bytes.extend(field(salt));
        bytes.extend(sealed("backup-version", &[self.version]));
        bytes.extend(sealed("domain-key", &locked));
        if self.version == 1 {
            bytes.extend(sealed("backup-device-id", DEVICE.as_bytes()));
            bytes.extend(sealed("backup-config-store-key", &SETTINGS_KEY));
        }
        for (path, value) in &self.entries {
            let entry = [field(path.as_bytes()), value.clone()].concat();
            bytes.extend(sealed("backup", &entry));
        }
        if self.version == 1 {
            bytes.extend(field(b""));
            bytes.extend(b"_NETHSM_BACKUP_END_");
        }
        bytes
    }

    /// What came out is what went in, and nothing does that cannot be shown or stands twice.
    pub(crate) fn compare(&self, opened: Result<Backup, String>) {
        let entries: BTreeMap<_, _> = self.entries.iter().cloned().collect();
        let twice = entries.len() < self.entries.len();
        if twice || entries.keys().any(|path| path.contains(char::is_control)) {
            return assert!(opened.is_err());
        }
        let content = opened.unwrap_or_else(|text| panic!("{text}"));
        assert_eq!(content.version, self.version);
        assert_eq!(
            content.device.as_deref(),
            Some(DEVICE).filter(|_| self.version == 1)
        );
        assert_eq!(content.entries, entries);
        for (path, value) in &self.values {
            let elsewhere = path.starts_with("/elsewhere/");
            let elsewhere = elsewhere || self.version == 0 && path.starts_with("/local/");
            let found = content.opened.get(path).map(|(value, _)| value.as_slice());
            assert_eq!(
                found,
                Some(value.as_slice()).filter(|_| !elsewhere),
                "{path}"
            );
        }
    }
}
