//! The format of backups.
//!
//! `_NETHSM_BACKUP_` and a version; then fields with lengths of three bytes: salt, version, locked
//! domain key, and from version 1 on the number of the device and the key of its settings; then an
//! entry for each value of the store. Version 1 ends with an empty field and `_NETHSM_BACKUP_END_`. All
//! but the salt is sealed with the key of the backup passphrase.

use std::collections::BTreeMap;

use crate::crypto::CryptoError;
use crate::crypto::sealed::{self, Key};
use crate::exchange::Refusal;

const HEADER: &[u8] = b"_NETHSM_BACKUP_";
const TRAILER: &[u8] = b"_NETHSM_BACKUP_END_";

/// Paths and values of a store, the values as they are kept: most of them sealed.
pub(crate) type Entries = BTreeMap<String, Vec<u8>>;

/// A backup, opened.
#[derive(Debug)]
pub(crate) struct Backup {
    pub(crate) locked_domain_key: Vec<u8>,
    /// The device that made it, and the key of its settings; absent in version 0.
    pub(crate) origin: Option<(String, Key)>,
    pub(crate) entries: Entries,
    /// Whether the end is missing.
    pub(crate) truncated: bool,
}

fn field(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    let mut out = length.get(1..).unwrap_or_default().to_vec();
    out.extend_from_slice(content);
    out
}

/// A backup of version 1.
pub(crate) fn write(
    key: &Key,
    salt: &[u8],
    locked_domain_key: &[u8],
    origin: (&str, &Key),
    entries: &Entries,
) -> Result<Vec<u8>, CryptoError> {
    let mut out = HEADER.to_vec();
    out.push(1);
    out.extend(field(salt));
    for (aad, content) in [
        ("backup-version", &[1][..]),
        ("domain-key", locked_domain_key),
        ("backup-device-id", origin.0.as_bytes()),
        ("backup-config-store-key", origin.1),
    ] {
        out.extend(field(&sealed::seal(key, aad.as_bytes(), content)?));
    }
    for (path, value) in entries {
        let mut entry = field(path.as_bytes());
        entry.extend_from_slice(value);
        out.extend(field(&sealed::seal(key, b"backup", &entry)?));
    }
    out.extend(field(&[]));
    out.extend_from_slice(TRAILER);
    Ok(out)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| Refusal::bad("Unexpected end of data"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.take(3)?;
        let length = length
            .iter()
            .fold(0, |length, byte| (length << 8) | usize::from(*byte));
        self.take(length)
    }
}

fn open(key: &Key, aad: &str, blob: &[u8]) -> Result<Vec<u8>, Refusal> {
    sealed::open(key, aad.as_bytes(), blob).ok_or_else(|| {
        Refusal::bad(if blob.len() < 28 {
            format!("Could not decrypt {aad}. Backup incomplete, try another one.")
        } else {
            format!("Could not decrypt {aad}, authentication failed. Is the passphrase correct?")
        })
    })
}

/// Reads a backup. `key` makes the key of the salt.
///
/// # Errors
/// The device's messages.
pub(crate) fn read(
    file: &[u8],
    key: impl FnOnce(&[u8]) -> Result<Key, Refusal>,
) -> Result<Backup, Refusal> {
    let mut reader = Reader(file);
    let header = reader.take(HEADER.len() + 1)?;
    let Some([version]) = header.strip_prefix(HEADER) else {
        return Err(Refusal::bad("Not a NetHSM backup file"));
    };
    let version = *version;
    if version > 1 {
        return Err(Refusal::bad(format!(
            "Version mismatch on restore, provided backup version is {version}, server expects one of [ 0 1]"
        )));
    }
    let key = key(reader.field()?)?;
    let inner = open(&key, "backup-version", reader.field()?)?;
    if inner.first() != Some(&version) {
        return Err(Refusal::bad("Internal and external version mismatch."));
    }
    let locked_domain_key = open(&key, "domain-key", reader.field()?)?;
    let origin = if version == 1 {
        let device = open(&key, "backup-device-id", reader.field()?)?;
        let config = open(&key, "backup-config-store-key", reader.field()?)?;
        let config = Key::try_from(config)
            .map_err(|_| Refusal::bad("Could not decrypt backup-config-store-key."))?;
        Some((String::from_utf8_lossy(&device).into_owned(), config))
    } else {
        None
    };
    let mut entries = Entries::new();
    let truncated = loop {
        if reader.0.is_empty() {
            break version == 1;
        }
        let sealed = match reader.field() {
            Ok(sealed) => sealed,
            Err(_) if version == 1 => break true,
            Err(error) => return Err(error),
        };
        if version == 1 && sealed.is_empty() {
            break reader.0 != TRAILER;
        }
        let (path, value) = split(&open(&key, "backup", sealed)?)?;
        entries.insert(path, value);
    };
    Ok(Backup {
        locked_domain_key,
        origin,
        entries,
        truncated,
    })
}

fn split(entry: &[u8]) -> Result<(String, Vec<u8>), Refusal> {
    let mut reader = Reader(entry);
    let path = reader.field().map_err(|_| {
        Refusal::bad("Missing length field in backup data. Backup not readable, try another one.")
    })?;
    let path = String::from_utf8_lossy(path).into_owned();
    Ok((path, reader.0.to_vec()))
}
