//! What the unlock passphrase opens in a backup: users, keys, namespaces and settings.
//!
//! The domain key is sealed with a key from the unlock passphrase and its salt, which is among the device's
//! settings. Each store has a key of its own, which is SHA-256 of the domain key and the store's name; a
//! value is sealed for its path. The device's own settings are sealed with a key that the backup brings; what
//! lies below `domain-key/` is sealed with a key that never leaves the device, and stays so.

use std::collections::BTreeMap;

use aes_gcm::{Aes256Gcm, KeyInit as _};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::file::{self, Backup, Key};

/// The stores: where they are, and what their key is called.
const STORES: [(&str, &str); 4] = [
    ("/authentication/", "auth_store"),
    ("/config/", "config_store"),
    ("/key/", "key_store"),
    ("/namespace/", "namespace_store"),
];
/// Settings that are secret as a whole.
const SECRET_SETTINGS: [&str; 5] = [
    "backup-key",
    "backup-salt",
    "private-key",
    "unlock-salt",
    "unattended",
];
/// Fields that are secret, of users and keys.
const SECRET_FIELDS: [&str; 3] = ["salt", "digest", "priv"];

/// What is open.
pub(super) struct Inner {
    /// The values, by path.
    pub(super) values: BTreeMap<String, Zeroizing<Vec<u8>>>,
    domain_key: Zeroizing<Vec<u8>>,
}

impl Inner {
    /// Opens everything that the unlock passphrase and the backup open.
    pub(super) fn open(backup: &Backup, passphrase: &str) -> Result<Self, String> {
        Self::open_with(backup, |salt| file::key(passphrase, salt))
    }

    /// Opens it with the key that `key` makes of the salt of the unlock passphrase.
    pub(super) fn open_with(
        backup: &Backup,
        key: impl FnOnce(&[u8]) -> Result<Key, String>,
    ) -> Result<Self, String> {
        let damaged = |path: &str| format!("is damaged: {path} does not open");
        let domain_key = domain_key(backup, key)?;
        let ciphers: Vec<(&str, Aes256Gcm)> = STORES
            .iter()
            .map(|(folder, name)| Ok((*folder, store_cipher(&domain_key, name)?)))
            .collect::<Result<_, String>>()?;
        let mut values = BTreeMap::new();
        for (path, sealed) in &backup.entries {
            let store = ciphers.iter().find(|(folder, _)| path.starts_with(folder));
            let is_setting = path.starts_with("/local/") && path.contains("/config/");
            let value = match (store, &backup.settings_key) {
                // Notes of the format, which some devices seal and some do not.
                (Some((_, cipher)), _)
                    if path.ends_with("/.version") || path == "/config/version" =>
                {
                    file::open(cipher, sealed, path)
                        .unwrap_or_else(|_| Zeroizing::new(sealed.clone()))
                }
                (Some((_, cipher)), _)
                    if backup.device.is_some() || !path.starts_with("/config/") =>
                {
                    file::open(cipher, sealed, path).map_err(|_| damaged(path))?
                }
                (None, Some(key)) if is_setting => {
                    file::open(&settings_cipher(key)?, sealed, path).map_err(|_| damaged(path))?
                }
                // Settings of version 0 are not sealed inside.
                (Some(_), _) => Zeroizing::new(sealed.clone()),
                _ => continue,
            };
            values.insert(path.clone(), value);
        }
        Ok(Self { values, domain_key })
    }

    /// A value as JSON, where it is an object of that.
    pub(super) fn object(&self, path: &str) -> Option<Map<String, Value>> {
        // A certificate in it may be of any bytes.
        let text = String::from_utf8_lossy(self.values.get(path)?).into_owned();
        match serde_json::from_str(&Zeroizing::new(text)).ok()? {
            Value::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// What there is to say of a value in a line.
    pub(super) fn summary(&self, path: &str) -> String {
        let Some(fields) = self.object(path) else {
            return String::new();
        };
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Array(items)) => {
                let items = items.iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(",")
            }
            _ => String::new(),
        };
        let tags = fields
            .get("restrictions")
            .and_then(|restrictions| restrictions.get("tags"))
            .or_else(|| fields.get("tags"))
            .and_then(Value::as_array)
            .map(|tags| {
                tags.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(",")
            })
            .unwrap_or_default();
        let parts = match path.starts_with("/key/") {
            true => vec![
                ("", text("mechanisms")),
                ("label ", text("label")),
                ("tags ", tags),
                ("used ", text("operations")),
            ],
            false => vec![("", text("role")), ("name ", text("name")), ("tags ", tags)],
        };
        let parts = parts.into_iter().filter(|(_, value)| !value.is_empty());
        let parts: Vec<String> = parts
            .map(|(name, value)| format!("{name}{value}"))
            .collect();
        // What stood in a backup goes to a terminal.
        parts.join("; ").replace(char::is_control, "\u{fffd}")
    }

    /// What differs between this one and a newer one in the value at `path`, which has been sealed anew at least:
    /// names of fields, none where it is no object; absent where nothing does.
    pub(super) fn changes(&self, newer: &Self, path: &str) -> Option<Vec<String>> {
        // The device's own copies of the domain key, which the unlock passphrase opens elsewhere.
        if path.contains("/domain-key/") {
            return (self.domain_key != newer.domain_key).then(Vec::new);
        }
        match (self.values.get(path), newer.values.get(path)) {
            (Some(before), Some(after)) if before == after => return None,
            _ => {}
        }
        let (Some(before), Some(after)) = (self.object(path), newer.object(path)) else {
            return Some(Vec::new());
        };
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        names.retain(|name| before.get(*name) != after.get(*name));
        let shown = |name: &String| name.replace(char::is_control, "\u{fffd}");
        Some(names.into_iter().map(shown).collect())
    }
}

/// Whether a value is secret as a whole.
pub(super) fn is_secret(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| path.contains("/config/") && SECRET_SETTINGS.contains(&name))
}

/// Takes out what is secret in an object.
pub(super) fn without_secrets(fields: &mut Map<String, Value>) {
    fields.retain(|name, _| !SECRET_FIELDS.contains(&name.as_str()));
}

fn domain_key(
    backup: &Backup,
    key: impl FnOnce(&[u8]) -> Result<Key, String>,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let missing = || "has no salt of the unlock passphrase".to_owned();
    let salt = match (&backup.device, &backup.settings_key) {
        (Some(device), Some(key)) => {
            let path = format!("/local/{device}/config/unlock-salt");
            let sealed = backup.entries.get(&path).ok_or_else(missing)?;
            file::open(&settings_cipher(key)?, sealed, &path)?
        }
        _ => {
            let plain = backup.entries.get("/config/unlock-salt");
            Zeroizing::new(plain.ok_or_else(missing)?.clone())
        }
    };
    let cipher = file::cipher(&key(&salt)?);
    file::open(&cipher, &backup.locked_domain_key, "passphrase")
        .map_err(|_| "does not open inside: the unlock passphrase is wrong".to_owned())
}

fn settings_cipher(key: &[u8]) -> Result<Aes256Gcm, String> {
    Aes256Gcm::new_from_slice(key).map_err(|_| "has a key of a wrong length".to_owned())
}

fn store_cipher(domain_key: &[u8], name: &str) -> Result<Aes256Gcm, String> {
    let mut hasher = Sha256::new();
    hasher.update(domain_key);
    hasher.update(name.as_bytes());
    settings_cipher(hasher.finalize().as_slice())
}
