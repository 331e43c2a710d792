//! The files of a key of the back end `software`, before there is a certificate for it.

use std::path::{Path, PathBuf};

use signstar::trusted_file::{self, Kind};
use signstar_certificate::{StoredKey, stored_key};
use signstar_core::{Opened, SecretKey};
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::failure::{Failure, Status};

/// The same bounds as the login shell's.
const SECRET_KEY_BYTES_MAX: u64 = 256 * 1024;
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// What `[key.NAME.software]` names.
pub(crate) struct SoftwareFiles {
    pub(crate) secret_key: PathBuf,
    pub(crate) passphrase: Option<PathBuf>,
}

impl SoftwareFiles {
    /// Looks them up in a configuration that has been found good; `None` if the key is held by
    /// another back end.
    pub(crate) fn of_key(configuration: &str, name: &str) -> Option<Self> {
        let root = DeTable::parse(configuration).ok()?;
        let key = table(table(root.get_ref(), "key")?, name)?;
        if text(key, "back-end")? != "software" {
            return None;
        }
        let files = table(key, "software")?;
        Some(Self {
            secret_key: text(files, "secret-key")?.into(),
            passphrase: text(files, "passphrase").map(PathBuf::from),
        })
    }

    /// Opens the key without knowing its certificate.
    pub(crate) fn open(&self) -> Result<(StoredKey, Opened), Failure> {
        let shown = self.secret_key.display();
        let data =
            |error: &dyn std::fmt::Display| Failure::new(Status::Data, format!("{shown}: {error}"));
        let file = trusted_file::read(&self.secret_key, Kind::Secret, SECRET_KEY_BYTES_MAX)?;
        let stored = stored_key(&file).map_err(|error| data(&error))?;
        log::debug!("{shown} holds {}", stored.fingerprint);
        let passphrase = self
            .passphrase
            .as_deref()
            .map(read_passphrase)
            .transpose()?;
        let passphrase = passphrase.as_deref().map(Vec::as_slice);
        let secret = SecretKey::parse(&file, &stored.fingerprint, passphrase)
            .map_err(|error| data(&error))?;
        let opened = signstar_software::open(secret.into_material())?;
        Ok((stored, opened))
    }
}

/// The passphrase in a file. One line end at its end is not part of it.
pub(crate) fn read_passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = trusted_file::read(path, Kind::Secret, PASSPHRASE_BYTES_MAX)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

fn find<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t DeValue<'i>> {
    let mut entries = table.iter();
    entries
        .find(|(key, _)| key.get_ref() == name)
        .map(|(_, value)| value.get_ref())
}

fn table<'t, 'i>(parent: &'t DeTable<'i>, name: &str) -> Option<&'t DeTable<'i>> {
    match find(parent, name)? {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn text<'t>(parent: &'t DeTable<'_>, name: &str) -> Option<&'t str> {
    match find(parent, name)? {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}
