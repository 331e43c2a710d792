//! Which devices a command is for, by the command line and the profile.

use std::time::Duration;

use crate::cli::Globals;
use crate::device::{Device, Manner};
use crate::failure::Failure;
use crate::profile::{Profile, Profiles, Trusted};

/// The file with the devices.
pub(crate) fn profiles(globals: &Globals) -> Result<Profiles, Failure> {
    let path = globals
        .config
        .clone()
        .map_or_else(Profiles::default_path, Ok)?;
    Ok(Profiles::load(path)?)
}

/// What the command line says for every device.
pub(crate) fn manner(globals: &Globals) -> Manner {
    Manner {
        user: globals.user.clone(),
        namespace: globals.as_namespace.clone(),
        passphrase: globals.passphrase(),
        connect_wait: Duration::from_secs(globals.connect_timeout.into()),
        wait: globals.wait(),
        retries: globals.retries,
        parallel: globals.parallel.into(),
        dry_run: globals.dry_run,
        yes: globals.yes,
    }
}

/// What the command line says of certificates.
pub(crate) fn trusted(globals: &Globals) -> Option<Trusted> {
    match (&globals.pin, &globals.ca) {
        (Some(pin), _) => Some(Trusted::Pin(pin.clone())),
        (None, Some(path)) => Some(Trusted::Authority(path.clone())),
        (None, None) => None,
    }
}

/// The devices that are meant, each with what the command line says.
pub(crate) fn devices(globals: &Globals) -> Result<Vec<Device>, Failure> {
    if let Some(url) = &globals.url {
        if globals.all || !globals.devices.is_empty() {
            return Err(Failure::usage("either --url or devices of the profile"));
        }
        let profile = Profile::new(url, trusted(globals).unwrap_or(Trusted::System));
        let label = profile.address()?.to_string();
        return Ok(vec![Device::new(&label, profile, manner(globals))]);
    }
    let profiles = profiles(globals)?;
    let labels = labels(globals, &profiles)?;
    devices_of(globals, &profiles, &labels)
}

/// Devices of the profile by their names.
pub(crate) fn devices_of(
    globals: &Globals,
    profiles: &Profiles,
    labels: &[String],
) -> Result<Vec<Device>, Failure> {
    let trusted = trusted(globals);
    if labels.len() > 1 && trusted.is_some() {
        return Err(Failure::usage("--pin and --ca are for one device"));
    }
    let device = |label: &String| {
        let mut profile = profiles.device(label)?.clone();
        profile.trusted = trusted.clone().unwrap_or(profile.trusted);
        Ok(Device::new(label, profile, manner(globals)))
    };
    labels.iter().map(device).collect()
}

/// The labels that are meant, in the order in which they are named.
pub(crate) fn labels(globals: &Globals, profiles: &Profiles) -> Result<Vec<String>, Failure> {
    let mut labels: Vec<String> = Vec::new();
    let mut add = |label: &str| {
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    };
    for wanted in &globals.devices {
        let Some(group) = wanted.strip_prefix('@') else {
            profiles.device(wanted)?;
            add(wanted);
            continue;
        };
        let mut members = profiles
            .devices
            .iter()
            .filter(|(_, profile)| profile.groups.iter().any(|name| name == group))
            .peekable();
        if members.peek().is_none() {
            return Err(Failure::usage("there is no device in that group"));
        }
        members.for_each(|(label, _)| add(label));
    }
    if globals.all {
        profiles.devices.keys().for_each(|label| add(label));
    }
    let default = profiles.default.clone().or_else(|| {
        let only = profiles.devices.len() == 1;
        profiles.devices.keys().next().filter(|_| only).cloned()
    });
    match (labels.is_empty(), default) {
        (false, _) => Ok(labels),
        (true, Some(label)) => {
            profiles.device(&label)?;
            Ok(vec![label])
        }
        (true, None) => Err(Failure::usage(
            "no device is named: give --device or --url, or nethsm-cli device default LABEL",
        )),
    }
}
