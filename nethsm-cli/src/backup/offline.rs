//! What can be said of a backup without a device.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use clap::Args;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::file::{self, Backup};
use super::inner::{self, Inner};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::report::Report;
use crate::screen;
use crate::secret::{FORMS, Source};
use crate::table::table;

/// A backup, and what opens it.
#[derive(Args, Debug)]
pub(crate) struct Sealed {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    unlock: Unlock,
}

#[derive(Args, Debug)]
pub(crate) struct Unlock {
    #[arg(long, value_name = "SOURCE", help = format!("Open what the unlock passphrase seals, too; where it comes from: {FORMS}"))]
    unlock_passphrase_from: Option<Source>,
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
    /// With private keys, and with what passphrases are compared with: whoever reads the file has the keys
    #[arg(long, requires = "unlock_passphrase_from")]
    secrets: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The older backup
    old: PathBuf,
    /// The newer one, with the same passphrase
    new: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    unlock: Unlock,
}

fn opened(path: &Path, passphrase: &str) -> Result<Backup, Failure> {
    let bytes = file::read(path)?;
    Backup::open(&bytes, passphrase)
        .map_err(|text| Failure::failed(format!("{}: {text}", path.display())))
}

fn inside(backup: &Backup, path: &Path, passphrase: &str) -> Result<Inner, Failure> {
    Inner::open(backup, passphrase)
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

impl Unlock {
    fn passphrase(&self, what: &str) -> Result<Option<Zeroizing<String>>, Failure> {
        let source = self.unlock_passphrase_from.as_ref();
        Ok(source.map(|source| source.get(what)).transpose()?)
    }

    /// What is inside, if the command line says how to open it.
    fn open(&self, backup: &Backup, path: &Path) -> Result<Option<Inner>, Failure> {
        let passphrase = self.passphrase(&format!("Unlock passphrase in {}", path.display()))?;
        let inner = passphrase.map(|passphrase| inside(backup, path, &passphrase));
        inner.transpose()
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
    let backup = options.open()?;
    let (mut text, mut value) = summary(&backup);
    if let Some(inner) = options.unlock.open(&backup, &options.file)? {
        let stored = |path: &&String| {
            (path.starts_with("/key/") || path.starts_with("/authentication/"))
                && !path.ends_with("/.version")
        };
        if let Some(path) = inner
            .values
            .keys()
            .filter(stored)
            .find(|path| inner.object(path).is_none())
        {
            let text = format!(
                "{}: is damaged: {path} is no record",
                options.file.display()
            );
            return Err(Failure::failed(text));
        }
        let count = inner.values.len();
        text.push_str(&format!("; the unlock passphrase opens {count} of them"));
        if let Some(fields) = value.as_object_mut() {
            fields.insert("opened".to_owned(), count.into());
        }
    }
    Ok(Report::done(text, value))
}

/// Lists what is in it.
pub(crate) fn browse(options: &Browse) -> Result<Report, Failure> {
    let backup = options.sealed.open()?;
    let below = options.below.as_deref().unwrap_or_default();
    let paths = backup.entries.keys().filter(|path| path.starts_with(below));
    let paths: Vec<&String> = paths.collect();
    let Some(inner) = options.sealed.unlock.open(&backup, &options.sealed.file)? else {
        let text: String = paths.iter().map(|path| format!("{path}\n")).collect();
        return Report::new(text, &json!({ "paths": paths }));
    };
    let rows: Vec<[String; 2]> = paths
        .iter()
        .map(|path| [(*path).clone(), inner.summary(path)])
        .collect();
    let values: Map<String, Value> = paths
        .iter()
        .filter_map(|path| {
            let mut fields = inner.object(path)?;
            inner::without_secrets(&mut fields);
            Some(((*path).clone(), Value::Object(fields)))
        })
        .collect();
    let text = table(["PATH", "WHAT"], &rows);
    Report::new(text, &json!({ "paths": paths, "values": values }))
}

/// Writes what is in it as JSON: sealed by the unlock passphrase, or opened by it.
pub(crate) fn export(options: &Export) -> Result<Report, Failure> {
    let backup = options.sealed.open()?;
    let mut sealed = backup.entries.clone();
    let mut found = Map::new();
    found.insert("version".to_owned(), backup.version.into());
    found.insert("device_id".to_owned(), backup.device.clone().into());
    if let Some(inner) = options.sealed.unlock.open(&backup, &options.sealed.file)? {
        let mut values = Map::new();
        for (path, value) in &inner.values {
            sealed.remove(path);
            let value = match inner.object(path) {
                _ if inner::is_secret(path) && !options.secrets => continue,
                Some(mut fields) => {
                    if !options.secrets {
                        inner::without_secrets(&mut fields);
                    }
                    Value::Object(fields)
                }
                None => json!({ "base64": Base64::encode_string(value) }),
            };
            values.insert(path.clone(), value);
        }
        found.insert("values".to_owned(), Value::Object(values));
    }
    let entries: Map<String, Value> = sealed
        .iter()
        .map(|(path, value)| (path.clone(), Base64::encode_string(value).into()))
        .collect();
    found.insert("entries".to_owned(), Value::Object(entries));
    let text = format!("{:#}\n", Value::Object(found));
    Report::bytes(text.into_bytes(), Some(&options.out), new_file::SECRET)
}

/// Says what has come, gone and changed: status 10 if something has.
pub(crate) fn diff(options: &Diff) -> Result<Report, Failure> {
    let passphrase = options
        .passphrase
        .backup_passphrase_from
        .get("Passphrase of the backups")?;
    let old = opened(&options.old, &passphrase)?;
    let new = opened(&options.new, &passphrase)?;
    let inner = match options
        .unlock
        .passphrase("Unlock passphrase in the backups")?
    {
        Some(passphrase) => Some((
            inside(&old, &options.old, &passphrase)?,
            inside(&new, &options.new, &passphrase)?,
        )),
        None => None,
    };
    let (old, new) = (old.entries, new.entries);
    let mut lines = Vec::new();
    for path in old
        .keys()
        .chain(new.keys().filter(|path| !old.contains_key(*path)))
    {
        match (old.get(path), new.get(path)) {
            (Some(_), None) => lines.push(format!("- {path}")),
            (None, Some(_)) => lines.push(format!("+ {path}")),
            (before, after) if before == after => {}
            _ => match &inner {
                // What was sealed anew has not changed.
                Some((old, new)) => {
                    let changed = old.changes(new, path);
                    lines.extend(changed.map(|fields| match fields.as_slice() {
                        [] => format!("~ {path}"),
                        fields => format!("~ {path}: {}", fields.join(", ")),
                    }));
                }
                None => lines.push(format!("~ {path}")),
            },
        }
    }
    let status = if lines.is_empty() {
        Status::Done
    } else {
        Status::Drift
    };
    let text: String = lines
        .iter()
        .map(|line| format!("{}\n", screen::change(line)))
        .collect();
    Ok(Report::new(text, &json!({ "changes": lines }))?.ending_with(status))
}
