//! `system …`: the device itself.

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;

use crate::device::{ADMINISTRATOR, As, Device};
use crate::failure::Failure;
use crate::health::state_of;
use crate::report::{Report, counted};
use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum SystemVerb {
    /// Versions, device id, measurements of the boot (Administrator)
    Info,
    /// Restart the device (Administrator; nobody when it has failed)
    Reboot,
    /// Switch the device off: somebody has to go there to switch it on (Administrator while it is
    /// operational)
    Shutdown,
    /// Delete every key, user and setting, and restart (Administrator; nobody when it has failed)
    ///
    /// Wants the device's id written, or given by --confirm.
    FactoryReset(FactoryReset),
}

#[derive(Args, Debug)]
pub(crate) struct FactoryReset {
    /// The id of the device that is to be emptied, instead of asking for it
    #[arg(long, value_name = "DEVICE-ID")]
    confirm: Option<String>,
}

/// Who has to ask for what nobody has to be asked for when nobody is known.
fn whoever_may(device: &mut Device, always: bool) -> Result<As, Failure> {
    let state = state_of(device)?;
    Ok(match state.as_str() {
        "Operational" => ADMINISTRATOR,
        "Failed" => As::Nobody,
        _ if always => As::Nobody,
        _ => ADMINISTRATOR,
    })
}

pub(crate) fn system(device: &mut Device, verb: &SystemVerb) -> Result<Report, Failure> {
    match verb {
        SystemVerb::Info => {
            let about = device.read(
                ADMINISTRATOR,
                "system_info_get",
                default_api::system_info_get,
            )?;
            let text = format!(
                "software: {} ({})\nfirmware: {}\nhardware: {}\ndevice id: {}\n",
                about.software_version,
                about.software_build,
                about.firmware_version,
                about.hardware_version,
                about.device_id
            );
            Report::new(text, &about)
        }
        SystemVerb::Reboot => {
            let who = whoever_may(device, false)?;
            device.confirm("restarts, and cannot be used meanwhile", "yes")?;
            device.change(who, "system_reboot_post", default_api::system_reboot_post)?;
            Ok(Report::done("restarts", json!({ "restarts": true })))
        }
        SystemVerb::Shutdown => {
            let who = whoever_may(device, true)?;
            device.confirm("goes off: somebody has to go there to switch it on", "yes")?;
            device.change(
                who,
                "system_shutdown_post",
                default_api::system_shutdown_post,
            )?;
            Ok(Report::done("goes off", json!({ "off": true })))
        }
        SystemVerb::FactoryReset(options) => factory_reset(device, options),
    }
}

fn factory_reset(device: &mut Device, options: &FactoryReset) -> Result<Report, Failure> {
    let who = whoever_may(device, false)?;
    // A failed device does not say who it is.
    let (id, gone) = match who {
        As::Nobody => ("reset".to_owned(), "every key, user and setting".to_owned()),
        As::A(_) => {
            let about = device.read(who, "system_info_get", default_api::system_info_get)?;
            let users = device.read(who, "users_get", default_api::users_get)?;
            let keys = device.read(who, "keys_get", |asking| {
                default_api::keys_get(asking, None, None)
            })?;
            let (keys, users) = (counted(keys.len(), "key"), counted(users.len(), "user"));
            let gone = format!("{keys} outside of namespaces, {users}, every setting");
            (about.device_id, gone)
        }
    };
    match &options.confirm {
        Some(given) if *given == id => {}
        Some(_) => {
            let text = format!("{}: --confirm must be its device id, {id}", device.label);
            return Err(Failure::usage(text));
        }
        None if device.manner.dry_run => {}
        None => {
            let what = format!("{}: will be gone for ever: {gone}", device.label);
            // --yes is not enough: it may stand in a variable.
            if !terminal::is_there() {
                return Err(Failure::usage(format!(
                    "{what}: nobody is there to confirm it: give --confirm {id} if you are sure"
                )));
            }
            terminal::confirm(&what, &id)?;
        }
    }
    device.change(
        who,
        "system_factory_reset_post",
        default_api::system_factory_reset_post,
    )?;
    let text = format!(
        "emptied, and restarts with a new TLS key: nethsm-cli device trust {}",
        device.label
    );
    Ok(Report::done(
        text,
        json!({ "device_id": id, "reset": true }),
    ))
}
