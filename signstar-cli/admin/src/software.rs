//! A key of the back end `software`, before there is a certificate for it.

use std::path::Path;

use signstar::back_ends::software::Software;
use signstar::trusted_file::{self, Kind};
use signstar_certificate::stored_key;
use signstar_core::SecretKey;
use zeroize::Zeroizing;

use crate::device::{Birth, Held};
use crate::failure::{Failure, Status};

/// The same bounds as the login shell's.
const SECRET_KEY_BYTES_MAX: u64 = 256 * 1024;
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// Opens the key of `files` without knowing its certificate.
pub(crate) fn open(files: &Software) -> Result<Held, Failure> {
    let shown = files.secret_key.display();
    let data =
        |error: &dyn std::fmt::Display| Failure::new(Status::Data, format!("{shown}: {error}"));
    let file = trusted_file::read(&files.secret_key, Kind::Secret, SECRET_KEY_BYTES_MAX)?;
    let stored = stored_key(&file).map_err(|error| data(&error))?;
    log::debug!("{shown} holds {}", stored.fingerprint);
    let passphrase = files
        .passphrase
        .as_deref()
        .map(read_passphrase)
        .transpose()?;
    let passphrase = passphrase.as_deref().map(Vec::as_slice);
    let secret =
        SecretKey::parse(&file, &stored.fingerprint, passphrase).map_err(|error| data(&error))?;
    let opened = signstar_software::open(secret.into_material())?;
    Ok(Held {
        signer: opened.signer,
        stored: Some(Birth {
            created: stored.created,
            version: stored.version,
        }),
        place: format!("secret key file {shown}"),
    })
}

/// The passphrase in a file. One line end at its end is not part of it.
pub(crate) fn read_passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = trusted_file::read(path, Kind::Secret, PASSPHRASE_BYTES_MAX)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}
