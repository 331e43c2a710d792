//! A key that exists already outside of a device, from a secret key file of OpenPGP.

use std::time::SystemTime;

use signstar::trusted_file::{self, Kind};
use signstar_certificate::stored_key;
use signstar_core::{KeyVersion, PublicKey, SecretKey, SecretKeyError, SecretMaterial};
use zeroize::Zeroizing;

use super::software::SECRET_KEY_BYTES_MAX;
use crate::cli::Import;
use crate::failure::{Failure, Status};
use crate::secret_file;
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

/// Reads the first key of the file, and asks for its passphrase if it has one.
pub(super) fn read(options: &Import) -> Result<Outside, Failure> {
    let path = &options.from;
    let data = |error: &dyn std::fmt::Display| {
        Failure::new(Status::Data, format!("{}: {error}", path.display()))
    };
    let file = trusted_file::read(path, Kind::Secret, SECRET_KEY_BYTES_MAX)?;
    let stored = stored_key(&file).map_err(|error| data(&error))?;
    let passphrase = options.passphrase_file.as_deref();
    let mut passphrase = passphrase.map(secret_file::read).transpose()?;
    let parse = |passphrase: Option<&Zeroizing<Vec<u8>>>| {
        let passphrase = passphrase.map(|passphrase| passphrase.as_slice());
        SecretKey::parse(&file, &stored.fingerprint, passphrase)
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
    let material = secret.map_err(|error| data(&error))?.into_material();
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
