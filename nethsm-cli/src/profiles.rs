//! `device …`: the devices of the profile. Only `trust` and `add --trust` look at the device.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signstar_nethsm::client::{ClientError, presented};

use crate::cli::Globals;
use crate::failure::{Failure, Status};
use crate::profile::{Profile, Trusted};
use crate::report::Report;
use crate::table::table;
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceVerb {
    /// Put a device into the profile
    ///
    /// Without --device-pin, --device-ca or --trust, the authorities of the system must have signed its TLS
    /// certificate; a fresh device's is signed by itself.
    Add(Add),
    /// List the devices of the profile
    List,
    /// Show a device of the profile
    Show(Named),
    /// Take a device out of the profile, with its users
    Remove(Named),
    /// Give a device another name
    Rename(Rename),
    /// Ask this device where none is named
    Default(Named),
    /// Look at a device's TLS certificate and trust that one from now on
    ///
    /// Shows the certificate's fingerprint and wants it confirmed: compare it with what the device's console
    /// or its operator says. Nothing is sent to the device.
    Trust(Trust),
}

#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The device's name in the profile
    label: String,
}

#[derive(Args, Debug)]
pub(crate) struct Rename {
    /// The device's name in the profile
    label: String,
    /// Its new name
    new: String,
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// Its name in the profile, for example the rack
    label: String,
    /// Where it is: HOST, HOST:PORT or a whole address
    address: String,
    /// The SHA-256 of its TLS certificate
    #[arg(long, value_name = "SHA256", conflicts_with_all = ["device_ca", "trust"])]
    device_pin: Option<String>,
    /// The file with the authority that has signed its TLS certificate
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    device_ca: Option<PathBuf>,
    /// Look at its certificate and trust that one, as `device trust` does
    #[arg(long)]
    trust: bool,
    /// The name in its certificate, where that is not the address
    #[arg(long, value_name = "NAME")]
    tls_name: Option<String>,
    /// A group that it is in, for -d @GROUP; several times for several
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Trust {
    /// The device's name in the profile
    label: String,
    /// Trust it only if its fingerprint is this one, and do not ask
    #[arg(long, value_name = "SHA256")]
    expect: Option<String>,
}

/// Does what `verb` says.
pub(crate) fn perform(globals: &Globals, verb: &DeviceVerb) -> Result<Report, Failure> {
    let mut profiles = crate::chosen::profiles(globals)?;
    let report = match verb {
        DeviceVerb::List => {
            let rows: Vec<[String; 4]> = profiles
                .devices
                .iter()
                .map(|(label, profile)| {
                    let mark = if profiles.default.as_ref() == Some(label) {
                        " *"
                    } else {
                        ""
                    };
                    let users = profile.users.len().to_string();
                    [
                        format!("{label}{mark}"),
                        profile.url.clone(),
                        trusted(profile),
                        users,
                    ]
                })
                .collect();
            let devices: Vec<Value> = profiles
                .devices
                .iter()
                .map(|(label, profile)| value(label, profile))
                .collect();
            let found = json!({ "default": profiles.default, "devices": devices });
            return Report::new(
                table(["DEVICE", "ADDRESS", "TRUSTED BY", "USERS"], &rows),
                &found,
            );
        }
        DeviceVerb::Show(Named { label }) => {
            let profile = profiles.device(label)?;
            let users = profile.users.iter();
            let users = users.map(|(id, user)| format!("{id} ({})", user.role.name()));
            let text = format!(
                "address: {}\ntrusted by: {}\ngroups: {}\nusers: {}\n",
                profile.url,
                trusted(profile),
                profile.groups.join(", "),
                users.collect::<Vec<_>>().join(", ")
            );
            return Report::new(text.replace(": \n", ":\n"), &value(label, profile));
        }
        DeviceVerb::Add(options) => {
            let label = &options.label;
            if profiles.devices.contains_key(label) {
                return Err(Failure::usage("there is a device of that name already"));
            }
            if !signstar_nethsm::client::is_id(label) {
                return Err(Failure::usage(
                    "a name has letters, digits, dots, dashes and lines",
                ));
            }
            let trust = match (&options.device_pin, &options.device_ca) {
                (Some(pin), _) => Trusted::Pin(pin.clone()),
                (None, Some(path)) => Trusted::Authority(path.clone()),
                (None, None) => Trusted::System,
            };
            let mut profile = Profile::new(&options.address, trust);
            profile.tls_name.clone_from(&options.tls_name);
            profile.groups.clone_from(&options.groups);
            if options.trust {
                profile.trusted = Trusted::Pin(look(globals, &profile, None)?);
            }
            profile.address()?;
            profile.trust()?;
            profiles.put(label, &profile);
            Report::done(format!("added {label}"), value(label, &profile))
        }
        DeviceVerb::Remove(Named { label }) => {
            profiles.remove(label)?;
            Report::done(format!("removed {label}"), json!({ "removed": label }))
        }
        DeviceVerb::Rename(Rename { label, new }) => {
            profiles.rename(label, new)?;
            Report::done(
                format!("{label} is {new} now"),
                json!({ "old": label, "new": new }),
            )
        }
        DeviceVerb::Default(Named { label }) => {
            profiles.device(label)?;
            profiles.set_default(label);
            Report::done(
                format!("{label} is the default"),
                json!({ "default": label }),
            )
        }
        DeviceVerb::Trust(options) => {
            let mut profile = profiles.device(&options.label)?.clone();
            let pin = look(globals, &profile, options.expect.as_deref())?;
            let changed = profile.trusted != Trusted::Pin(pin.clone());
            profile.trusted = Trusted::Pin(pin.clone());
            profiles.put(&options.label, &profile);
            let text = if changed {
                "trusts"
            } else {
                "unchanged: trusts"
            };
            let found = json!({ "device": options.label, "pin": pin, "changed": changed });
            Report::done(format!("{text} {pin}"), found)
        }
    };
    if globals.dry_run {
        return Ok(report.rehearsed());
    }
    profiles.save()?;
    Ok(report)
}

/// The fingerprint of the certificate that is there, if the operator says that it is the right one.
fn look(globals: &Globals, profile: &Profile, expected: Option<&str>) -> Result<String, Failure> {
    let wait = Duration::from_secs(globals.connect_timeout.into());
    let address = profile.address()?;
    let found = presented(&address, wait).map_err(|error| match error {
        ClientError::Settings(text) => Failure::usage(text),
        error => Failure::new(Status::Unreachable, format!("{address}: {error}")),
    })?;
    let found = found.to_string();
    if let Some(expected) = expected {
        let plain: String = expected.chars().filter(|char| *char != ':').collect();
        return match plain.eq_ignore_ascii_case(&found) {
            true => Ok(found),
            false => Err(Failure::new(
                Status::Unreachable,
                format!("{address}: has the certificate {found}, which is not the expected one"),
            )),
        };
    }
    if !globals.yes {
        let text =
            format!("{address} has the TLS certificate\n{found}\nCompare it with the device.");
        terminal::confirm(&text, "yes")?;
    }
    Ok(found)
}

fn trusted(profile: &Profile) -> String {
    match &profile.trusted {
        Trusted::Pin(pin) => format!("pin {}…", pin.chars().take(16).collect::<String>()),
        Trusted::Authority(path) => format!("authority {}", path.display()),
        Trusted::System => "the system's authorities".to_owned(),
    }
}

fn value(label: &str, profile: &Profile) -> Value {
    let users = profile.users.iter().map(|(id, user)| {
        json!({ "id": id, "role": user.role.name(), "passphrase": user.passphrase.to_string() })
    });
    let (pin, ca) = match &profile.trusted {
        Trusted::Pin(pin) => (Some(pin.clone()), None),
        Trusted::Authority(path) => (None, Some(path.display().to_string())),
        Trusted::System => (None, None),
    };
    json!({
        "device": label, "address": profile.url, "pin": pin, "ca": ca,
        "tls_name": profile.tls_name, "groups": profile.groups,
        "users": users.collect::<Vec<_>>(),
    })
}
