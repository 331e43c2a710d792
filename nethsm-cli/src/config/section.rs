//! The sections of a device's settings, as they are read and written as a whole.

use clap::ValueEnum;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    LoggingConfig, NetworkConfigInput, NtpConfig, UnattendedBootConfig,
};

use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::report::to_value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    Network,
    Logging,
    Ntp,
    Time,
    UnattendedBoot,
}

impl Section {
    /// As on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or(String::new(), |value| value.get_name().to_owned())
    }
}

/// What a section is.
pub(crate) fn look(device: &mut Device, section: Section) -> Result<Value, Failure> {
    let admin = ADMINISTRATOR;
    match section {
        Section::Network => {
            to_value(&device.read(admin, "config_network_get", default_api::config_network_get)?)
        }
        Section::Logging => {
            to_value(&device.read(admin, "config_logging_get", default_api::config_logging_get)?)
        }
        Section::Ntp => {
            to_value(&device.read(admin, "config_ntp_get", default_api::config_ntp_get)?)
        }
        Section::Time => {
            to_value(&device.read(admin, "config_time_get", default_api::config_time_get)?)
        }
        Section::UnattendedBoot => to_value(&device.read(
            admin,
            "config_unattended_boot_get",
            default_api::config_unattended_boot_get,
        )?),
    }
}

/// Changes a whole section, by the device's names.
pub(crate) fn put(
    device: &mut Device,
    section: &str,
    whole: &Map<String, Value>,
) -> Result<(), Failure> {
    let whole = Value::Object(whole.clone());
    match section {
        "network" => put_network(device, &taken(section, whole)?),
        "logging" => put_logging(device, &taken(section, whole)?),
        "ntp" => put_ntp(device, &taken(section, whole)?),
        "unattended-boot" => put_unattended_boot(device, &taken(section, whole)?),
        other => Err(Failure::usage(format!(
            "[config.{other}]: there is no such section"
        ))),
    }
}

/// A section as devices take it.
fn taken<T: DeserializeOwned>(section: &str, whole: Value) -> Result<T, Failure> {
    serde_json::from_value(whole).map_err(|_| {
        Failure::usage(format!(
            "[config.{section}]: has not what a device takes; config export shows what it looks like"
        ))
    })
}

/// Its address. Whoever has none but the old one does not find it any more.
pub(super) fn put_network(device: &mut Device, wanted: &NetworkConfigInput) -> Result<(), Failure> {
    let address = &wanted.ip_address;
    device.confirm(
        &format!("will be found at {address}, and nowhere else"),
        "yes",
    )?;
    device.change(ADMINISTRATOR, "config_network_put", |asking| {
        default_api::config_network_put(asking, wanted.clone())
    })?;
    Ok(())
}

pub(super) fn put_logging(device: &mut Device, wanted: &LoggingConfig) -> Result<(), Failure> {
    device.change(ADMINISTRATOR, "config_logging_put", |asking| {
        default_api::config_logging_put(asking, wanted.clone())
    })?;
    Ok(())
}

pub(super) fn put_ntp(device: &mut Device, wanted: &NtpConfig) -> Result<(), Failure> {
    device.change(ADMINISTRATOR, "config_ntp_put", |asking| {
        default_api::config_ntp_put(asking, wanted.clone())
    })?;
    Ok(())
}

pub(super) fn put_unattended_boot(
    device: &mut Device,
    wanted: &UnattendedBootConfig,
) -> Result<(), Failure> {
    device.change(ADMINISTRATOR, "config_unattended_boot_put", |asking| {
        default_api::config_unattended_boot_put(asking, wanted.clone())
    })?;
    Ok(())
}
