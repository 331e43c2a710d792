//! Whether backups can be made, and whether there is a recent one.

use std::path::Path;
use std::time::{Duration, SystemTime};

use signstar_nethsm::sdk::apis::configuration::Configuration;
use signstar_nethsm::sdk::apis::{Error, ResponseContent};

use super::{Doctor, Findings, Level};
use crate::backup::SUFFIX;
use crate::device::{BACKUP, Device};
use crate::failure::{Failure, Status};
use crate::tls::authorization;

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn look(found: &mut Findings, device: &mut Device, options: &Doctor) {
    match device.user(BACKUP) {
        Err(_) => {
            let text = "nobody in the profile makes backups, whether they can be made is not looked at: \
                        nethsm-cli cred add";
            found.look("backups", Some((Level::Note, text.to_owned())));
        }
        Ok(_) => match device.read(BACKUP, "system_backup_post", begin) {
            Ok(()) => found.look("backups", None),
            Err(failure) if failure.status == Status::State => {
                let text = "no backup can be made, there is no backup passphrase: nethsm-cli config set \
                            backup-passphrase";
                found.look("backups", Some((Level::Error, text.to_owned())));
            }
            Err(failure) => {
                found.got("backups", Err::<(), _>(failure));
            }
        },
    }
    let Some(folder) = &options.backups else {
        return;
    };
    let Some(last) = found.got("last backup", newest(folder, &device.label)) else {
        return;
    };
    let name = folder.display();
    let limit = DAY * u32::from(options.backup_age);
    let problem = match last {
        None => Some(format!(
            "there is none in {name}: nethsm-cli backup create --dir {name}"
        )),
        Some(time) => {
            let age = SystemTime::now().duration_since(time).unwrap_or_default();
            let days = age.as_secs() / DAY.as_secs();
            (age > limit).then(|| {
                format!("is {days} days old: nethsm-cli backup create --dir {name} --verify")
            })
        }
    };
    found.look("last backup", problem.map(|text| (Level::Warning, text)));
}

/// When the newest backup of a device in a folder was made, as its name says.
fn newest(folder: &Path, label: &str) -> Result<Option<SystemTime>, Failure> {
    let failed = |error: std::io::Error| Failure::with(folder, &error);
    let mut newest = None;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let time = name.to_str().and_then(|name| {
            let time = name.strip_prefix(label)?.strip_prefix('-')?;
            made(time.strip_suffix(SUFFIX)?)
        });
        newest = newest.max(time);
    }
    Ok(newest)
}

/// The time in a name: 2026-01-31T120000Z.
fn made(text: &str) -> Option<SystemTime> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (hour, rest) = time.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    humantime::parse_rfc3339(&format!("{day}T{hour}:{minute}:{second}Z")).ok()
}

/// Asks for a backup and hangs up when the device begins to send one: that it does is the answer.
fn begin(asking: &Configuration) -> Result<ResponseContent<()>, Error<()>> {
    let mut request = asking
        .client
        .post(format!("{}/system/backup", asking.base_path));
    if let Some(authorization) = authorization(asking) {
        request = request.header("authorization", authorization.as_str());
    }
    let answer = request.send_empty()?;
    Ok(ResponseContent {
        status: answer.status().as_u16(),
        content: Vec::new(),
        entity: (),
        headers: std::collections::HashMap::new(),
    })
}
