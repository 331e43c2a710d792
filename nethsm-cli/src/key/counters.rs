//! `key counters`: how often each key was used, and since the last look.
//!
//! Devices count what a key has signed, decrypted and encrypted, and write that down every hour and when they
//! restart in order. A counter that goes back is therefore a device that lost its power, a restored backup,
//! or another key under an old name: whoever audits wants to know of each.

mod compared;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signstar_nethsm::sdk::apis::default_api;

use compared::{Counted, Look, compare};

use super::list::details;
use crate::device::{ADMINISTRATOR, Device, EITHER};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::provision::now;
use crate::report::Report;
use crate::table::table;
use crate::user::field;

/// A hundred thousand keys are less.
const BYTES_MAX: u64 = 64 << 20;

#[derive(Args, Debug)]
pub(crate) struct Counters {
    /// What was saved before, to compare with: a file, or a folder with one for each device
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Where to save what is found, mode 0600; it may be the same
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub(crate) fn counters(device: &mut Device, options: &Counters) -> Result<Report, Failure> {
    let before = options
        .since
        .as_deref()
        .map(|path| load(&of_device(path, device)))
        .transpose()?;
    let found = look(device)?;
    let report = match &before {
        None => plain(&found),
        Some(before) => {
            let same = before.namespace == found.namespace
                && (before.device_id == found.device_id
                    || before.device_id.is_none()
                    || found.device_id.is_none());
            if !same {
                let text = format!("{}: that was saved of another device", device.label);
                return Err(Failure::new(Status::Conflict, text));
            }
            changes(before, &found)
        }
    }?;
    if let Some(path) = options.save.as_ref().filter(|_| !device.manner.dry_run) {
        let path = of_device(path, device);
        let mut text = serde_json::to_vec_pretty(&found).map_err(Failure::failed)?;
        text.push(b'\n');
        new_file::write(&path, &text, new_file::SECRET)?;
    }
    Ok(report)
}

/// The file of a device in a folder.
fn of_device(path: &Path, device: &Device) -> PathBuf {
    match path.is_dir() {
        true => path.join(format!("{}.counters.json", device.label)),
        false => path.to_owned(),
    }
}

fn load(path: &Path) -> Result<Look, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    let wrong = || Failure::failed(format!("{}: was not saved by --save", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > BYTES_MAX {
        return Err(wrong());
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let look: Look = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let counted = look.keys.values().all(|key| key.operations >= 0);
    match look.version == 1 && counted {
        true => Ok(look),
        false => Err(wrong()),
    }
}

fn look(device: &mut Device) -> Result<Look, Failure> {
    let ids = device.read(EITHER, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    let ids: Vec<String> = ids.into_iter().map(|item| item.id).collect();
    let mut keys = BTreeMap::new();
    for key in details(device, &ids)? {
        let public = key.get("public").filter(|public| !public.is_null());
        let public = public.map(|public| {
            let digest = Sha256::digest(public.to_string());
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        let operations = key.get("operations").and_then(Value::as_i64).unwrap_or(0);
        keys.insert(field(&key, "id"), Counted { operations, public });
    }
    let user = device.user(EITHER)?;
    let namespace = user.split_once('~').map(|(space, _)| space.to_owned());
    // Only administrators outside of namespaces are told.
    let device_id = match namespace.is_none() && device.user(ADMINISTRATOR).is_ok() {
        false => None,
        true => match device.read(
            ADMINISTRATOR,
            "system_info_get",
            default_api::system_info_get,
        ) {
            Ok(about) => Some(about.device_id),
            Err(failure) if failure.status == Status::Forbidden => None,
            Err(failure) => return Err(failure),
        },
    };
    Ok(Look {
        version: 1,
        device_id,
        namespace,
        time: now(),
        keys,
    })
}

fn plain(found: &Look) -> Result<Report, Failure> {
    let rows: Vec<[String; 2]> = found
        .keys
        .iter()
        .map(|(id, key)| [id.clone(), key.operations.to_string()])
        .collect();
    let keys: Vec<Value> = found
        .keys
        .iter()
        .map(|(id, key)| json!({ "id": id, "operations": key.operations }))
        .collect();
    let value = json!({ "time": found.time, "keys": keys });
    Report::new(table(["KEY", "USED"], &rows), &value)
}

fn changes(before: &Look, found: &Look) -> Result<Report, Failure> {
    let compared = compare(before, found);
    let number = |number: Option<i64>| number.map_or("-".to_owned(), |count| count.to_string());
    let rows: Vec<[String; 5]> = compared
        .iter()
        .map(|key| {
            [
                key.key.clone(),
                number(key.before),
                number(key.now),
                number(key.used()),
                key.remark.text().to_owned(),
            ]
        })
        .collect();
    let keys: Vec<Value> = compared
        .iter()
        .map(|key| {
            let remark = Some(key.remark.text()).filter(|text| !text.is_empty());
            json!({
                "id": key.key, "before": key.before, "operations": key.now, "used": key.used(),
                "remark": remark,
            })
        })
        .collect();
    let status = compared.iter().map(|key| key.remark.status());
    let status = status.max_by_key(|status| status.code());
    let mut text = format!("since {}\n", before.time);
    text.push_str(&table(["KEY", "BEFORE", "NOW", "USED", ""], &rows));
    let value = json!({ "since": before.time, "time": found.time, "keys": keys });
    Ok(Report::new(text, &value)?.ending_with(status.unwrap_or(Status::Done)))
}

#[cfg(test)]
mod tests {
    use super::compared::Remark;
    use super::*;

    fn look(keys: &[(&str, i64, Option<&str>)]) -> Look {
        let counted = |(id, operations, public): &(&str, i64, Option<&str>)| {
            let public = public.map(str::to_owned);
            let operations = *operations;
            ((*id).to_owned(), Counted { operations, public })
        };
        Look {
            version: 1,
            device_id: None,
            namespace: None,
            time: "2026-01-01T00:00:00Z".to_owned(),
            keys: keys.iter().map(counted).collect(),
        }
    }

    #[test]
    fn what_an_auditor_must_not_miss_is_remarked() {
        let before = look(&[
            ("back", 5, Some("a")),
            ("gone", 1, None),
            ("other", 1, Some("a")),
            ("used", 2, None),
        ]);
        let found = look(&[
            ("back", 4, Some("a")),
            ("new", 3, None),
            ("other", 9, Some("b")),
            ("used", 7, None),
        ]);
        let seen: Vec<_> = compare(&before, &found)
            .into_iter()
            .map(|key| (key.key.clone(), key.remark, key.used()))
            .collect();
        let expected = [
            ("back", Remark::WentBack, None),
            ("gone", Remark::Gone, None),
            ("new", Remark::New, Some(3)),
            ("other", Remark::AnotherKey, None),
            ("used", Remark::Same, Some(5)),
        ];
        let expected = expected.map(|(id, remark, used)| (id.to_owned(), remark, used));
        assert_eq!(seen, expected);
        let report = changes(&before, &found).unwrap();
        assert_eq!(report.status, Status::Wrong);
        let report = changes(&before, &look(&[("back", 5, Some("a"))])).unwrap();
        assert_eq!(report.status, Status::Attention);
    }
}
