//! Making a device operational, and not: `provision`, `unlock`, `lock`; and `random`.

use std::path::PathBuf;
use std::time::SystemTime;

use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueEnum};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{ProvisionRequestData, RandomRequestData, UnlockRequestData};
use zeroize::Zeroizing;

use crate::device::{ADMINISTRATOR, As, Device, OPERATOR};
use crate::failure::{Failure, Status};
use crate::health::state_of;
use crate::new_file;
use crate::report::Report;
use crate::secret::{FORMS, Source};

/// What a device gives at once, in bytes.
const RANDOM_BYTES_AT_ONCE: u32 = 1024;

#[derive(Args, Debug)]
pub(crate) struct Provision {
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the passphrase that will unlock it comes from: {FORMS}"))]
    unlock_passphrase_from: Source,
    /// Where the passphrase of its first administrator, admin, comes from
    #[arg(long, value_name = "SOURCE", default_value = "prompt")]
    admin_passphrase_from: Source,
    /// Its time, as 2026-01-31T12:00:00Z [default: this machine's]
    #[arg(long, value_name = "TIME")]
    system_time: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Unlock {
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the unlock passphrase comes from: {FORMS}"))]
    unlock_passphrase_from: Source,
}

#[derive(Args, Debug)]
pub(crate) struct Random {
    /// How many bytes
    #[arg(value_parser = clap::value_parser!(u32).range(1..=(64 << 20)))]
    bytes: u32,
    /// In which form
    #[arg(
        long = "format",
        alias = "form",
        value_name = "FORMAT",
        value_enum,
        default_value = "hex"
    )]
    form: Form,
    /// Write them to this file, mode 0600
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Hex,
    Base64,
    Raw,
}

/// The time of this machine, as devices read it.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

pub(crate) fn provision(device: &mut Device, options: &Provision) -> Result<Report, Failure> {
    device.rehearse("provision_post")?;
    let label = device.label.clone();
    let unlock = &options.unlock_passphrase_from;
    let unlock = unlock.get_new(&format!("Unlock passphrase of {label}"))?;
    let admin = &options.admin_passphrase_from;
    let admin = admin.get_new(&format!("Passphrase of admin (Administrator) on {label}"))?;
    let time = options.system_time.clone().unwrap_or_else(now);
    device.change(As::Nobody, "provision_post", |asking| {
        let request =
            ProvisionRequestData::new(unlock.to_string(), admin.to_string(), time.clone());
        default_api::provision_post(asking, request)
    })?;
    let text = "provisioned; its first administrator is admin";
    Ok(Report::done(
        text,
        json!({ "state": "Operational", "administrator": "admin" }),
    ))
}

pub(crate) fn unlock(device: &mut Device, options: &Unlock) -> Result<Report, Failure> {
    device.rehearse("unlock_post")?;
    let what = format!("Unlock passphrase of {}", device.label);
    let passphrase = options.unlock_passphrase_from.get(&what)?;
    let done = device.change(As::Nobody, "unlock_post", |asking| {
        default_api::unlock_post(asking, UnlockRequestData::new(passphrase.to_string()))
    });
    became(device, done.map(drop), "Operational", "unlocked")
}

/// A device is in `state` now, or has been before: of many that are to be, some may be already.
fn became(
    device: &mut Device,
    done: Result<(), Failure>,
    state: &str,
    text: &str,
) -> Result<Report, Failure> {
    let (text, changed) = match done {
        Ok(()) => (text.to_owned(), true),
        Err(failure) if failure.status == Status::State && is_in(device, state) => {
            (format!("unchanged: is {state}"), false)
        }
        Err(failure) => return Err(failure),
    };
    Ok(Report::done(
        text,
        json!({ "state": state, "changed": changed }),
    ))
}

fn is_in(device: &mut Device, state: &str) -> bool {
    state_of(device).is_ok_and(|found| found == state)
}

pub(crate) fn lock(device: &mut Device) -> Result<Report, Failure> {
    let done = device.change(ADMINISTRATOR, "lock_post", default_api::lock_post);
    became(
        device,
        done.map(drop),
        "Locked",
        "locked: nethsm-cli unlock",
    )
}

pub(crate) fn random(device: &mut Device, options: &Random) -> Result<Report, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut left = options.bytes;
    while left > 0 {
        let part = left.min(RANDOM_BYTES_AT_ONCE);
        let length = i32::try_from(part).map_err(Failure::failed)?;
        let answer = device.read(OPERATOR, "random_post", |asking| {
            default_api::random_post(asking, RandomRequestData::new(length))
        })?;
        let text = Zeroizing::new(answer.random);
        let got = Base64::decode_vec(&text).map(Zeroizing::new);
        let got = got.map_err(|_| Failure::failed("the device has sent no base64"))?;
        if usize::try_from(part) != Ok(got.len()) {
            return Err(Failure::failed(
                "the device has sent another number of bytes",
            ));
        }
        bytes.extend_from_slice(&got);
        left -= part;
    }
    let written = match options.form {
        Form::Raw => bytes.to_vec(),
        Form::Base64 => format!("{}\n", Base64::encode_string(&bytes)).into_bytes(),
        Form::Hex => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{digits}\n").into_bytes()
        }
    };
    let mut report = Report::bytes(written, options.out.as_deref(), new_file::SECRET)?;
    if options.out.is_none() {
        report.value = json!({ "base64": Base64::encode_string(&bytes) });
    }
    Ok(report)
}
