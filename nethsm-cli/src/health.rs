//! Whether a device is well: `info`, `state`, `health …`, `status` and `wait`.

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use signstar_nethsm::sdk::apis::default_api;

use crate::certificates::shown;
use crate::device::{ADMINISTRATOR, As, Device};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::user::field;

/// How often a device is asked that is waited for.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub(crate) enum HealthVerb {
    /// Whether it lives, but does not sign: status 6 if not
    Alive,
    /// Whether it is operational: status 6 if not
    Ready,
    /// Unprovisioned, Locked, Operational or Failed
    State,
    /// What ails it, and its log (Administrator while it is operational)
    Diagnose,
}

#[derive(Args, Debug)]
pub(crate) struct Wait {
    /// For this state
    #[arg(long, value_enum, default_value = "Operational")]
    state: State,
    /// Give up after so many seconds, with status 6
    #[arg(long = "for", value_name = "SECONDS", default_value = "120")]
    seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum State {
    Unprovisioned,
    Locked,
    Operational,
    Failed,
}

#[derive(Args, Debug)]
pub(crate) struct StatusOptions {
    /// Look again, every so many seconds, until somebody ends it
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) watch: Option<u16>,
    /// End after so many looks
    #[arg(long, value_name = "COUNT", requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
}

pub(crate) fn info(device: &mut Device) -> Result<Report, Failure> {
    let info = device.read(As::Nobody, "info_get", default_api::info_get)?;
    Report::new(format!("{} {}\n", info.vendor, info.product), &info)
}

/// The state that the device shows: Unprovisioned, Locked, Operational or Failed.
pub(crate) fn state_of(device: &mut Device) -> Result<String, Failure> {
    let found = device.read(
        As::Nobody,
        "health_state_get",
        default_api::health_state_get,
    )?;
    Ok(found.state.to_string())
}

pub(crate) fn state(device: &mut Device) -> Result<Report, Failure> {
    let state = state_of(device)?;
    Report::new(format!("{state}\n"), &json!({ "state": state }))
}

pub(crate) fn health(device: &mut Device, verb: &HealthVerb) -> Result<Report, Failure> {
    match verb {
        HealthVerb::Alive => {
            device.read(
                As::Nobody,
                "health_alive_get",
                default_api::health_alive_get,
            )?;
            Ok(Report::done("alive", json!({ "alive": true })))
        }
        HealthVerb::Ready => {
            device.read(
                As::Nobody,
                "health_ready_get",
                default_api::health_ready_get,
            )?;
            Ok(Report::done("ready", json!({ "ready": true })))
        }
        HealthVerb::State => state(device),
        HealthVerb::Diagnose => {
            let state = state_of(device)?;
            let who = match state.as_str() {
                "Operational" => ADMINISTRATOR,
                _ => As::Nobody,
            };
            let found =
                device.read(who, "health_diagnose_get", default_api::health_diagnose_get)?;
            let running = if found.cluster_state.running {
                "runs"
            } else {
                "does not run"
            };
            let mut text = format!("state: {}\nstore: {running}\n", state);
            for line in &found.cluster_logs {
                let _ = writeln!(
                    text,
                    "{}: {}",
                    line.level,
                    line.msg.as_deref().unwrap_or("-")
                );
            }
            Report::new(text, &found)
        }
    }
}

/// One screen: what is public, and what an administrator sees where there is one.
pub(crate) fn status(device: &mut Device) -> Result<Report, Failure> {
    let state = state_of(device)?;
    let mut found = Map::new();
    found.insert("state".to_owned(), state.clone().into());
    let (until, _) = shown(device)?.1.until(SystemTime::now());
    found.insert("tls_until".to_owned(), until.into());
    if state == "Operational" && device.user(ADMINISTRATOR).is_ok() {
        let about = device.read(
            ADMINISTRATOR,
            "system_info_get",
            default_api::system_info_get,
        )?;
        found.insert("version".to_owned(), about.software_version.into());
        found.insert("device_id".to_owned(), about.device_id.into());
        let keys = device.read(ADMINISTRATOR, "keys_get", |asking| {
            default_api::keys_get(asking, None, None)
        })?;
        found.insert("keys".to_owned(), keys.len().into());
        let clock = device.read(
            ADMINISTRATOR,
            "config_time_get",
            default_api::config_time_get,
        )?;
        if let Some(seconds) = ahead(&clock.time) {
            found.insert("clock_ahead_seconds".to_owned(), seconds.into());
        }
    }
    let names = [
        "state",
        "version",
        "device_id",
        "keys",
        "clock_ahead_seconds",
        "tls_until",
    ];
    let known = names.iter().filter(|name| found.contains_key(**name));
    let found = Value::Object(found.clone());
    let text: String = known
        .map(|name| format!("{}: {}\n", name.replace('_', " "), field(&found, name)))
        .collect();
    Report::new(text, &found)
}

/// By how many seconds the device's clock is ahead of this machine's.
pub(crate) fn ahead(device: &str) -> Option<i64> {
    let device = humantime::parse_rfc3339(device).ok()?;
    let now = SystemTime::now();
    match device.duration_since(now) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).ok(),
        Err(behind) => i64::try_from(behind.duration().as_secs())
            .ok()
            .map(|late| -late),
    }
}

pub(crate) fn wait(device: &mut Device, options: &Wait) -> Result<Report, Failure> {
    let wanted = format!("{:?}", options.state);
    let begun = Instant::now();
    let limit = Duration::from_secs(options.seconds.into());
    loop {
        let found = state_of(device);
        let seen = match found {
            Ok(found) if found == wanted => {
                let waited = begun.elapsed().as_secs();
                let value = json!({ "state": wanted, "waited_seconds": waited });
                return Ok(Report::done(wanted, value));
            }
            Ok(found) => format!("is {found}"),
            // It restarts.
            Err(failure) if failure.status == Status::Unreachable => "cannot be reached".to_owned(),
            Err(failure) => return Err(failure),
        };
        if begun.elapsed() >= limit {
            let label = &device.label;
            let text = format!(
                "{label}: {seen}, and not {wanted} after {} s",
                options.seconds
            );
            return Err(Failure::new(Status::State, text));
        }
        sleep(INTERVAL.min(limit.saturating_sub(begun.elapsed())));
    }
}
