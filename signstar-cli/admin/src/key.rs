//! `key generate`, `key import` and `key list`.

use serde::Serialize;

use crate::cli::{Generate, Import};
use crate::device::{self, Made, Seen};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Filled<'a> {
    key: &'a str,
    #[serde(flatten)]
    made: Made,
}

/// Makes a key where the configuration wants it.
pub(crate) fn generate(settings: &Settings, options: &Generate) -> Result<Report, Failure> {
    let made = device::generate(settings, options)?;
    report(&options.key, made)
}

/// Puts a key that exists already where the configuration wants it.
pub(crate) fn import(settings: &Settings, options: &Import) -> Result<Report, Failure> {
    let made = device::import(settings, options)?;
    report(&options.key, made)
}

fn report(key: &str, made: Made) -> Result<Report, Failure> {
    let (device, kind) = (&made.device, made.kind);
    let fingerprint = made.fingerprint.as_ref();
    let fingerprint = fingerprint.map_or(String::new(), |fingerprint| format!(" {fingerprint}"));
    let created = made.created.as_ref();
    let created = created.map_or(String::new(), |created| format!(" --created {created}"));
    let text = match made.dry_run {
        true => format!("would make in {device}: {kind} key\n"),
        false => format!(
            "{device}: {kind} key{fingerprint}\n\
             next: signstar-admin cert create --key {key} --user-id 'NAME <ADDRESS>'{created}\n"
        ),
    };
    Report::new(text, &Filled { key, made })
}

#[derive(Serialize)]
struct Listed {
    keys: Vec<ListedKey>,
}

#[derive(Serialize)]
struct ListedKey {
    key: String,
    back_end: &'static str,
    #[serde(flatten)]
    seen: Option<Seen>,
    /// Why it cannot be looked at.
    problem: Option<String>,
}

/// Lists what the devices hold.
pub(crate) fn list(settings: &Settings) -> Result<Report, Failure> {
    let keys = settings.config.keys.iter();
    let listed = Listed {
        keys: keys
            .filter(|(_, key)| device::may_be_there(settings, key))
            .map(|(name, key)| listed(settings, name, key.back_end.name))
            .collect(),
    };
    let text: String = listed.keys.iter().map(ListedKey::text).collect();
    let problem = listed.keys.iter().any(|key| key.problem.is_some());
    let finding = problem.then_some(Status::Unavailable);
    Ok(Report::new(text, &listed)?.ending_with(finding))
}

fn listed(settings: &Settings, name: &str, back_end: &'static str) -> ListedKey {
    let (seen, problem) = match device::look(settings, name) {
        Ok(seen) => (Some(seen), None),
        Err(failure) => (None, Some(failure.text)),
    };
    ListedKey {
        key: name.to_owned(),
        back_end,
        seen,
        problem,
    }
}

impl ListedKey {
    fn text(&self) -> String {
        let seen = self.seen.as_ref().map(Seen::text).unwrap_or_default();
        let problem = self.problem.as_ref();
        let problem = problem.map_or(String::new(), |problem| format!(" {problem}"));
        format!("[key.{}] {}{seen}{problem}\n", self.key, self.back_end)
    }
}
