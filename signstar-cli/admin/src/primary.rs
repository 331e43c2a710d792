//! `primary generate`, and opening the file of a primary key that is kept offline.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use signstar::trusted_file::{self, Kind};
use signstar_certificate::{
    CertificateRequest, OfflinePrimary, PrimaryError, Usage, new_primary, offline_primary,
};
use signstar_core::{KeyKind, KeyVersion, SecretKey, SecretKeyError, Signer};
use zeroize::Zeroizing;

use crate::cli::{GeneratePrimary, Offline};
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::report::{self, Report};
use crate::secret_file;
use crate::terminal;

/// A file with many certifications by others is some hundred KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A primary key, opened for one run.
pub(crate) struct Primary {
    pub(crate) signer: Box<dyn Signer>,
    pub(crate) public: OfflinePrimary,
    pub(crate) path: PathBuf,
}

/// Opens the primary key that the operator has given, if any. Asks for its passphrase if it needs
/// one and no file has it.
pub(crate) fn open(options: &Offline) -> Result<Option<Primary>, Failure> {
    let Some(path) = &options.primary else {
        return Ok(None);
    };
    let data = |error: &dyn std::fmt::Display| {
        Failure::new(Status::Data, format!("{}: {error}", path.display()))
    };
    let file = trusted_file::read(path, Kind::Secret, FILE_BYTES_MAX)?;
    let public = offline_primary(&file).map_err(|error| data(&error))?;
    log::debug!("{} holds {}", path.display(), public.fingerprint);
    let passphrase = options.primary_passphrase_file.as_deref();
    let passphrase = passphrase.map(secret_file::read).transpose()?;
    let with = |passphrase: Option<&Zeroizing<Vec<u8>>>| {
        SecretKey::parse(
            &file,
            &public.fingerprint,
            passphrase.map(|passphrase| passphrase.as_slice()),
        )
    };
    let key = match with(passphrase.as_ref()) {
        Err(SecretKeyError::PassphraseMissing) if terminal::is_there() => {
            let asked = terminal::secret(&format!(
                "Passphrase of the primary key in {}",
                path.display()
            ))?;
            with(Some(&asked))
        }
        Err(SecretKeyError::PassphraseMissing) => {
            let text = "protected, and nobody is there to ask: give --primary-passphrase-file";
            return Err(data(&text));
        }
        other => other,
    };
    let key = key.map_err(|error| data(&error))?;
    Ok(Some(Primary {
        signer: signstar_software::open(key.into_material())?.signer,
        public,
        path: path.clone(),
    }))
}

#[derive(Serialize)]
struct Generated {
    #[serde(serialize_with = "report::in_words")]
    kind: KeyKind,
    /// Not known before it is made.
    fingerprint: Option<String>,
    secret_key: PathBuf,
    revocation: PathBuf,
    protected: bool,
    dry_run: bool,
}

/// Makes a primary key.
pub(crate) fn generate(options: &GeneratePrimary) -> Result<Report, Failure> {
    let now = SystemTime::now();
    let path = &options.file;
    let expires = options
        .expires
        .as_deref()
        .map(|text| expiry::parse("--expires", text, now))
        .transpose()?;
    let revocation = path.with_extension("revocation.asc");
    let existing = Existing::KeepForGood;
    existing.check(path)?;
    existing.check(&revocation)?;
    let passphrase = new_passphrase(options, path)?;
    let mut generated = Generated {
        kind: options.kind,
        fingerprint: None,
        secret_key: path.clone(),
        revocation: revocation.clone(),
        protected: passphrase.is_some(),
        dry_run: options.dry_run,
    };
    if options.dry_run {
        let text = format!(
            "would write {}: a primary key of the kind {}\nwould write {}: its revocation\n",
            path.display(),
            generated.kind,
            revocation.display()
        );
        return Report::new(text, &generated);
    }

    let material = signstar_software::generate(options.kind)?;
    let mut signer = signstar_software::open(material.clone())?.signer;
    let request = CertificateRequest {
        user_id: &options.user_id,
        created: now,
        now,
        expires,
        version: match options.v6 {
            true => KeyVersion::V6,
            false => KeyVersion::V4,
        },
        usage: Usage::Certify,
    };
    let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_slice());
    let made = new_primary(&material, signer.as_mut(), &request, passphrase)?;
    // What cannot be opened again is not written.
    let internal = |error: &dyn std::fmt::Display| Failure::new(Status::Internal, error);
    SecretKey::parse(&made.secret_key, &made.fingerprint, passphrase)
        .map_err(|error| internal(&error))?;
    let file = |path| NewFile {
        path,
        mode: 0o400,
        group: None,
        existing,
    };
    // In this order: no key without a way to revoke it.
    file(&revocation).write(&made.revocation)?;
    file(path).write(&made.secret_key)?;

    let text = format!(
        "{}: primary key {}\n{}: its revocation; keep it in a safe, apart from the key\n\
         next: signstar-admin cert create --key NAME --primary {}\n",
        path.display(),
        made.fingerprint,
        revocation.display(),
        path.display()
    );
    generated.fingerprint = Some(made.fingerprint);
    Report::new(text, &generated)
}

fn new_passphrase(
    options: &GeneratePrimary,
    path: &Path,
) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    match &options.passphrase_file {
        _ if options.no_passphrase => Ok(None),
        Some(file) => secret_file::read(file).map(Some),
        // The answer would go nowhere.
        None if options.dry_run => Ok(Some(Zeroizing::new(Vec::new()))),
        None if terminal::is_there() => {
            let what = format!("Passphrase of the primary key in {}", path.display());
            Ok(Some(terminal::new_secret(&what)?))
        }
        None => {
            let text = "nobody is there to ask for a passphrase: give --passphrase-file or \
                        --no-passphrase";
            Err(Failure::new(Status::Usage, text))
        }
    }
}

impl From<PrimaryError> for Failure {
    fn from(error: PrimaryError) -> Self {
        match error {
            PrimaryError::Create(error) => error.into(),
            PrimaryError::SecretKeyFile(_) | PrimaryError::Malformed | PrimaryError::NoSecret => {
                Self::new(Status::Data, error)
            }
            PrimaryError::OpenPgp(_) => Self::new(Status::Internal, error),
        }
    }
}
