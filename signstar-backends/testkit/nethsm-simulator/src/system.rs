//! The system: `/system` but backups.

use crate::access::Access;
use crate::device::{Device, Power, State, Update};
use crate::exchange::{Answer, Refusal};
use crate::health::digest;
use crate::json::writer::{object, string};
use crate::resource::{ALL_STATES, Call, Limit, Resource};
use crate::update_image;

/// The build that the recordings are of.
const BUILD: &str = "scratch-4e192fb";

const OPERATIONAL_OR_FAILED: &[State] = &[State::Operational, State::Failed];

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "system/info",
        &[("GET", "system_info_get"), ("HEAD", "")],
        Access::RootAdministrator,
        |device, _| Ok(Answer::Body(info(device))),
    )
    .cacheable()
    .etag(|device, _| Some(digest(&info(device)))),
    Resource::new(
        "system/reboot",
        &[("POST", "system_reboot_post")],
        Access::RootAdministratorUnlessFailed,
        |device, _| leave(device, Power::Reboot),
    )
    .states(OPERATIONAL_OR_FAILED),
    Resource::new(
        "system/shutdown",
        &[("POST", "system_shutdown_post")],
        Access::PublicUnlessOperational,
        |device, _| leave(device, Power::Shutdown),
    )
    .states(ALL_STATES),
    Resource::new(
        "system/factory-reset",
        &[("POST", "system_factory_reset_post")],
        Access::RootAdministratorUnlessFailed,
        |device, _| leave(device, Power::FactoryReset),
    )
    .states(OPERATIONAL_OR_FAILED),
    Resource::new(
        "system/update",
        &[("POST", "system_update_post")],
        Access::RootAdministrator,
        update,
    )
    .limit(Limit::None),
    Resource::new(
        "system/commit-update",
        &[("POST", "system_commit_update_post")],
        Access::RootAdministrator,
        commit,
    ),
    Resource::new(
        "system/cancel-update",
        &[("POST", "system_cancel_update_post")],
        Access::RootAdministrator,
        cancel,
    ),
];

fn info(device: &Device) -> Vec<u8> {
    let (major, minor) = device.software;
    object([
        ("softwareVersion", string(format!("{major}.{minor}"))),
        ("softwareBuild", string(BUILD)),
        ("firmwareVersion", string("N/A")),
        ("hardwareVersion", string("N/A")),
        ("deviceId", string(&device.device_id)),
        ("akPub", object([])),
        ("pcr", object([])),
    ])
}

/// Answers first, then goes.
fn leave(device: &mut Device, power: Power) -> Result<Answer, Refusal> {
    device.write_operations()?;
    device.power = Some(power);
    Ok(Answer::Done)
}

fn update(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if device.update.is_some() {
        return Err(Refusal::new(409, "Update already in progress."));
    }
    let image = update_image::parse(call.body(), device.options.update_key.as_deref())?;
    if image.version.0 < device.software.0 {
        let message = "Software version downgrade not allowed.";
        return Err(Refusal::new(409, message));
    }
    let notes = object([("releaseNotes", string(&image.notes))]);
    device.update = Some(Update {
        version: image.version,
    });
    Ok(Answer::Body(notes))
}

fn none_pending() -> Refusal {
    Refusal::new(
        412,
        "No update available. Please upload a system image to /system/update.",
    )
}

fn commit(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let update = device.update.take().ok_or_else(none_pending)?;
    device.software = update.version;
    leave(device, Power::Reboot)
}

fn cancel(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    device.update.take().ok_or_else(none_pending)?;
    Ok(Answer::Done)
}
