//! What can be said of a backup without a device.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use clap::Args;
use serde_json::{Map, Value, json};

use super::file::{self, Backup};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::report::Report;
use crate::secret::{FORMS, Source};

/// A backup, and what opens it.
#[derive(Args, Debug)]
pub(crate) struct Sealed {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

#[derive(Args, Debug)]
pub(crate) struct Passphrase {
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the backup passphrase comes from: {FORMS}"))]
    pub(crate) backup_passphrase_from: Source,
}

#[derive(Args, Debug)]
pub(crate) struct Browse {
    #[command(flatten)]
    sealed: Sealed,
    /// Only paths that begin like this, as /key/
    #[arg(long, value_name = "PATH")]
    below: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    sealed: Sealed,
    /// The file to write, mode 0600
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The older backup
    old: PathBuf,
    /// The newer one, with the same passphrase
    new: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

fn opened(path: &Path, passphrase: &str) -> Result<Backup, Failure> {
    let bytes = file::read(path)?;
    Backup::open(&bytes, passphrase)
        .map_err(|text| Failure::failed(format!("{}: {text}", path.display())))
}

impl Sealed {
    fn open(&self) -> Result<Backup, Failure> {
        let what = format!("Passphrase of {}", self.file.display());
        opened(
            &self.file,
            &self.passphrase.backup_passphrase_from.get(&what)?,
        )
    }
}

/// What is in a backup, in a line.
pub(super) fn summary(backup: &Backup) -> (String, Value) {
    let (keys, users) = (backup.count("/key/"), backup.count("/authentication/"));
    let namespaces = backup.count("/namespace/");
    let device = backup.device.as_deref().unwrap_or("unknown");
    let (version, entries) = (backup.version, backup.entries.len());
    (
        format!(
            "whole: version {version}, of device {device}: {keys} keys, {users} users, \
             {namespaces} namespaces, {entries} entries"
        ),
        json!({
            "version": version, "device_id": backup.device, "keys": keys, "users": users,
            "namespaces": namespaces, "entries": entries,
        }),
    )
}

/// Opens everything in it.
pub(crate) fn verify(options: &Sealed) -> Result<Report, Failure> {
    let (text, value) = summary(&options.open()?);
    Ok(Report::done(text, value))
}

/// Lists what is in it.
pub(crate) fn browse(options: &Browse) -> Result<Report, Failure> {
    let backup = options.sealed.open()?;
    let below = options.below.as_deref().unwrap_or_default();
    let paths = backup.entries.keys().filter(|path| path.starts_with(below));
    let paths: Vec<&String> = paths.collect();
    let text: String = paths.iter().map(|path| format!("{path}\n")).collect();
    Report::new(text, &json!({ "paths": paths }))
}

/// Writes what is in it, still sealed by the unlock passphrase, as JSON.
pub(crate) fn export(options: &Export) -> Result<Report, Failure> {
    let backup = options.sealed.open()?;
    let entries: Map<String, Value> = backup
        .entries
        .iter()
        .map(|(path, value)| (path.clone(), Base64::encode_string(value).into()))
        .collect();
    let found = json!({
        "version": backup.version, "device_id": backup.device, "entries": entries,
    });
    let text = format!("{found:#}\n");
    Report::bytes(text.into_bytes(), Some(&options.out), new_file::SECRET)
}

/// Says what has come, gone and changed: status 10 if something has.
pub(crate) fn diff(options: &Diff) -> Result<Report, Failure> {
    let passphrase = options
        .passphrase
        .backup_passphrase_from
        .get("Passphrase of the backups")?;
    let old = opened(&options.old, &passphrase)?.entries;
    let new = opened(&options.new, &passphrase)?.entries;
    let mut lines = Vec::new();
    for path in old
        .keys()
        .chain(new.keys().filter(|path| !old.contains_key(*path)))
    {
        match (old.get(path), new.get(path)) {
            (Some(_), None) => lines.push(format!("- {path}")),
            (None, Some(_)) => lines.push(format!("+ {path}")),
            (before, after) if before != after => lines.push(format!("~ {path}")),
            _ => {}
        }
    }
    let status = if lines.is_empty() {
        Status::Done
    } else {
        Status::Drift
    };
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(Report::new(text, &json!({ "changes": lines }))?.ending_with(status))
}
