//! A key that exists already outside of a device, from a secret key file of OpenPGP.
//!
//! Such a file often has several keys: a primary key that certifies, and a subkey that signs. Which one is
//! meant follows from the certificate that signatures must verify with. No order in the file decides it.

use std::io::ErrorKind;
use std::time::SystemTime;

use signstar::config::Key;
use signstar::enclave::open_certificate;
use signstar::trusted_file::{self, Kind};
use signstar_certificate::{StoredKey, stored_keys};
use signstar_core::{KeyVersion, PublicKey, SecretKey, SecretKeyError, SecretMaterial};
use zeroize::Zeroizing;

use super::software::SECRET_KEY_BYTES_MAX;
use crate::cli::Import;
use crate::failure::{Failure, Status};
use crate::secret_file;
use crate::settings::Settings;
use crate::terminal;

/// The key, and what makes it one of OpenPGP.
pub(super) struct Outside {
    pub(super) material: SecretMaterial,
    pub(super) public: PublicKey,
    pub(super) created: SystemTime,
    #[cfg_attr(
        not(feature = "smartcard"),
        expect(
            dead_code,
            reason = "a card keeps the fingerprint, and so has to know it"
        )
    )]
    pub(super) version: KeyVersion,
}

/// Reads the key of the file that is meant, and asks for its passphrase if it has one.
pub(super) fn read(settings: &Settings, options: &Import) -> Result<Outside, Failure> {
    let path = &options.from;
    let data = |error: &dyn std::fmt::Display| {
        Failure::new(Status::Data, format!("{}: {error}", path.display()))
    };
    let file = trusted_file::read(path, Kind::Secret, SECRET_KEY_BYTES_MAX)?;
    let stored = stored_keys(&file).map_err(|error| data(&error))?;
    let wanted = match &options.subkey {
        Some(fingerprint) => fingerprint.replace(' ', "").to_ascii_uppercase(),
        None => match certified(settings.key(&options.key)?)? {
            Some(fingerprint) => fingerprint,
            None => only(&stored).map_err(|text| data(&text))?.fingerprint,
        },
    };
    let passphrase = options.passphrase_file.as_deref();
    let mut passphrase = passphrase.map(secret_file::read).transpose()?;
    let parse = |passphrase: Option<&Zeroizing<Vec<u8>>>| {
        let passphrase = passphrase.map(|passphrase| passphrase.as_slice());
        SecretKey::parse(&file, &wanted, passphrase)
    };
    let mut secret = parse(passphrase.as_ref());
    if let Err(SecretKeyError::PassphraseMissing) = secret {
        if !terminal::is_there() {
            let text = "protected, and nobody is there to ask: give --passphrase-file";
            return Err(data(&text));
        }
        let asked = terminal::secret(&format!("Passphrase of the key in {}", path.display()))?;
        passphrase = Some(asked);
        secret = parse(passphrase.as_ref());
    }
    let secret = secret.map_err(|error| match (&error, &options.subkey) {
        (SecretKeyError::NotFound { .. } | SecretKeyError::NoSecret, None) => data(&format!(
            "{error}, with which the configured certificate signs; name another one by --subkey"
        )),
        _ => data(&error),
    })?;
    let stored = stored.into_iter().find(|key| key.fingerprint == wanted);
    let stored = stored.ok_or_else(|| data(&"the key cannot sign"))?;
    let material = secret.into_material();
    let public = signstar_software::open(material.clone())?
        .signer
        .public_key()
        .clone();
    Ok(Outside {
        material,
        public,
        created: stored.created,
        version: stored.version,
    })
}

/// The key of a file that can only mean this one, or that of the configured certificate.
pub(super) fn meant(key: &Key, stored: Vec<StoredKey>) -> Result<StoredKey, Failure> {
    if let Ok(key) = only(&stored) {
        return Ok(key);
    }
    let wanted = certified(key)?;
    let mut stored = stored.into_iter();
    let found = stored.find(|key| wanted.as_ref() == Some(&key.fingerprint));
    found.ok_or_else(|| {
        let text =
            "several keys in the file can sign, and none is that of the configured certificate";
        Failure::new(Status::Data, text)
    })
}

/// Fingerprint of the key that signs with the configured certificate, if that is there.
fn certified(key: &Key) -> Result<Option<String>, Failure> {
    let metadata = std::fs::symlink_metadata(&key.certificate);
    if metadata.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let signing = open_certificate(key).map_err(|failure| {
        let shown = key.certificate.display();
        let text = format!("which key signs, {shown} must say: {}", failure.detail);
        Failure::new(Status::Data, text)
    })?;
    Ok(Some(signing.fingerprint()))
}

/// The only key that can sign.
fn only(stored: &[StoredKey]) -> Result<StoredKey, String> {
    match stored {
        [key] => Ok(key.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|key| key.fingerprint.as_str()).collect();
            let names = names.join(", ");
            Err(format!(
                "{} keys can sign: name one by --subkey: {names}",
                several.len()
            ))
        }
    }
}
