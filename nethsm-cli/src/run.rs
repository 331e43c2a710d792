//! `run`: a program that asks a device as one of its users, without being told a passphrase where others see it.
//!
//! The program finds in variables which device is meant and who asks, and the passphrase in a file that only it and
//! what it starts can read, which is in no file system ([`Handed`]). Deliberately absent: a variable or an argument
//! with the passphrase, whatever the program would like.

use std::ffi::OsString;
use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueHint};
use serde_json::json;
use signstar_console::handed::Handed;
use zeroize::Zeroizing;

use crate::cli::Globals;
use crate::device::{As, Device};
use crate::failure::{Failure, Status};
use crate::profile::Trusted;
use crate::report::{Output, Report};
use crate::role::Role;

/// What is kept of a program's output; more belongs into a file.
const OUTPUT_BYTES_MAX: u64 = 16 << 20;
/// What would be said of the device twice, and differently.
const REPLACED: [&str; 11] = [
    "NETHSM_ALL",
    "NETHSM_AS_NAMESPACE",
    "NETHSM_CA",
    "NETHSM_DEVICE",
    "NETHSM_HOST",
    "NETHSM_PASSPHRASE_FILE",
    "NETHSM_PASSPHRASE_FROM",
    "NETHSM_PIN",
    "NETHSM_URL",
    "NETHSM_USER",
    "NETHSM_USERNAME",
];

/// From the passphrase until the program runs: nothing else that is started inherits it.
static STARTING: Mutex<()> = Mutex::new(());

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Which user of the profile asks, where --user does not say
    #[arg(long, default_value = "Operator", ignore_case = true)]
    role: Role,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::AnyPath)]
    command: Vec<OsString>,
}

/// What a program's streams are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Those of this program.
    Own,
    /// It reads nothing, and what it says is a part of the answer.
    Kept,
}

impl Streams {
    /// One program has the terminal; several, or those whose answer is for a program, have not.
    pub(crate) fn of(globals: &Globals, devices: &[Device]) -> Self {
        match (globals.output, devices) {
            (Output::Text, [_]) => Self::Own,
            _ => Self::Kept,
        }
    }
}

pub(crate) fn run(
    device: &mut Device,
    globals: &Globals,
    options: &Run,
    streams: Streams,
) -> Result<Report, Failure> {
    let Some((program, arguments)) = options.command.split_first() else {
        return Err(Failure::usage("there is no program to run"));
    };
    let name = program.to_string_lossy();
    let user = device.user(role(options.role))?;
    if device.manner.dry_run {
        let text = format!("{}: would run {name} as {user}", device.label);
        return Err(Failure::new(
            Status::Done,
            format!("{text}; nothing was done"),
        ));
    }
    let mut command = Command::new(program);
    command.args(arguments);
    told(&mut command, device, globals, &user)?;
    if streams == Streams::Kept {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
    }
    let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let passphrase = device.passphrase(&user)?;
    let line = Zeroizing::new(format!("{}\n", *passphrase));
    let handed = Handed::new("nethsm-passphrase", line.as_bytes())?;
    command.env("NETHSM_PASSPHRASE_FILE", handed.path());
    let child = command
        .spawn()
        .map_err(|error| Failure::with(program.as_ref(), &error))?;
    drop((handed, starting));
    let (status, output) = ended(child, &name)?;
    let said = match status.code() {
        Some(0) => None,
        Some(number) => Some(format!("{name} ended with status {number}")),
        None => Some(format!("{name} was killed")),
    };
    if let (Streams::Own, Some(said)) = (streams, &said) {
        return Err(Failure::failed(format!("{}: {said}", device.label)));
    }
    let output_value = match std::str::from_utf8(&output) {
        Ok(text) => ("output", text.to_owned()),
        Err(_) => ("output_base64", Base64::encode_string(&output)),
    };
    let value = json!({ "user": user, "status": status.code(), output_value.0: output_value.1 });
    let mut text = output;
    let mut ending = Status::Done;
    if let Some(said) = said {
        text.extend_from_slice(format!("{said}\n").as_bytes());
        ending = Status::Failed;
    }
    Ok(Report {
        text,
        value,
        status: ending,
    })
}

const fn role(role: Role) -> As {
    As::A(match role {
        Role::Administrator => &[Role::Administrator],
        Role::Operator => &[Role::Operator],
        Role::Metrics => &[Role::Metrics],
        Role::Backup => &[Role::Backup],
    })
}

/// Tells the program which device is meant and who asks.
fn told(
    command: &mut Command,
    device: &Device,
    globals: &Globals,
    user: &str,
) -> Result<(), Failure> {
    for name in REPLACED {
        command.env_remove(name);
    }
    let address = device.profile.address()?.to_string();
    match (&globals.url, &globals.config) {
        (Some(_), _) => {
            command.env("NETHSM_URL", &address);
        }
        (None, config) => {
            command.env("NETHSM_DEVICE", &device.label);
            command.envs(config.as_ref().map(|path| ("NETHSM_CONFIG", path)));
        }
    }
    match &device.profile.trusted {
        Trusted::Pin(pin) => command.env("NETHSM_PIN", pin),
        Trusted::Authority(path) => command.env("NETHSM_CA", path),
        Trusted::System => command,
    };
    command.env("NETHSM_USER", user);
    // As nitropy calls them.
    command
        .env("NETHSM_HOST", address)
        .env("NETHSM_USERNAME", user);
    Ok(())
}

/// Waits for the end of a program: its status, and what it has said.
fn ended(mut child: Child, name: &str) -> Result<(ExitStatus, Vec<u8>), Failure> {
    let failed = |error| Failure::with(name.as_ref(), &error);
    let mut output = Vec::new();
    let read = child.stdout.take().map(|stream| {
        stream
            .take(OUTPUT_BYTES_MAX + 1)
            .read_to_end(&mut output)
            .map_err(failed)
    });
    let long = matches!(read, Some(Ok(count)) if u64::try_from(count).is_ok_and(|count| count > OUTPUT_BYTES_MAX));
    if long {
        // It would wait for a reader for ever, or end by itself, which is as good.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    read.transpose()?;
    match long {
        false => Ok((status, output)),
        true => Err(Failure::failed(format!(
            "{name}: says more than 16 MiB: let it write to a file"
        ))),
    }
}
