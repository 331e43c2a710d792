//! Keys of the back end `software`: files.

use std::time::SystemTime;

use signstar::back_ends::software::Software;
use signstar::config::Key;
use signstar::trusted_file::{self, Kind};
use signstar_certificate::{secret_key_file, stored_keys};
use signstar_core::{KeyKind, KeyVersion, SecretKey};
use signstar_software::KINDS;

use super::outside;
use super::{BackEnd, Held, Made, Seen, Stored, settings_of};
use crate::account;
use crate::cli::Generate;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::secret_file;
use crate::settings::Settings;

/// The same bound as the login shell's.
pub(crate) const SECRET_KEY_BYTES_MAX: u64 = 256 * 1024;

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "software",
    open,
    look: |settings, key| Ok(Seen::of(&open(settings, key)?)),
    generate,
    kinds: &KINDS,
    options: &["--v6", "--passphrase-file", "--group"],
    import: None,
    search: None,
    storage_key: None,
    shelf: None,
};

fn open(_: &Settings, key: &Key) -> Result<Held, Failure> {
    let files: &Software = settings_of(key)?;
    let shown = files.secret_key.display();
    let data =
        |error: &dyn std::fmt::Display| Failure::new(Status::Data, format!("{shown}: {error}"));
    let file = trusted_file::read(&files.secret_key, Kind::Secret, SECRET_KEY_BYTES_MAX)?;
    let stored = stored_keys(&file).map_err(|error| data(&error))?;
    let stored = outside::meant(key, stored)?;
    log::debug!("{shown} holds {}", stored.fingerprint);
    let passphrase = files
        .passphrase
        .as_deref()
        .map(secret_file::read)
        .transpose()?;
    let passphrase = passphrase.as_deref().map(Vec::as_slice);
    let secret =
        SecretKey::parse(&file, &stored.fingerprint, passphrase).map_err(|error| data(&error))?;
    let opened = signstar_software::open(secret.into_material())?;
    Ok(Held {
        signer: opened.signer,
        stored: Some(Stored {
            created: stored.created,
            version: Some(stored.version),
        }),
        place: format!("secret key file {shown}"),
    })
}

fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let name = &options.key;
    let files: &Software = settings_of(settings.key(name)?)?;
    let group = account::group_of_key(settings, name, options.group.as_deref())?;
    let existing = Existing::forced(options.replacing.force);
    existing.check(&files.secret_key)?;
    let passphrase_file = match (&files.passphrase, &options.passphrase_file) {
        (None, Some(_)) => {
            let text = format!(
                "name a `passphrase` in [key.{name}.software]: the login shell needs it for each signature"
            );
            return Err(Failure::new(Status::Configuration, text));
        }
        (configured, given) => given.as_ref().or(configured.as_ref()),
    };
    let passphrase = passphrase_file
        .map(|path| secret_file::read(path))
        .transpose()?;
    let passphrase = passphrase.as_deref().map(Vec::as_slice);

    let internal = |error: &dyn std::fmt::Display| Failure::new(Status::Internal, error);
    let version = match options.v6 {
        true => KeyVersion::V6,
        false => KeyVersion::V4,
    };
    let kind = options.kind.unwrap_or(KeyKind::Ed25519);
    let mut made = Made {
        kind,
        device: files.secret_key.display().to_string(),
        fingerprint: None,
        created: None,
        secret_key: Some(files.secret_key.clone()),
        protected: passphrase.is_some(),
        dry_run: options.replacing.dry_run,
    };
    if made.dry_run {
        return Ok(made);
    }
    let material = signstar_software::generate(kind)?;
    log::debug!("made a key of the kind {kind}");
    let opened = signstar_software::open(material.clone())?;
    let public = opened.signer.public_key();
    let file = secret_key_file(&material, public, SystemTime::now(), version, passphrase)
        .map_err(|error| Failure::new(Status::Data, error))?;
    // What cannot be opened again is not written.
    let stored = stored_keys(&file).map_err(|error| internal(&error))?;
    let written = stored.into_iter().next().map(|key| key.fingerprint);
    let fingerprint = written.ok_or_else(|| internal(&"the key cannot be read again"))?;
    SecretKey::parse(&file, &fingerprint, passphrase).map_err(|error| internal(&error))?;
    NewFile {
        path: &files.secret_key,
        mode: 0o440,
        group: Some(group),
        existing,
    }
    .write(&file)?;

    made.fingerprint = Some(fingerprint);
    Ok(made)
}
