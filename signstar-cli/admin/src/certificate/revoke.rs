//! `cert revoke`: the end of a certificate or of one of its subkeys.

use std::time::SystemTime;

use signstar_certificate::{Edit, Reason, describe, merge_revocation};

use super::edit::{Certifier, normal, plan, replace};
use super::edited::{Edited, ShownChange};
use super::read;
use crate::cli::{self, Revoke};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;
use crate::terminal;

/// Gives up a certificate, or one of its subkeys.
pub(crate) fn revoke(settings: &Settings, options: &Revoke) -> Result<Report, Failure> {
    if !options.yes && !options.changing.dry_run {
        // Before any device is opened.
        terminal::check()?;
    }
    let key = settings.key(&options.key)?;
    let old = read(&key.certificate)?;
    match (&options.revocation, options.reason) {
        (Some(file), _) => merge(settings, options, &old, file),
        (None, Some(reason)) => sign(settings, options, &old, reason.into()),
        // The command line has required one of them.
        (None, None) => Err(Failure::new(Status::Usage, "give --reason")),
    }
}

/// Has a revocation signed now.
fn sign(
    settings: &Settings,
    options: &Revoke,
    old: &[u8],
    reason: Reason,
) -> Result<Report, Failure> {
    let (edit, now) = plan(|now| {
        let edit = Edit::of(old, now)?;
        let subkey = options.subkey.as_deref().map(normal);
        let fingerprint = subkey.unwrap_or_else(|| edit.fingerprint());
        edit.revocation(&fingerprint, reason, &options.text)
    })?;
    let mut certifier = Certifier::open(settings, &options.key, &edit, &options.changing.offline)?;
    let edited = Edited {
        fingerprint: edit.fingerprint(),
        changes: edit.changes().iter().map(Into::into).collect(),
        signed_by: Some(certifier.place()),
        ..begun(settings, options)?
    };
    if !options.changing.dry_run {
        confirm(options, &edited, old, now)?;
        let new = edit.sign(certifier.signer(), None)?;
        replace(&edited.certificate, &new)?;
    }
    report(&edited)
}

/// Takes a revocation that was signed before.
fn merge(
    settings: &Settings,
    options: &Revoke,
    old: &[u8],
    file: &std::path::Path,
) -> Result<Report, Failure> {
    let now = SystemTime::now();
    let revocation = read(file)?;
    let (new, changes) = merge_revocation(old, &revocation, now).map_err(|error| {
        let failure = Failure::from(error);
        Failure::new(
            failure.status,
            format!("{}: {}", file.display(), failure.text),
        )
    })?;
    let fingerprint = Edit::of(old, now)?.fingerprint();
    let edited = Edited {
        fingerprint,
        changes: changes.iter().map(Into::into).collect(),
        ..begun(settings, options)?
    };
    if !options.changing.dry_run {
        confirm(options, &edited, old, now)?;
        replace(&edited.certificate, &new)?;
    }
    report(&edited)
}

fn begun(settings: &Settings, options: &Revoke) -> Result<Edited, Failure> {
    Ok(Edited {
        key: options.key.clone(),
        fingerprint: String::new(),
        certificate: settings.key(&options.key)?.certificate.clone(),
        changes: Vec::new(),
        signed_by: None,
        revocation: None,
        dry_run: options.changing.dry_run,
    })
}

fn report(edited: &Edited) -> Result<Report, Failure> {
    edited.report("next: publish it again at once (signstar-admin cert export)\n")
}

/// Names the certificate and the device before there is no way back.
fn confirm(options: &Revoke, edited: &Edited, old: &[u8], now: SystemTime) -> Result<(), Failure> {
    if options.yes {
        return Ok(());
    }
    let said = describe(old, now).map_err(|error| Failure::new(Status::Data, error))?;
    let mut text = format!(
        "[key.{}] {}: certificate {} of {}\n",
        edited.key,
        edited.certificate.display(),
        edited.fingerprint,
        said.user_ids.join(", ")
    );
    text.extend(edited.changes.iter().map(ShownChange::line));
    text += &match &edited.signed_by {
        Some(place) => format!("Signed by {place}.\n"),
        None => "Signed when the file was made.\n".to_owned(),
    };
    text += "This cannot be undone.";
    Ok(terminal::confirm(&text, "yes")?)
}

impl From<cli::Reason> for Reason {
    fn from(reason: cli::Reason) -> Self {
        match reason {
            cli::Reason::Superseded => Self::Superseded,
            cli::Reason::Retired => Self::Retired,
            cli::Reason::Compromised => Self::Compromised,
            cli::Reason::Unspecified => Self::Unspecified,
        }
    }
}
