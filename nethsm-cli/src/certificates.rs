//! `certificates`: those that hang on keys, and the one by which the device proves who it is, with the day
//! on which they end.

use std::time::SystemTime;

use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signstar_nethsm::client::{ClientError, presented_certificate};
use signstar_nethsm::sdk::apis::default_api;

use crate::device::{Device, EITHER};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::table::table;
use crate::validity::{Validity, days_left, validity};

#[derive(Args, Debug)]
pub(crate) struct Certificates {
    /// Only those that end within so many days, or have ended: status 11 if there is one
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(0..=36_500))]
    expires_within: Option<u16>,
}

/// A certificate and what it is of: a key, or nothing for the device itself.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) key: Option<String>,
    /// Nothing where it is in no form that is known.
    pub(crate) validity: Option<Validity>,
}

impl Held {
    /// Whether it has ended or does within `days` from `now`.
    pub(crate) fn ends_within(&self, days: i64, now: SystemTime) -> bool {
        self.validity.is_some_and(|validity| {
            let until = validity.until;
            validity.over || until.is_some_and(|until| days_left(until, now) < days)
        })
    }

    /// The day, and how many are left.
    pub(crate) fn until(&self, now: SystemTime) -> (String, Option<i64>) {
        match self.validity {
            None => ("unknown".to_owned(), None),
            Some(Validity {
                until: Some(until), ..
            }) => {
                let text = humantime::format_rfc3339_seconds(until).to_string();
                (text, Some(days_left(until, now)))
            }
            Some(validity) if validity.over => ("over".to_owned(), None),
            Some(_) => ("never".to_owned(), None),
        }
    }
}

/// The certificate that the device shows to anybody.
pub(crate) fn shown(device: &Device) -> Result<(String, Held), Failure> {
    let address = device.profile.address()?;
    let der = presented_certificate(&address, device.manner.connect_wait);
    let der = der.map_err(|error| match error {
        ClientError::Settings(text) => Failure::usage(text),
        error => Failure::new(Status::Unreachable, format!("{}: {error}", device.label)),
    })?;
    let held = Held {
        key: None,
        validity: validity(&der, SystemTime::now()),
    };
    let digest = Sha256::digest(&der);
    Ok((
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        held,
    ))
}

/// The certificates of these keys; of one without there is nothing.
pub(crate) fn of_keys(device: &mut Device, ids: &[String]) -> Result<Vec<Held>, Failure> {
    let mut found = Vec::new();
    for id in ids {
        let bytes = device.read(EITHER, "keys_key_id_cert_get", |asking| {
            default_api::keys_key_id_cert_get(asking, id)
        });
        match bytes {
            Ok(bytes) => found.push(Held {
                key: Some(id.clone()),
                validity: validity(&bytes, SystemTime::now()),
            }),
            Err(failure) if failure.status == Status::Absent => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

pub(crate) fn certificates(device: &mut Device, options: &Certificates) -> Result<Report, Failure> {
    let now = SystemTime::now();
    let keys = device.read(EITHER, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    let ids: Vec<String> = keys.into_iter().map(|item| item.id).collect();
    let mut found = vec![shown(device)?.1];
    found.extend(of_keys(device, &ids)?);
    if let Some(days) = options.expires_within {
        found.retain(|held| held.ends_within(days.into(), now));
    }
    let status = match options.expires_within.is_some() && !found.is_empty() {
        true => Status::Attention,
        false => Status::Done,
    };
    let rows: Vec<[String; 4]> = found
        .iter()
        .map(|held| {
            let (until, days) = held.until(now);
            [
                held.key.clone().unwrap_or_else(|| "(TLS)".to_owned()),
                held.validity
                    .map_or("unknown", |validity| validity.kind)
                    .to_owned(),
                until,
                days.map_or_else(|| "-".to_owned(), |days| days.to_string()),
            ]
        })
        .collect();
    let values: Vec<Value> = found.iter().map(|held| value(held, now)).collect();
    let text = table(["OF", "KIND", "UNTIL", "DAYS LEFT"], &rows);
    Ok(Report::new(text, &json!({ "certificates": values }))?.ending_with(status))
}

fn value(held: &Held, now: SystemTime) -> Value {
    let until = held.validity.and_then(|validity| validity.until);
    let (_, days) = held.until(now);
    json!({
        "of": if held.key.is_some() { "key" } else { "tls" },
        "key": held.key,
        "kind": held.validity.map(|validity| validity.kind),
        "until": until.map(|until| humantime::format_rfc3339_seconds(until).to_string()),
        "days_left": days,
        "over": held.validity.map(|validity| validity.over),
    })
}
