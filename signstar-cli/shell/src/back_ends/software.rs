//! Keys in a file, `[key.NAME.software]`: to try the system and to test it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar_core::{Failure, Opened, Refusal, SecretKey, SigningKey};

use super::{BackEnd, Device};
use crate::config::Table;
use crate::trusted_file::{self, Kind};

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "software",
    environment: &[],
    read,
};

/// A secret key file is a few KiB.
const SECRET_KEY_BYTES_MAX: u64 = 256 * 1024;
/// Longer passphrases gain nothing.
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// What `[key.NAME.software]` says.
pub struct Software {
    /// The secret key file.
    pub secret_key: PathBuf,
    /// The file with its passphrase, if it has one.
    pub passphrase: Option<PathBuf>,
}

fn read(mut table: Table<'_, '_>) -> Option<Box<dyn Device>> {
    let secret_key = table.path("secret-key");
    let passphrase = table.optional_path("passphrase");
    table.finish();
    Some(Box::new(Software {
        secret_key: secret_key?,
        passphrase,
    }))
}

impl Device for Software {
    fn open(&self, key: &SigningKey, _: Duration) -> Result<Opened, Failure> {
        let credential = |error: &dyn std::fmt::Display| Failure::new(Refusal::Credential, error);
        let file = trusted_file::read(&self.secret_key, Kind::Secret, SECRET_KEY_BYTES_MAX)
            .map_err(|error| credential(&error))?;
        let passphrase = self
            .passphrase
            .as_ref()
            .map(|path| trusted_file::read(path, Kind::Secret, PASSPHRASE_BYTES_MAX))
            .transpose()
            .map_err(|error| credential(&error))?;
        // A line end at the end is the editor's, not the passphrase's.
        let passphrase = passphrase
            .as_ref()
            .map(|bytes| bytes.strip_suffix(b"\n").unwrap_or(bytes));
        let secret = SecretKey::parse(&file, &key.fingerprint(), passphrase)
            .map_err(|error| credential(&error))?;
        signstar_software::open(secret.into_material())
            .map_err(|error| Failure::new(Refusal::Credential, error))
    }
    fn secrets(&self) -> Vec<&Path> {
        let files = [Some(&self.secret_key), self.passphrase.as_ref()];
        files.into_iter().flatten().map(PathBuf::as_path).collect()
    }
}
