//! `backup …`.

pub(crate) mod file;
mod inner;
mod offline;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::RestoreRequestArguments;
use zeroize::Zeroizing;

use crate::device::{ADMINISTRATOR, As, BACKUP, Device};
use crate::failure::{Failure, Status};
use crate::health::state_of;
use crate::new_file;
use crate::provision::now;
use crate::report::{Report, counted};
use crate::secret::{FORMS, Source};
use file::{Backup, Key};
use inner::Inner;
use offline::{Browse, Diff, Export, Passphrase, Sealed};

/// How backups in a folder end.
pub(crate) const SUFFIX: &str = ".nethsm-backup";

#[derive(Debug, Subcommand)]
pub(crate) enum BackupVerb {
    /// Write a backup to a file, mode 0600 (Backup)
    ///
    /// The file is there as a whole or not at all: what was there before stays until the new one has
    /// come and looks complete.
    Create(Create),
    /// Give a backup to a device (nobody on a fresh device, else Administrator)
    ///
    /// A fresh device becomes what the backup is of, and is Locked. An operational one gets keys, users
    /// and namespaces of the backup and loses those that are not in it.
    Restore(Restore),
    /// Open everything in a backup, without a device
    ///
    /// Takes the backup passphrase. Users and keys stay sealed inside but for --unlock-passphrase-from.
    Verify(Sealed),
    /// List what is in a backup, without a device
    Browse(Browse),
    /// Compare two backups, without a device: status 10 if they differ
    ///
    /// Without --unlock-passphrase-from values are sealed, and one that a device has sealed anew counts as changed.
    Diff(Diff),
    /// Write what is in a backup as JSON, without a device
    ///
    /// Users and keys stay sealed in it but for --unlock-passphrase-from, and private keys are left out then but
    /// for --secrets.
    Export(Export),
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("place").args(["out", "dir"]).required(true).multiple(true)))]
pub(crate) struct Create {
    /// The file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The folder for a file that is named after device and time
    #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
    dir: Option<PathBuf>,
    /// Remove all but so many of the newest backups of this device in the folder, after the new one is there
    #[arg(long, value_name = "COUNT", requires = "dir", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Open what was written, with the backup passphrase from --backup-passphrase-from
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the backup passphrase comes from: {FORMS}"))]
    backup_passphrase_from: Source,
    /// The device's time, as 2026-01-31T12:00:00Z [default: this machine's]
    #[arg(long, value_name = "TIME")]
    system_time: Option<String>,
}

pub(crate) fn backup(device: &mut Device, verb: &BackupVerb) -> Result<Report, Failure> {
    match verb {
        BackupVerb::Create(options) => create(device, options),
        BackupVerb::Restore(options) => restore(device, options),
        other => {
            without_device(other).unwrap_or_else(|| Err(Failure::failed("that takes a device")))
        }
    }
}

fn create(device: &mut Device, options: &Create) -> Result<Report, Failure> {
    device.rehearse("system_backup_post")?;
    let what = format!("Backup passphrase of {}", device.label);
    let source = &options.passphrase.backup_passphrase_from;
    // Asked for before the device is, which need not wait.
    let passphrase = options.verify.then(|| source.get(&what)).transpose()?;
    let bytes = device.read(
        BACKUP,
        "system_backup_post",
        default_api::system_backup_post,
    )?;
    if !file::is_whole(&bytes) {
        let text = format!(
            "{}: has sent no whole backup: nothing was written",
            device.label
        );
        return Err(Failure::failed(text));
    }
    let path = match (&options.out, &options.dir) {
        (Some(path), _) => path.clone(),
        (None, folder) => {
            // As file names of every system.
            let time = now().replace(':', "");
            let folder = folder.clone().unwrap_or_default();
            folder.join(format!("{}-{time}{SUFFIX}", device.label))
        }
    };
    let mut report = Report::bytes(bytes, Some(&path), new_file::SECRET)?;
    if let Some(passphrase) = passphrase {
        // What is on the disk.
        let opened = Backup::open(&file::read(&path)?, &passphrase)
            .map_err(|text| Failure::failed(format!("{}: {text}", path.display())))?;
        let (text, value) = offline::summary(&opened);
        report
            .text
            .extend_from_slice(format!("{text}\n").as_bytes());
        if let Some(fields) = report.value.as_object_mut() {
            fields.insert("verified".to_owned(), value);
        }
    }
    if let (Some(folder), Some(keep)) = (&options.dir, options.keep) {
        remove_old(folder, &device.label, keep.into())?;
    }
    Ok(report)
}

/// Removes all but the newest `keep` backups of a device. Their names sort by time.
fn remove_old(folder: &Path, label: &str, keep: usize) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::with(folder, &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let time = name
            .to_str()
            .and_then(|name| name.strip_prefix(label)?.strip_prefix('-'));
        let time = time.and_then(|name| name.strip_suffix(SUFFIX));
        // 2026-01-31T120000Z, and nothing that only begins like the label.
        let shape = |char: char| char.is_ascii_digit() || "-TZ".contains(char);
        if time.is_some_and(|time| time.len() == 18 && time.chars().all(shape)) {
            names.push(name);
        }
    }
    names.sort();
    let old = names.len().saturating_sub(keep);
    for name in names.iter().take(old) {
        let path = folder.join(name);
        std::fs::remove_file(&path).map_err(|error| Failure::with(&path, &error))?;
    }
    Ok(())
}

/// Whether everything in a backup opens; what is wrong says the error.
pub(crate) fn opens(bytes: &[u8], passphrase: &str) -> Result<(), String> {
    Backup::open(bytes, passphrase)
        .map(|_| ())
        .map_err(|text| text.to_string())
}

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Of the format.
    pub version: u8,
    /// The device that made it; absent in version 0.
    pub device: Option<String>,
    /// By path: as the device keeps them, sealed inside.
    pub entries: BTreeMap<String, Vec<u8>>,
    /// By path: what is open, and what there is to say of it in a line.
    pub opened: BTreeMap<String, (Zeroizing<Vec<u8>>, String)>,
}

/// Opens a backup: with what `outer` makes of the salt of the backup passphrase, and what is inside with what
/// `inner` makes of that of the unlock passphrase. Both may be [`file::key`].
///
/// # Errors
/// What is wrong, in a line.
pub fn content(
    bytes: &[u8],
    outer: impl FnOnce(&[u8]) -> Result<Key, String>,
    inner: Option<impl FnOnce(&[u8]) -> Result<Key, String>>,
) -> Result<Content, String> {
    let backup = Backup::open_with(bytes, outer)?;
    let inner = inner
        .map(|key| Inner::open_with(&backup, key))
        .transpose()?;
    let values = inner.iter().flat_map(|inner| {
        let line = |path: &String| inner.summary(path);
        let values = inner.values.iter();
        values.map(move |(path, value)| (path.clone(), (value.clone(), line(path))))
    });
    let opened = values.collect();
    Ok(Content {
        version: backup.version,
        device: backup.device,
        entries: backup.entries,
        opened,
    })
}

/// What needs no device.
pub(crate) fn without_device(verb: &BackupVerb) -> Option<Result<Report, Failure>> {
    match verb {
        BackupVerb::Create(_) | BackupVerb::Restore(_) => None,
        BackupVerb::Verify(options) => Some(offline::verify(options)),
        BackupVerb::Browse(options) => Some(offline::browse(options)),
        BackupVerb::Diff(options) => Some(offline::diff(options)),
        BackupVerb::Export(options) => Some(offline::export(options)),
    }
}

fn restore(device: &mut Device, options: &Restore) -> Result<Report, Failure> {
    let file = file::read(&options.file)?;
    let state = state_of(device)?;
    let who = match state.as_str() {
        "Unprovisioned" => As::Nobody,
        "Operational" => ADMINISTRATOR,
        state => {
            let text = format!("{}: is {state}: unlock it first", device.label);
            return Err(Failure::new(Status::State, text));
        }
    };
    if who == ADMINISTRATOR {
        let users = device.read(who, "users_get", default_api::users_get)?;
        let keys = device.read(who, "keys_get", |asking| {
            default_api::keys_get(asking, None, None)
        })?;
        let (keys, users) = (counted(keys.len(), "key"), counted(users.len(), "user"));
        let what = format!("has {keys} and {users}, which the backup replaces");
        device.confirm(&what, "yes")?;
    }
    device.rehearse("system_restore_post")?;
    let passphrase = options
        .backup_passphrase_from
        .get("Passphrase of the backup")?;
    let time = options.system_time.clone().unwrap_or_else(now);
    device.sends(file.len());
    device.change(who, "system_restore_post", |asking| {
        let mut arguments = RestoreRequestArguments::new();
        arguments.backup_passphrase = Some(passphrase.to_string());
        arguments.system_time = Some(time.clone());
        default_api::system_restore_post(asking, Some(arguments), Some(file.clone()))
    })?;
    let state = state_of(device)?;
    let text = match state.as_str() {
        "Locked" => "restored; it is Locked: nethsm-cli unlock".to_owned(),
        state => format!("restored; it is {state}"),
    };
    Ok(Report::done(
        text,
        json!({ "restored": true, "state": state }),
    ))
}
