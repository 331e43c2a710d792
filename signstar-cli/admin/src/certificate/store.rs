//! `cert store`: the certificate beside its key on the device.

use serde::Serialize;

use super::read;
use crate::cli::Store;
use crate::device::{self, Kept};
use crate::failure::Failure;
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Stored<'a> {
    key: &'a str,
    devices: Vec<Kept>,
    dry_run: bool,
}

/// Has devices keep a certificate.
pub(crate) fn store(settings: &Settings, options: &Store) -> Result<Report, Failure> {
    let key = options.key.as_str();
    let certificate = read(&settings.key(key)?.certificate)?;
    let devices = match options.dry_run {
        true => {
            device::check_store(settings, key, Some(&certificate), &options.storing)?;
            Vec::new()
        }
        false => device::store(settings, key, &certificate, &options.storing)?,
    };
    let dry_run = options.dry_run;
    let text = match dry_run {
        true => "the devices can be asked, and keep nothing else there\n".to_owned(),
        false => text(&devices),
    };
    let stored = Stored {
        key,
        devices,
        dry_run,
    };
    Report::new(text, &stored)
}

/// A line for each device.
pub(super) fn text(devices: &[Kept]) -> String {
    let lines = devices.iter();
    lines
        .map(|kept| format!("{}: certificate {}\n", kept.device, kept.done))
        .collect()
}
