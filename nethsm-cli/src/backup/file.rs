//! The format of backups, as far as the backup passphrase opens it.
//!
//! `_NETHSM_BACKUP_` and a version; then fields with lengths of three bytes: the salt of the passphrase,
//! the version again, the locked domain key, from version 1 on the device's id and the key of its own
//! settings, and an entry for each value of the device's store. Version 1 ends with an empty field and
//! `_NETHSM_BACKUP_END_`. All but the salt is sealed with AES-256-GCM, its nonce in front.
//!
//! What the unlock passphrase protects inside stays sealed here: users, keys, and most settings; `inner` opens it.

use std::collections::BTreeMap;
use std::path::Path;

use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use scrypt::{Params, scrypt};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// How every backup begins.
pub(super) const MAGIC: &[u8] = b"_NETHSM_BACKUP_";
/// How one of version 1 ends.
pub(super) const END: &[u8] = b"_NETHSM_BACKUP_END_";
/// Some thousand keys are a few megabytes.
const BYTES_MAX: u64 = 256 << 20;
const NONCE_BYTES: usize = 12;
/// The cost of the passphrase on a device: N = 2^14, r = 8, p = 16.
const COST: (u8, u32, u32) = (14, 8, 16);

/// What a layer of a backup is sealed with, by AES-256-GCM.
pub type Key = Zeroizing<[u8; 32]>;

/// A backup, opened by its passphrase.
pub(super) struct Backup {
    pub(super) version: u8,
    /// The device that made it; absent in version 0.
    pub(super) device: Option<String>,
    /// What the unlock passphrase opens.
    pub(super) locked_domain_key: Zeroizing<Vec<u8>>,
    /// What the device's own settings are sealed with; absent in version 0, where they are not.
    pub(super) settings_key: Option<Zeroizing<Vec<u8>>>,
    /// By path, as the device keeps them.
    pub(super) entries: BTreeMap<String, Vec<u8>>,
}

/// A file that begins like a backup.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    let none = || Failure::failed(format!("{}: is no backup of a NetHSM", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > BYTES_MAX {
        return Err(none());
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    match bytes.starts_with(MAGIC) {
        true => Ok(bytes),
        false => Err(none()),
    }
}

/// Whether everything came that a device sends.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    match bytes.strip_prefix(MAGIC).and_then(|rest| rest.first()) {
        Some(0) => true,
        Some(_) => bytes.ends_with(END),
        None => false,
    }
}

impl Backup {
    /// Opens and verifies every part of `bytes`.
    pub(super) fn open(bytes: &[u8], passphrase: &str) -> Result<Self, String> {
        Self::open_with(bytes, |salt| key(passphrase, salt))
    }

    /// Opens `bytes` with the key that `key` makes of the salt in it.
    pub(super) fn open_with(
        bytes: &[u8],
        key: impl FnOnce(&[u8]) -> Result<Key, String>,
    ) -> Result<Self, String> {
        let short = || "ends too early".to_owned();
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or("is no backup of a NetHSM")?;
        let (version, rest) = rest.split_first().ok_or_else(short)?;
        if *version > 1 {
            return Err("is of a version that is not known".to_owned());
        }
        let (salt, mut rest) = field(rest).ok_or_else(short)?;
        let cipher = cipher(&key(salt)?);
        let mut next = |name: &str| {
            let (sealed, after) = field(rest).ok_or_else(short)?;
            rest = after;
            open(&cipher, sealed, name)
        };
        let inner = next("backup-version")
            .map_err(|_| "does not open: the passphrase is wrong, or the file is damaged")?;
        if inner.as_slice() != [*version] {
            return Err("names two versions".to_owned());
        }
        let locked_domain_key = next("domain-key")?;
        let (device, settings_key) = match version {
            0 => (None, None),
            _ => {
                let id = next("backup-device-id")?;
                let key = next("backup-config-store-key")?;
                let id = text(&id).ok_or("has a device id that is no text")?;
                (Some(id.to_owned()), Some(key))
            }
        };
        let mut entries = BTreeMap::new();
        loop {
            if rest.is_empty() && *version == 0 {
                break;
            }
            let (sealed, after) = field(rest).ok_or_else(short)?;
            rest = after;
            if sealed.is_empty() && *version == 1 {
                match rest == END {
                    true => break,
                    false => return Err("has something after its end".to_owned()),
                }
            }
            let entry = open(&cipher, sealed, "backup")?;
            let (path, value) = field(&entry).ok_or_else(short)?;
            let path = text(path).ok_or("has a path that is no text")?;
            if entries.insert(path.to_owned(), value.to_vec()).is_some() {
                return Err(format!("has {path} twice"));
            }
        }
        Ok(Self {
            version: *version,
            device,
            locked_domain_key,
            settings_key,
            entries,
        })
    }

    /// How many entries lie right below `folder`, in namespaces too; not those that begin with a dot.
    pub(super) fn count(&self, folder: &str) -> usize {
        let names = self
            .entries
            .keys()
            .filter_map(|path| path.strip_prefix(folder));
        let names = names.filter_map(|path| path.rsplit('/').next());
        names.filter(|name| !name.starts_with('.')).count()
    }
}

/// A field: 3 bytes of length, most significant first, and its bytes.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([high, middle, low], rest) = bytes.split_first_chunk::<3>()?;
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// What can be shown on a terminal in a line.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains(char::is_control)).then_some(text)
}

/// What a passphrase of a backup is made. Takes a part of a second.
///
/// # Errors
/// The passphrase cannot be used.
pub fn key(passphrase: &str, salt: &[u8]) -> Result<Key, String> {
    let failed = || "its passphrase cannot be used".to_owned();
    let (log_n, r, p) = COST;
    let params = Params::new(log_n, r, p, 32).map_err(|_| failed())?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt(passphrase.as_bytes(), salt, &params, key.as_mut_slice()).map_err(|_| failed())?;
    Ok(key)
}

/// What opens and seals with a key.
pub(super) fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new(GenericArray::from_slice(key.as_slice()))
}

/// What was sealed for `name`.
pub(super) fn open(
    cipher: &Aes256Gcm,
    sealed: &[u8],
    name: &str,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let damaged = || format!("is damaged: {name} does not open");
    let (nonce, msg) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(damaged)?;
    let payload = Payload {
        msg,
        aad: name.as_bytes(),
    };
    let opened = cipher.decrypt(Nonce::from_slice(nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| damaged())
}
