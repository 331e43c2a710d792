//! The device itself: whether it is there, is the right one, works, knows its users, and its settings.

use std::time::SystemTime;

use signstar_nethsm::client::{Fingerprint, Trust};
use signstar_nethsm::sdk::apis::default_api;

use super::{Doctor, Findings, Level};
use crate::certificates::{Held, shown};
use crate::config::{self, Section};
use crate::device::{ADMINISTRATOR, ANYBODY, Device, METRICS};
use crate::failure::Status;
use crate::health::ahead;
use crate::health::state_of;
use crate::role::Role;
use crate::secret::Source;
use crate::user::field;

/// Releases whose ways are known here.
const MAJORS_KNOWN: std::ops::RangeInclusive<u32> = 3..=5;

/// Whether there is an operational device of which more can be asked.
pub(super) fn reachable(found: &mut Findings, device: &mut Device, options: &Doctor) -> bool {
    let Some((fingerprint, held)) = found.got("network", shown(device)) else {
        return false;
    };
    let label = device.label.clone();
    if let Ok(Trust::Pin(pin)) = device.profile.trust() {
        let other = fingerprint.parse::<Fingerprint>().ok() != Some(pin);
        let text = || {
            let text = format!(
                "shows another TLS certificate than the pinned one: find out why, then nethsm-cli device \
                 trust {label}"
            );
            (Level::Error, text)
        };
        found.look("tls", other.then(text));
        if other {
            return false;
        }
    }
    found.look("tls", ending(&held, options));
    let state = state_of(device);
    let Some(state) = found.got("state", state) else {
        return false;
    };
    let problem = match state.as_str() {
        "Operational" => None,
        "Locked" => Some("is Locked, keys cannot be used: nethsm-cli unlock"),
        "Unprovisioned" => Some("is Unprovisioned: nethsm-cli provision"),
        _ => Some("has failed: nethsm-cli health diagnose"),
    };
    found.look("state", problem.map(|text| (Level::Error, text.to_owned())));
    problem.is_none()
}

/// A TLS certificate that ends. Where it is pinned nobody here minds, but others do.
fn ending(held: &Held, options: &Doctor) -> Option<(Level, String)> {
    let now = SystemTime::now();
    let (until, _) = held.until(now);
    held.ends_within(options.expires_within.into(), now)
        .then(|| {
            let text = format!(
                "its TLS certificate ends {until}: nethsm-cli tls csr, then tls cert set and device trust"
            );
            (Level::Warning, text)
        })
}

/// Whether the device knows the users of the profile, with the roles that stand there.
pub(super) fn users(found: &mut Findings, device: &mut Device) {
    if let Some(id) = device.manner.user.clone() {
        user(found, device, &id, None);
        return;
    }
    for (id, known) in device.profile.users.clone() {
        if known.passphrase == Source::Prompt {
            let text = format!("{id}: its passphrase would have to be typed, it was not tried");
            found.look("users", Some((Level::Note, text)));
            continue;
        }
        user(found, device, &id, Some(known.role));
    }
}

fn user(found: &mut Findings, device: &mut Device, id: &str, role: Option<Role>) {
    let mut manner = device.manner.clone();
    manner.user = Some(id.to_owned());
    let mut one = Device::new(&device.label, device.profile.clone(), manner);
    match role {
        Some(Role::Metrics) => {
            let asked = one.read(METRICS, "metrics_get", default_api::metrics_get);
            if found.got("users", asked).is_some() {
                found.look("users", None);
            }
        }
        // A backup is asked for by them below.
        Some(Role::Backup) => {}
        role => {
            let asked = one.read(ANYBODY, "users_user_id_get", |asking| {
                default_api::users_user_id_get(asking, id)
            });
            let Some(asked) = found.got("users", asked) else {
                return;
            };
            let (is, profile) = (asked.role.to_string(), role.map(Role::name));
            let other = profile.filter(|profile| *profile != is).map(|profile| {
                let text = format!(
                    "{id}: is {is} on the device and {profile} in the profile: nethsm-cli cred add {id} --role {is}"
                );
                (Level::Error, text)
            });
            found.look("users", other);
        }
    }
}

/// Version, clock, log, start.
pub(super) fn settings(found: &mut Findings, device: &mut Device, options: &Doctor) {
    if let Err(failure) = device.user(ADMINISTRATOR) {
        found.got("settings", Err::<(), _>(failure));
        return;
    }
    let about = device.read(
        ADMINISTRATOR,
        "system_info_get",
        default_api::system_info_get,
    );
    if let Some(about) = found.got("version", about) {
        found.look("version", version(&about.software_version));
    }
    let clock = device.read(
        ADMINISTRATOR,
        "config_time_get",
        default_api::config_time_get,
    );
    if let Some(clock) = found.got("clock", clock) {
        let seconds = ahead(&clock.time).unwrap_or(i64::MAX);
        let far = seconds.unsigned_abs() > u64::from(options.clock_tolerance);
        let way = if seconds > 0 { "ahead of" } else { "behind" };
        let seconds = seconds.unsigned_abs();
        let text = format!("is {seconds} s {way} this machine: nethsm-cli config set time now");
        found.look("clock", far.then_some((Level::Warning, text)));
    }
    setting(found, device, Section::Logging, |value| {
        let none = field(value, "ipAddress") == "0.0.0.0";
        none.then_some((
            Level::Warning,
            "its log goes nowhere: nethsm-cli config set logging --address IP",
        ))
    });
    setting(found, device, Section::Ntp, |value| {
        field(value, "ntpIP").is_empty().then_some((
            Level::Note,
            "has no time server, its clock drifts: nethsm-cli config set ntp --address IP",
        ))
    });
    setting(found, device, Section::UnattendedBoot, |value| {
        Some(match field(value, "status").as_str() {
            "on" => (
                Level::Note,
                "starts without a passphrase: who takes it away can use its keys",
            ),
            _ => (
                Level::Note,
                "is Locked after every start: somebody must be able to nethsm-cli unlock it",
            ),
        })
    });
    refused(found, device);
}

fn setting(
    found: &mut Findings,
    device: &mut Device,
    section: Section,
    judge: impl Fn(&serde_json::Value) -> Option<(Level, &'static str)>,
) {
    let about = match section {
        Section::Logging => "log",
        Section::Ntp => "time server",
        _ => "start",
    };
    match config::look(device, section) {
        // Older devices have no NTP.
        Err(failure) if failure.status == Status::Absent => {}
        asked => {
            if let Some(value) = found.got(about, asked) {
                let problem = judge(&value);
                found.look(about, problem.map(|(level, text)| (level, text.to_owned())));
            }
        }
    }
}

fn version(text: &str) -> Option<(Level, String)> {
    let major = text.split('.').next().and_then(|major| major.parse().ok());
    let known = major.is_some_and(|major: u32| MAJORS_KNOWN.contains(&major));
    match (known, major) {
        (false, _) => Some((
            Level::Warning,
            "is of a version that is not known here: look for a newer nethsm-cli".to_owned(),
        )),
        (true, Some(..=4)) => Some((
            Level::Note,
            "is of a version without labels of keys and without time servers: nethsm-cli update"
                .to_owned(),
        )),
        (true, _) => None,
    }
}

/// Logins that the device has refused since it started: the device holds up whoever fails, for a second.
fn refused(found: &mut Findings, device: &mut Device) {
    if device.user(METRICS).is_err() {
        let text =
            "nobody in the profile reads metrics, refused logins are not seen: nethsm-cli cred add";
        found.look("logins", Some((Level::Note, text.to_owned())));
        return;
    }
    let asked = device.read(METRICS, "metrics_get", default_api::metrics_get);
    let Some(metrics) = found.got("logins", asked) else {
        return;
    };
    let count = |status: &str| {
        let text = field(&metrics, &format!("http response {status}"));
        text.parse::<u64>().unwrap_or(0)
    };
    let (refused, held) = (count("401"), count("429"));
    let problem = (refused + held > 0).then(|| {
        let text = format!(
            "logins were refused since it started ({refused}), and held up for that ({held}): look into its log"
        );
        (Level::Warning, text)
    });
    found.look("logins", problem);
}
