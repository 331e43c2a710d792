//! `key generate` and `key list`.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use signstar_certificate::{fingerprint, secret_key_file, stored_key};
use signstar_core::{KeyVersion, SecretKey};

use crate::account;
use crate::cli::Generate;
use crate::device;
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::report::Report;
use crate::settings::Settings;
use crate::software::read_passphrase;

#[derive(Serialize)]
struct Generated {
    key: String,
    kind: &'static str,
    fingerprint: String,
    secret_key: PathBuf,
    protected: bool,
}

/// Makes a secret key where the configuration wants it.
pub(crate) fn generate(settings: &Settings, options: &Generate) -> Result<Report, Failure> {
    let name = &options.key;
    let files = settings.software(name)?;
    let group = group_of(settings, options)?;
    let existing = Existing::forced(options.force);
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
        .map(|path| read_passphrase(path))
        .transpose()?;
    let passphrase = passphrase.as_deref().map(Vec::as_slice);

    let internal = |error: &dyn std::fmt::Display| Failure::new(Status::Internal, error);
    let version = match options.v6 {
        true => KeyVersion::V6,
        false => KeyVersion::V4,
    };
    let material = signstar_software::generate(options.kind)?;
    log::debug!("made a key of the kind {}", options.kind.name());
    let opened = signstar_software::open(material.clone())?;
    let public = opened.signer.public_key();
    let file = secret_key_file(&material, public, SystemTime::now(), version, passphrase)
        .map_err(|error| Failure::new(Status::Data, error))?;
    // What cannot be opened again is not written.
    let fingerprint = stored_key(&file)
        .map_err(|error| internal(&error))?
        .fingerprint;
    SecretKey::parse(&file, &fingerprint, passphrase).map_err(|error| internal(&error))?;
    NewFile {
        path: &files.secret_key,
        mode: 0o440,
        group: Some(group),
        existing,
    }
    .write(&file)?;

    let text = format!(
        "{}: {} key {fingerprint}\n\
         next: signstar-admin cert create --key {name} --user-id 'NAME <ADDRESS>'\n",
        files.secret_key.display(),
        options.kind.name(),
    );
    let generated = Generated {
        key: name.clone(),
        kind: options.kind.name(),
        fingerprint,
        secret_key: files.secret_key.clone(),
        protected: passphrase.is_some(),
    };
    Report::new(text, &generated)
}

#[derive(Serialize)]
struct Listed {
    keys: Vec<ListedKey>,
}

#[derive(Serialize)]
struct ListedKey {
    key: String,
    back_end: &'static str,
    /// What the device is called, its key's kind and, where it knows both, creation and fingerprint.
    device: Option<String>,
    kind: Option<String>,
    created: Option<String>,
    fingerprint: Option<String>,
    /// Why it cannot be opened.
    problem: Option<String>,
}

/// Lists what the devices hold.
pub(crate) fn list(settings: &Settings) -> Result<Report, Failure> {
    let listed = Listed {
        keys: settings
            .config
            .keys
            .iter()
            .map(|(name, key)| listed(settings, name, key.back_end.name))
            .collect(),
    };
    let text: String = listed.keys.iter().map(ListedKey::text).collect();
    let problem = listed.keys.iter().any(|key| key.problem.is_some());
    let finding = problem.then_some(Status::Unavailable);
    Ok(Report::new(text, &listed)?.ending_with(finding))
}

fn listed(settings: &Settings, name: &str, back_end: &'static str) -> ListedKey {
    let empty = ListedKey {
        key: name.to_owned(),
        back_end,
        device: None,
        kind: None,
        created: None,
        fingerprint: None,
        problem: None,
    };
    match device::open(settings, name) {
        Ok(held) => {
            let public = held.signer.public_key();
            let stored = held.stored;
            ListedKey {
                kind: Some(public.name()),
                created: stored.map(|birth| expiry::shown(Some(birth.created))),
                fingerprint: stored
                    .and_then(|birth| fingerprint(public, birth.created, birth.version)),
                device: Some(held.place),
                ..empty
            }
        }
        Err(failure) => ListedKey {
            problem: Some(failure.text),
            ..empty
        },
    }
}

impl ListedKey {
    fn text(&self) -> String {
        let mut text = format!("[key.{}] {}", self.key, self.back_end);
        for part in [&self.kind, &self.fingerprint, &self.device, &self.problem] {
            text.extend(part.iter().map(|part| format!(" {part}")));
        }
        text + "\n"
    }
}

/// The group of those who sign with the key.
fn group_of(settings: &Settings, options: &Generate) -> Result<u32, Failure> {
    if let Some(group) = &options.group {
        return account::group(group);
    }
    let name = &options.key;
    let mut groups = Vec::new();
    for user in settings.accounts_of(name) {
        let account = account::account(user)?.ok_or_else(|| {
            let text = format!("[user.{user}]: there is no such account: make it, or give --group");
            Failure::new(Status::Configuration, text)
        })?;
        groups.push(account.group);
    }
    groups.sort_unstable();
    groups.dedup();
    match groups.as_slice() {
        [group] => Ok(*group),
        [] => {
            let text = format!("no [user.NAME] signs with {name:?}: add one, or give --group");
            Err(Failure::new(Status::Configuration, text))
        }
        _ => {
            let text =
                format!("the accounts that sign with {name:?} are of several groups: give --group");
            Err(Failure::new(Status::Usage, text))
        }
    }
}
