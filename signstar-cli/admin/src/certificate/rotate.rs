//! `cert rotate`: another subkey takes over.

use std::time::SystemTime;

use signstar_certificate::{Edit, fingerprint, subkey_revocation};

use super::create::hint;
use super::edit::{Certifier, check_users, plan, signing_subkey};
use super::edited::Edited;
use super::read;
use crate::cli::Rotate;
use crate::device;
use crate::expiry;
use crate::failure::Failure;
use crate::new_file::{Existing, NewFile};
use crate::report::Report;
use crate::settings::Settings;

/// Binds the key of another device, and lets the present one expire after a while.
pub(crate) fn rotate(settings: &Settings, options: &Rotate) -> Result<Report, Failure> {
    let (key, to) = (settings.key(&options.key)?, settings.key(&options.to)?);
    let began = SystemTime::now();
    let overlap = expiry::parse("--overlap", &options.overlap, began)?;
    let expires = options
        .expires
        .as_deref()
        .map(|text| expiry::parse("--expires", text, began))
        .transpose()?;
    let old = read(&key.certificate)?;
    let in_place = key.certificate == to.certificate;
    let path = to.certificate.clone();
    let beside = || path.with_file_name(format!("{}.revocation.asc", options.to));
    let revocation = options.revocation.clone().unwrap_or_else(beside);
    let existing = Existing::forced(options.force);
    if !in_place {
        existing.check(&path)?;
    }
    existing.check(&revocation)?;

    let edit = Edit::of(&old, began)?;
    let primary = edit.fingerprint();
    let version = edit.version();
    let present = match signing_subkey(&old, key.signing_key.as_deref(), began) {
        Ok(present) => present,
        Err(failure) => {
            let text = format!(
                "[key.{}]: {}; where the primary key signs, a new one needs a certificate of its \
                 own (cert create)",
                options.key, failure.text
            );
            return Err(Failure::new(failure.status, text));
        }
    };
    let mut held = device::open(settings, &options.to)?;
    let birth = held.birth(options.created.as_deref(), Some(version), began)?;
    let new_key = fingerprint(held.signer.public_key(), birth.created, birth.version)
        .ok_or(signstar_certificate::EditError::Creation)?;
    // What ends sooner anyway is left alone.
    let shorten = present.expires.is_none_or(|expires| expires > overlap);
    let (edit, now) = plan(|now| {
        let mut edit =
            Edit::of(&old, now)?.subkey(held.signer.public_key(), birth.created, expires)?;
        if shorten {
            edit = edit.expiry(&present.fingerprint, Some(overlap))?;
        }
        Ok(edit)
    })?;
    let mut certifier = Certifier::open(settings, &options.key, &edit, &options.changing.offline)?;
    let edited = Edited {
        key: options.to.clone(),
        fingerprint: primary,
        certificate: path.clone(),
        changes: edit.changes().iter().map(Into::into).collect(),
        signed_by: Some(certifier.place()),
        revocation: Some(revocation.clone()),
        dry_run: options.changing.dry_run,
    };
    if options.changing.dry_run {
        return edited.report("");
    }
    let new = edit.sign(certifier.signer(), Some(held.signer.as_mut()))?;
    let revoked = subkey_revocation(&new, &new_key, now, certifier.signer())?;
    if in_place {
        check_users(settings, &path, Some(&options.to), &old, &new, now)?;
    }
    let hint = hint(settings, &options.to, &new, &new_key, now)?;
    let file = |path, mode, existing| NewFile {
        path,
        mode,
        group: Some(0),
        existing,
    };
    // In this order: no key without a way to revoke it.
    file(&revocation, 0o400, existing).write(&revoked)?;
    let existing = match in_place {
        true => Existing::Replace,
        false => existing,
    };
    file(&path, 0o644, existing).write(&new)?;
    edited.report(&format!(
        "{hint}next: publish it (signstar-admin cert export --key {}); when all have it, set in \
         [user.NAME]: key = \"{}\"\n",
        options.to, options.to
    ))
}
