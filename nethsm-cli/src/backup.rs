//! `backup …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::RestoreRequestArguments;

use crate::device::{ADMINISTRATOR, As, BACKUP, Device};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::provision::now;
use crate::report::Report;
use crate::secret::{FORMS, Source};

/// How every backup begins, and one of version 1 ends.
const MAGIC: &[u8] = b"_NETHSM_BACKUP_";
const END: &[u8] = b"_NETHSM_BACKUP_END_";

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
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The file
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
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
    }
}

fn create(device: &mut Device, options: &Create) -> Result<Report, Failure> {
    device.rehearse("system_backup_post")?;
    let bytes = device.read(
        BACKUP,
        "system_backup_post",
        default_api::system_backup_post,
    )?;
    let version = bytes.strip_prefix(MAGIC).and_then(|rest| rest.first());
    let whole = match version {
        Some(0) => true,
        Some(_) => bytes.ends_with(END),
        None => false,
    };
    if !whole {
        let text = format!(
            "{}: has sent no whole backup: nothing was written",
            device.label
        );
        return Err(Failure::failed(text));
    }
    Report::bytes(bytes, Some(&options.out), new_file::SECRET)
}

fn restore(device: &mut Device, options: &Restore) -> Result<Report, Failure> {
    let failed = |error: std::io::Error| Failure::with(&options.file, &error);
    let file = std::fs::read(&options.file).map_err(failed)?;
    if !file.starts_with(MAGIC) {
        let text = format!("{}: is no backup of a NetHSM", options.file.display());
        return Err(Failure::failed(text));
    }
    let state = device.read(
        As::Nobody,
        "health_state_get",
        default_api::health_state_get,
    )?;
    let who = match state.state.to_string().as_str() {
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
        let (keys, users) = (keys.len(), users.len());
        let what = format!("has {keys} keys and {users} users, which the backup replaces");
        device.confirm(&what, "yes")?;
    }
    device.rehearse("system_restore_post")?;
    let passphrase = options
        .backup_passphrase_from
        .get("Passphrase of the backup")?;
    let time = options.system_time.clone().unwrap_or_else(now);
    device.change(who, "system_restore_post", |asking| {
        let mut arguments = RestoreRequestArguments::new();
        arguments.backup_passphrase = Some(passphrase.to_string());
        arguments.system_time = Some(time.clone());
        default_api::system_restore_post(asking, Some(arguments), Some(file.clone()))
    })?;
    let state = device.read(
        As::Nobody,
        "health_state_get",
        default_api::health_state_get,
    )?;
    let text = match state.state.to_string().as_str() {
        "Locked" => "restored; it is Locked: nethsm-cli unlock".to_owned(),
        state => format!("restored; it is {state}"),
    };
    Ok(Report::done(
        text,
        json!({ "restored": true, "state": state.state }),
    ))
}
