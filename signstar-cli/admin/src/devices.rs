//! `device list` and `device storage-key`: what a configuration is written from.

use std::path::Path;

use serde::Serialize;

use crate::cli::{ListDevices, StorageKey};
use crate::device::{self, Seen};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Listed {
    devices: Vec<ListedDevice>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct ListedDevice {
    back_end: &'static str,
    #[serde(flatten)]
    seen: Seen,
}

#[derive(Serialize)]
struct Problem {
    back_end: &'static str,
    text: String,
}

/// Lists the devices of this machine. A configuration is not needed, and says where else to look.
pub(crate) fn list(options: &ListDevices, config: &Path) -> Result<Report, Failure> {
    let mut listed = Listed {
        devices: Vec::new(),
        problems: Vec::new(),
    };
    let settings = match config.exists() {
        true => Settings::load(config)
            .inspect_err(|failure| log::warn!("not looked into: {}", failure.text))
            .ok(),
        false => None,
    };
    for (back_end, found) in device::search(options, settings.as_ref()) {
        match found {
            Ok(all) => {
                let named = all.into_iter().map(|seen| ListedDevice { back_end, seen });
                listed.devices.extend(named);
            }
            Err(failure) => listed.problems.push(Problem {
                back_end,
                text: failure.text,
            }),
        }
    }
    let devices = listed.devices.iter();
    let devices = devices.map(|device| format!("{}{}\n", device.back_end, device.seen.text()));
    let problems = listed.problems.iter();
    let problems = problems.map(|problem| format!("{} {}\n", problem.back_end, problem.text));
    let text: String = devices.chain(problems).collect();
    let finding = (!listed.problems.is_empty()).then_some(Status::Unavailable);
    Ok(Report::new(text, &listed)?.ending_with(finding))
}

/// Makes the storage key of a TPM.
pub(crate) fn storage_key(options: &StorageKey) -> Result<Report, Failure> {
    device::storage_key(options)
}
