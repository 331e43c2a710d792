//! `cert extend`: another expiry.

use std::time::SystemTime;

use signstar_certificate::{Edit, describe};

use super::edit::{Certifier, check_users, normal, plan, replace, signing_subkey};
use super::edited::Edited;
use super::read;
use crate::cli::Extend;
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;

/// Lets the key that signs expire at another time.
pub(crate) fn extend(settings: &Settings, options: &Extend) -> Result<Report, Failure> {
    let name = &options.key;
    let key = settings.key(name)?;
    let expires = expiry::parse_or_never("--expires", &options.expires, SystemTime::now())?;
    let old = read(&key.certificate)?;
    let said = describe(&old, SystemTime::now()).map_err(|error| {
        let path = key.certificate.display();
        Failure::new(Status::Data, format!("{path}: {error}"))
    })?;
    let primary = said.keys.first();
    let configured = options.subkey.as_ref().or(key.signing_key.as_ref());
    // The primary key itself, where that signs data and nothing else was chosen.
    let alone = primary.is_some_and(|primary| {
        primary.signs && configured.is_none_or(|chosen| normal(chosen) == primary.fingerprint)
    });
    let mut wanted = Vec::new();
    if alone {
        wanted.push(said.fingerprint.clone());
    } else {
        let chosen = configured.map(String::as_str);
        wanted.push(signing_subkey(&old, chosen, SystemTime::now())?.fingerprint);
        // A subkey lives no longer than its primary key.
        if primary.is_some_and(|primary| ends_before(primary.expires, expires)) {
            wanted.push(said.fingerprint.clone());
        }
    }
    let (edit, now) = plan(|now| {
        let mut edit = Edit::of(&old, now)?;
        for fingerprint in &wanted {
            edit = edit.expiry(fingerprint, expires)?;
        }
        Ok(edit)
    })?;
    let mut certifier = Certifier::open(settings, name, &edit, &options.changing.offline)?;
    let edited = Edited {
        key: name.clone(),
        fingerprint: edit.fingerprint(),
        certificate: key.certificate.clone(),
        changes: edit.changes().iter().map(Into::into).collect(),
        signed_by: Some(certifier.place()),
        revocation: None,
        dry_run: options.changing.dry_run,
    };
    if !options.changing.dry_run {
        let new = edit.sign(certifier.signer(), None)?;
        check_users(settings, &key.certificate, None, &old, &new, now)?;
        replace(&key.certificate, &new)?;
    }
    edited.report("next: publish it again (signstar-admin cert export)\n")
}

/// Whether something with one expiry ends before something with another one.
fn ends_before(one: Option<SystemTime>, other: Option<SystemTime>) -> bool {
    match (one, other) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(one), Some(other)) => one < other,
    }
}
