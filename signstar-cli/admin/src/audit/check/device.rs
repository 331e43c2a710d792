//! The device's own counter, beside that of the records.

use serde::Serialize;
use signstar::enclave;

use super::counter::Counted;
use super::finding::{Findings, Kind};
use crate::device::{self, Seen};
use crate::failure::Failure;
use crate::settings::Settings;

/// A key's device, as it was looked at before the log was read.
pub(super) struct Looked<'s> {
    settings: &'s Settings,
    key: &'s str,
    fingerprint: Result<String, Failure>,
    seen: Result<Seen, Failure>,
}

/// What a device says beside the records.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) key: String,
    /// What the device says, if it counts.
    pub(crate) device: Option<u64>,
    /// The last one of the records, if they have one.
    pub(crate) recorded: Option<u64>,
}

/// Looks at the device of every key.
pub(super) fn look(settings: &Settings) -> Vec<Looked<'_>> {
    let keys = settings.config.keys.iter();
    keys.map(|(name, key)| Looked {
        settings,
        key: name,
        fingerprint: enclave::open_certificate(key)
            .map(|signing| signing.fingerprint())
            .map_err(Failure::from),
        seen: device::look(settings, name),
    })
    .collect()
}

/// Compares what the devices said before the log was read with the log.
pub(super) fn compare(
    looked: Vec<Looked<'_>>,
    counted: &[Counted],
    findings: &mut Findings,
) -> Vec<Compared> {
    let keys = looked.into_iter();
    keys.filter_map(|looked| one(looked, counted, findings))
        .collect()
}

fn one(looked: Looked<'_>, counted: &[Counted], findings: &mut Findings) -> Option<Compared> {
    let key = looked.key.to_owned();
    let mut note = |kind, text| findings.add(kind, None, None, format!("[key.{key}] {text}"));
    let (fingerprint, seen) = match (looked.fingerprint, looked.seen) {
        (Ok(fingerprint), Ok(seen)) => (fingerprint, seen),
        (Err(failure), _) | (_, Err(failure)) => {
            note(Kind::Device, failure.text);
            return None;
        }
    };
    let back_end = looked.settings.key(looked.key).ok()?.back_end.name;
    let of_key = counted.iter().find(|counted| {
        counted.holder.fingerprint == fingerprint && counted.holder.back_end == back_end
    });
    let device = seen.signatures();
    if let (Some(device), Some(counted)) = (device, of_key) {
        let most = counted.last.saturating_add(counted.pending);
        if device > most {
            let text = format!(
                "the device has made {device} signatures, the last one in the records is number {}: \
                 {} are not in the records",
                counted.last,
                device - most
            );
            note(Kind::DeviceAhead, text);
        } else if device < counted.last {
            // Signatures that were made since it was looked at are in the log.
            let again = device::look(looked.settings, looked.key).ok();
            let again = again.and_then(|seen| seen.signatures());
            if again.is_some_and(|again| again < counted.last) {
                let text = format!(
                    "the device has made {device} signatures, and one in the records is number {}: \
                     another device, or the key was put in again",
                    counted.last
                );
                note(Kind::DeviceBehind, text);
            }
        }
    }
    Some(Compared {
        key,
        device,
        recorded: of_key.map(|counted| counted.last),
    })
}

impl Compared {
    /// For people: one line.
    pub(super) fn line(&self) -> String {
        let Self {
            key,
            device,
            recorded,
        } = self;
        match (device, recorded) {
            (None, _) => format!("[key.{key}] its device does not count signatures\n"),
            (Some(device), None) => {
                format!("[key.{key}] device {device}, records none: there is nothing to compare\n")
            }
            (Some(device), Some(recorded)) => {
                format!("[key.{key}] device {device}, records {recorded}\n")
            }
        }
    }
}
