//! `update …`: software of the device.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;

use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::report::Report;

/// How every image begins.
const MAGIC: &[u8] = b"_NETHSM_UPDATE_\0";
/// Images are some 100 MB.
const BYTES_MAX: u64 = 1 << 30;

#[derive(Debug, Subcommand)]
pub(crate) enum UpdateVerb {
    /// Give an image to the device, which verifies it and shows its notes (Administrator)
    Upload(Image),
    /// Show version and notes of an image file, without a device; its signature is not verified
    Show(Image),
    /// Use the image that was uploaded, and restart (Administrator)
    Commit,
    /// Forget the image that was uploaded (Administrator)
    Cancel,
}

#[derive(Args, Debug)]
pub(crate) struct Image {
    /// The image
    file: PathBuf,
}

pub(crate) fn update(device: &mut Device, verb: &UpdateVerb) -> Result<Report, Failure> {
    match verb {
        UpdateVerb::Upload(options) => {
            device.rehearse("system_update_post")?;
            let image = read(&options.file)?;
            device.sends(image.len());
            let answer = device.change(ADMINISTRATOR, "system_update_post", |asking| {
                default_api::system_update_post(asking, image.clone())
            })?;
            let notes = &answer.value.release_notes;
            let text = format!("{}\nnext: nethsm-cli update commit\n", notes.trim_end());
            Report::new(text, &answer.value)
        }
        UpdateVerb::Show(options) => show(options),
        UpdateVerb::Commit => {
            device.confirm("changes its software and restarts", "yes")?;
            let operation = "system_commit_update_post";
            device.change(
                ADMINISTRATOR,
                operation,
                default_api::system_commit_update_post,
            )?;
            Ok(Report::done(
                "committed; restarts",
                json!({ "committed": true }),
            ))
        }
        UpdateVerb::Cancel => {
            let operation = "system_cancel_update_post";
            device.change(
                ADMINISTRATOR,
                operation,
                default_api::system_cancel_update_post,
            )?;
            Ok(Report::done("cancelled", json!({ "cancelled": true })))
        }
    }
}

/// What stands at the beginning of an image.
pub(crate) fn show(options: &Image) -> Result<Report, Failure> {
    let image = read(&options.file)?;
    let none = || Failure::failed(format!("{}: is no update image", options.file.display()));
    let rest = image.strip_prefix(MAGIC).ok_or_else(none)?;
    let (_signature, rest) = field(rest).ok_or_else(none)?;
    let (notes, rest) = field(rest).ok_or_else(none)?;
    let (version, _) = field(rest).ok_or_else(none)?;
    let (notes, version) = (
        String::from_utf8_lossy(notes),
        String::from_utf8_lossy(version),
    );
    let text = format!("version: {version}\n{}\n", notes.trim_end());
    Report::new(text, &json!({ "version": version, "release_notes": notes }))
}

/// A field: 3 bytes of length, most significant first, and its bytes.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([high, middle, low], rest) = bytes.split_first_chunk::<3>()?;
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    let length = std::fs::metadata(path).map_err(failed)?.len();
    match length <= BYTES_MAX {
        true => std::fs::read(path).map_err(failed),
        false => Err(Failure::failed(format!(
            "{}: is no update image",
            path.display()
        ))),
    }
}
