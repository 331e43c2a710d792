//! `selftest`: a device from the factory does everything once, and is emptied again.
//!
//! For whoever has unpacked a device or mended it. What it signs is verified here, by other code than the
//! device's; what it encrypts it must decrypt.

mod steps;

use std::thread::sleep;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use signstar_nethsm::sdk::apis::default_api;
use zeroize::Zeroizing;

use crate::certificates::shown;
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::{Failure, Status};
use crate::health::state_of;
use crate::report::Report;
use steps::{STEPS, provision};

/// Long enough that nobody guesses them in the seconds for which they hold.
const PASSPHRASE_BYTES: usize = 16;
/// How long a device may take to come back, and how often it is looked for.
const RESTART_WAIT: Duration = Duration::from_secs(180);
const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// The same device, asked by each of its users.
struct Asked {
    admin: Device,
    operator: Device,
    backup: Device,
}

impl Asked {
    fn new(device: &Device) -> Result<Self, Failure> {
        let user = |id: &str| {
            let mut manner = device.manner.clone();
            (manner.namespace, manner.passphrase) = (None, None);
            manner.user = Some(id.to_owned());
            let mut one = Device::new(&device.label, device.profile.clone(), manner);
            one.knows(id, passphrase()?);
            Ok::<_, Failure>(one)
        };
        Ok(Self {
            admin: user("admin")?,
            operator: user("operator")?,
            backup: user("backup")?,
        })
    }
}

/// A random one.
fn passphrase() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0; PASSPHRASE_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(Failure::failed)?;
    Ok(Zeroizing::new(Base64::encode_string(bytes.as_slice())))
}

fn wrong(what: &str) -> Failure {
    Failure::new(Status::Wrong, what)
}

pub(crate) fn selftest(device: &mut Device) -> Result<Report, Failure> {
    let state = state_of(device)?;
    if state != "Unprovisioned" {
        let text = format!(
            "{}: is {}: only an Unprovisioned device is tried out, since it is emptied",
            device.label, state
        );
        return Err(Failure::new(Status::State, text));
    }
    device.confirm(
        "is provisioned, tried out and emptied: its TLS key goes",
        "yes",
    )?;
    device.rehearse("provision_post")?;
    let mut asked = Asked::new(device)?;
    provision(&mut asked)?;
    let mut done: Vec<(&str, Option<String>)> = vec![("provisioning", None)];
    for (name, step) in STEPS {
        let problem = step(&mut asked).err().map(|failure| failure.text);
        done.push((name, problem));
    }
    let before = shown(device).ok().map(|(fingerprint, _)| fingerprint);
    // Whatever happened: nobody knows its passphrases.
    let reset = asked.admin.change(
        ADMINISTRATOR,
        "system_factory_reset_post",
        default_api::system_factory_reset_post,
    );
    done.push(("factory reset", reset.err().map(|failure| failure.text)));
    let started = match restarts(device, before.as_deref()) {
        true => None,
        false => Some("it has not come back".to_owned()),
    };
    done.push(("restart", started));
    report(&device.label, &done)
}

/// Whether the device comes back with another certificate.
fn restarts(device: &Device, before: Option<&str>) -> bool {
    let end = Instant::now() + RESTART_WAIT;
    while Instant::now() < end {
        if shown(device).is_ok_and(|(fingerprint, _)| Some(fingerprint.as_str()) != before) {
            return true;
        }
        sleep(RESTART_PAUSE);
    }
    false
}

fn report(label: &str, done: &[(&str, Option<String>)]) -> Result<Report, Failure> {
    let line = |(name, problem): &(&str, Option<String>)| match problem {
        None => format!("{name}: good\n"),
        Some(problem) => format!("{name}: BAD: {problem}\n"),
    };
    let text: String = done.iter().map(line).collect();
    let steps: Vec<Value> = done
        .iter()
        .map(|(name, problem)| json!({ "step": name, "problem": problem }))
        .collect();
    let status = match done.iter().all(|(_, problem)| problem.is_none()) {
        true => Status::Done,
        false => Status::Wrong,
    };
    let end = format!("next, for its new TLS key: nethsm-cli device trust {label}\n");
    Ok(Report::new(format!("{text}{end}"), &json!({ "steps": steps }))?.ending_with(status))
}
