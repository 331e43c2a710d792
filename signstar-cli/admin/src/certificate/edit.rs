//! What the verbs share that change a certificate: who signs for it, and that no key in use is left
//! without one.

use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use signstar_certificate::{Edit, EditError, KeyDescription, describe};
use signstar_core::{Certificate, Signer};

use crate::cli::Offline;
use crate::device::{self, Held};
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::primary::{self, Primary};
use crate::settings::Settings;

/// Whoever signs what concerns a certificate.
pub(super) enum Certifier {
    /// The device, whose key is the primary one.
    Device(Held),
    /// The primary key that is kept offline.
    Offline(Primary),
}

impl Certifier {
    /// Opens the primary key of the certificate that `edit` changes: the one that was given, or that
    /// of the device of the key `name`.
    pub(super) fn open(
        settings: &Settings,
        name: &str,
        edit: &Edit,
        offline: &Offline,
    ) -> Result<Self, Failure> {
        let wanted = edit.fingerprint();
        if let Some(primary) = primary::open(offline)? {
            if primary.public.fingerprint == wanted {
                return Ok(Self::Offline(primary));
            }
            let text = format!(
                "{}: holds {}, and the certificate's primary key is {wanted}",
                primary.path.display(),
                primary.public.fingerprint
            );
            return Err(Failure::new(Status::Data, text));
        }
        let held = device::open(settings, name)?;
        if edit.is_primary(held.signer.public_key()) {
            return Ok(Self::Device(held));
        }
        let text = format!(
            "the primary key {wanted} is not on the device of [key.{name}]: give its file by --primary"
        );
        Err(Failure::new(Status::Usage, text))
    }

    pub(super) fn signer(&mut self) -> &mut dyn Signer {
        match self {
            Self::Device(held) => held.signer.as_mut(),
            Self::Offline(primary) => primary.signer.as_mut(),
        }
    }

    /// Where the key is, for people.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Device(held) => held.place.clone(),
            Self::Offline(primary) => format!("offline primary key {}", primary.path.display()),
        }
    }
}

/// Plans an edit. Where the last statement was made this very second, waits for the next one: of two
/// statements of one second nobody can tell which one holds.
pub(super) fn plan(
    mut plan: impl FnMut(SystemTime) -> Result<Edit, EditError>,
) -> Result<(Edit, SystemTime), Failure> {
    const SECOND: Duration = Duration::from_secs(1);
    let begin = SystemTime::now();
    match plan(begin) {
        Err(EditError::TooSoon(_)) => {
            thread::sleep(SECOND);
            let now = SystemTime::now();
            Ok((plan(now)?, now))
        }
        other => Ok((other?, begin)),
    }
}

/// The subkey that signs: the one that was chosen, or the only one that is not given up. It may have
/// expired.
pub(super) fn signing_subkey(
    certificate: &[u8],
    chosen: Option<&str>,
    now: SystemTime,
) -> Result<KeyDescription, Failure> {
    let said = describe(certificate, now).map_err(|error| Failure::new(Status::Data, error))?;
    let wanted = chosen.map(normal);
    let mut found: Vec<KeyDescription> = said
        .keys
        .into_iter()
        .skip(1)
        .filter(|key| match &wanted {
            Some(wanted) => key.fingerprint == *wanted,
            None => key.signs && !key.revoked,
        })
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(Failure::new(
            Status::Usage,
            "several subkeys sign: name one by --subkey, or by `signing-key` in the configuration",
        )),
        (None, _) => Err(Failure::new(
            Status::Usage,
            "the certificate has no such subkey that signs",
        )),
    }
}

/// A fingerprint as people write it, in the form that it has here.
pub(super) fn normal(fingerprint: &str) -> String {
    fingerprint.replace(' ', "").to_uppercase()
}

/// Makes sure that every key of the configuration that could sign with the certificate at `path` can
/// do so with `new` too: a second subkey would leave it without a choice, say. The key `newcomer` is
/// not in use yet.
pub(super) fn check_users(
    settings: &Settings,
    path: &Path,
    newcomer: Option<&str>,
    old: &[u8],
    new: &[u8],
    now: SystemTime,
) -> Result<(), Failure> {
    for (name, key) in &settings.config.keys {
        if key.certificate != *path || newcomer == Some(name) {
            continue;
        }
        let chosen = key.signing_key.as_deref();
        let signs = |bytes: &[u8]| {
            let parsed = Certificate::parse(bytes)?;
            parsed.signing_key(chosen, now)
        };
        if let (Ok(before), Err(error)) = (signs(old), signs(new)) {
            let text = format!(
                "[key.{name}] would sign no more: {error}; first set there: signing-key = \"{}\"",
                before.fingerprint()
            );
            return Err(Failure::new(Status::Configuration, text));
        }
    }
    Ok(())
}

/// Puts a changed certificate into the place of the present one.
pub(super) fn replace(path: &Path, certificate: &[u8]) -> Result<(), Failure> {
    let file = NewFile {
        path,
        mode: 0o644,
        group: Some(0),
        existing: Existing::Replace,
    };
    Ok(file.write(certificate)?)
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let status = match &error {
            EditError::Signer(error) => return error.clone().into(),
            EditError::NoKey(_)
            | EditError::UserId
            | EditError::Text
            | EditError::Expiry
            | EditError::Present(_) => Status::Usage,
            EditError::Certificate(_)
            | EditError::Revoked(_)
            | EditError::Expired(_)
            | EditError::Creation
            | EditError::TooSoon(_)
            | EditError::NotThePrimary(_)
            | EditError::NoRevocation(_) => Status::Data,
            EditError::Unsound(_) | EditError::OpenPgp(_) => Status::Internal,
        };
        Self::new(status, error)
    }
}
