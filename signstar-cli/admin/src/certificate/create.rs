//! `cert create`: a certificate for the key on a device, in either shape.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use signstar_certificate::{
    CertificateRequest, CreateError, Edit, Usage, fingerprint, is_possible, subkey_revocation,
};
use signstar_core::{Certificate, CertificateError};

use crate::cli::Create;
use crate::device::{self, Birth, Held, Kept};
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::primary::{self, Primary};
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Created {
    key: String,
    /// Of the certificate, which is that of its primary key.
    fingerprint: String,
    /// Of the key on the device.
    signing_key: String,
    certificate: PathBuf,
    revocation: PathBuf,
    /// The NetHSMs that keep it.
    devices: Vec<Kept>,
    dry_run: bool,
}

/// A certificate and its revocation, to be written.
struct Made {
    certificate: Vec<u8>,
    revocation: Vec<u8>,
}

/// What was asked for, with what is known of the device.
struct Order<'a> {
    options: &'a Create,
    birth: Birth,
    expires: Option<SystemTime>,
    now: SystemTime,
}

/// Makes a certificate where the configuration wants it, and its revocation.
pub(crate) fn create(settings: &Settings, options: &Create) -> Result<Report, Failure> {
    if !options.store && options.storing.says_something() {
        let text = "--replace-stored and the Administrator are for --store: give that too";
        return Err(Failure::new(Status::Usage, text));
    }
    let name = &options.key;
    let now = SystemTime::now();
    let expires = options
        .expires
        .as_deref()
        .map(|text| expiry::parse("--expires", text, now))
        .transpose()?;
    let certificate = settings.key(name)?.certificate.clone();
    let beside = || certificate.with_extension("revocation.asc");
    let revocation = options.revocation.clone().unwrap_or_else(beside);
    let existing = Existing::forced(options.force);
    existing.check(&certificate)?;
    existing.check(&revocation)?;

    if options.store {
        device::check_store(settings, name, None, &options.storing)?;
    }
    let mut primary = primary::open(&options.offline)?;
    let version = match (&primary, options.v6) {
        (Some(primary), _) => Some(primary.public.version),
        (None, true) => Some(signstar_core::KeyVersion::V6),
        (None, false) => None,
    };
    let mut held = device::open(settings, name)?;
    let birth = held.birth(options.created.as_deref(), version, now)?;
    if !is_possible(held.signer.public_key(), birth.version) {
        return Err(CreateError::Version.into());
    }
    let signing_key = fingerprint(held.signer.public_key(), birth.created, birth.version)
        .ok_or(CreateError::Creation)?;
    let above = primary
        .as_ref()
        .map(|primary| primary.public.fingerprint.clone());
    let mut created = Created {
        key: name.clone(),
        fingerprint: above.unwrap_or_else(|| signing_key.clone()),
        signing_key,
        certificate,
        revocation,
        devices: Vec::new(),
        dry_run: options.dry_run,
    };
    let order = Order {
        options,
        birth,
        expires,
        now,
    };
    if options.dry_run {
        order.check(primary.as_ref(), &held)?;
        return Report::new(created.text(""), &created);
    }
    let made = match &mut primary {
        None => order.alone(&mut held)?,
        Some(primary) => order.below(primary, &mut held, &created.signing_key)?,
    };
    let next = hint(settings, name, &made.certificate, &created.signing_key, now)?;
    let file = |path, mode| NewFile {
        path,
        mode,
        group: Some(0),
        existing,
    };
    // In this order: no certificate without a way to revoke it.
    file(&created.revocation, 0o400).write(&made.revocation)?;
    file(&created.certificate, 0o644).write(&made.certificate)?;
    let kept = match options.store {
        true => device::store(settings, name, &made.certificate, &options.storing),
        false => Ok(Vec::new()),
    };
    created.devices = kept.map_err(|failure| {
        let text = format!(
            "{}; the certificate is written: signstar-admin cert store",
            failure.text
        );
        Failure::new(failure.status, text)
    })?;
    let next = format!("{}{next}", super::store::text(&created.devices));
    Report::new(created.text(&next), &created)
}

impl Order<'_> {
    /// The device's key is the primary one, and signs for itself.
    fn alone(&self, held: &mut Held) -> Result<Made, Failure> {
        let made = signstar_certificate::create(held.signer.as_mut(), &self.request())?;
        Ok(Made {
            certificate: made.certificate,
            revocation: made.revocation,
        })
    }

    /// The device's key is a subkey of the offline primary key.
    fn below(&self, primary: &mut Primary, held: &mut Held, subkey: &str) -> Result<Made, Failure> {
        let edit = self.edit(primary, held)?;
        let certificate = edit.sign(primary.signer.as_mut(), Some(held.signer.as_mut()))?;
        let revocation =
            subkey_revocation(&certificate, subkey, self.now, primary.signer.as_mut())?;
        Ok(Made {
            certificate,
            revocation,
        })
    }

    /// Fails where the rest would, but for the signatures.
    fn check(&self, primary: Option<&Primary>, held: &Held) -> Result<(), Failure> {
        match primary {
            Some(primary) => self.edit(primary, held).map(drop),
            None => Ok(self.request().check()?),
        }
    }

    fn request(&self) -> CertificateRequest<'_> {
        CertificateRequest {
            user_id: self.options.user_id.as_deref().unwrap_or_default(),
            created: self.birth.created,
            now: self.now,
            expires: self.expires,
            version: self.birth.version,
            usage: Usage::CertifyAndSign,
        }
    }

    fn edit(&self, primary: &Primary, held: &Held) -> Result<Edit, Failure> {
        let mut edit = Edit::of(&primary.public.certificate, self.now)?;
        match &self.options.user_id {
            Some(user_id) => edit = edit.user_id(user_id)?,
            None if primary.public.user_ids.is_empty() => {
                let text = format!(
                    "{}: the primary key has no user ID: give --user-id",
                    primary.path.display()
                );
                return Err(Failure::new(Status::Usage, text));
            }
            None => {}
        }
        let public = held.signer.public_key();
        Ok(edit.subkey(public, self.birth.created, self.expires)?)
    }
}

/// What to do before the login shell signs with the certificate: nothing, or to choose the key.
pub(super) fn hint(
    settings: &Settings,
    name: &str,
    certificate: &[u8],
    signing_key: &str,
    now: SystemTime,
) -> Result<String, Failure> {
    let chosen = settings.key(name)?.signing_key.as_deref();
    let parsed = Certificate::parse(certificate);
    let signs = parsed.and_then(|parsed| {
        // It must sign once it is chosen …
        parsed.signing_key(Some(signing_key), now)?;
        parsed.signing_key(chosen, now)
    });
    let set = format!("set in [key.{name}]: signing-key = \"{signing_key}\"\n");
    match signs {
        Ok(signs) if signs.fingerprint() == signing_key => Ok(String::new()),
        // … and here another one is.
        Ok(_) => Ok(set),
        Err(CertificateError::Ambiguous(_) | CertificateError::NoSigningKey(..))
            if chosen.is_none_or(|chosen| super::edit::normal(chosen) != signing_key) =>
        {
            Ok(set)
        }
        Err(error) => Err(Failure::new(Status::Data, error)),
    }
}

impl Created {
    fn text(&self, hint: &str) -> String {
        let (certificate, revocation) = (self.certificate.display(), self.revocation.display());
        let below = match self.fingerprint == self.signing_key {
            true => String::new(),
            false => format!(", whose subkey {} signs", self.signing_key),
        };
        let of = format!("certificate {}{below}", self.fingerprint);
        if self.dry_run {
            return format!(
                "would write {certificate}: {of}\nwould write {revocation}: its revocation\n"
            );
        }
        format!(
            "{certificate}: {of}\n{revocation}: its revocation; keep it in a safe and remove it here\n\
             {hint}next: signstar-admin config check\n"
        )
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Signer(error) => error.into(),
            CreateError::UserId | CreateError::Expiry | CreateError::Version => {
                Self::new(Status::Usage, error)
            }
            CreateError::Creation => Self::new(Status::Data, error),
            CreateError::Unsound(_) | CreateError::OpenPgp(_) => Self::new(Status::Internal, error),
        }
    }
}
