//! `metrics`: counters of devices, for people, programs and Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use signstar_nethsm::sdk::apis::default_api;

use crate::certificates::shown;
use crate::device::{Device, METRICS};
use crate::failure::{Failure, Status};
use crate::health::state_of;
use crate::new_file;
use crate::report::{Report, to_value};
use crate::several::{in_parallel, own_words};

#[derive(Args, Debug)]
pub(crate) struct Metrics {
    /// For people and programs, or for Prometheus
    #[arg(long, value_enum, default_value = "plain")]
    format: Format,
    /// Write them to this file for a collector of text files, as a whole and for all devices (implies
    /// --format prometheus)
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    textfile: Option<PathBuf>,
    /// Answer Prometheus at this address, until somebody ends it
    ///
    /// There is neither TLS nor a password: let it be an address of loopback, or put a proxy before it.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9820")]
    pub(crate) listen: Option<SocketAddr>,
}

impl Metrics {
    /// Whether all devices go into one text.
    pub(crate) fn together(&self) -> bool {
        self.format == Format::Prometheus || self.textfile.is_some() || self.listen.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As --output says
    Plain,
    /// Prometheus' text format
    Prometheus,
}

/// Of one device.
pub(crate) fn metrics(device: &mut Device) -> Result<Report, Failure> {
    let found = device.read(METRICS, "metrics_get", default_api::metrics_get)?;
    let fields = found.as_object().cloned().unwrap_or_default();
    let text: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.as_str().unwrap_or_default()))
        .collect();
    Report::new(text, &to_value(&found)?)
}

/// What is known of a device at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) label: String,
    up: bool,
    state: Option<String>,
    tls_until: Option<SystemTime>,
    fields: Map<String, Value>,
    /// Its counters were read.
    complete: bool,
    /// Why that is not all.
    pub(crate) failure: Option<Failure>,
}

/// Looks at a device. `ask` says whether its users may be asked: a passphrase that was refused is not
/// tried again.
pub(crate) fn look(device: &mut Device, ask: bool) -> Seen {
    let mut seen = Seen {
        label: device.label.clone(),
        ..Seen::default()
    };
    if let Err(failure) = fill(&mut seen, device, ask) {
        seen.failure = Some(failure);
    }
    seen
}

fn fill(seen: &mut Seen, device: &mut Device, ask: bool) -> Result<(), Failure> {
    let state = state_of(device)?;
    seen.up = true;
    seen.state = Some(state.clone());
    let validity = shown(device)?.1.validity;
    seen.tls_until = validity.and_then(|validity| validity.until);
    if state == "Operational" && ask {
        let found = device.read(METRICS, "metrics_get", default_api::metrics_get)?;
        seen.fields = found.as_object().cloned().unwrap_or_default();
        seen.complete = true;
    }
    Ok(())
}

/// For Prometheus: written to a file or to standard output. A device that does not answer is in it, as one
/// that is not up.
pub(crate) fn together(
    devices: &mut [Device],
    parallel: usize,
    options: &Metrics,
) -> Result<Report, Failure> {
    let seen = in_parallel(devices, parallel, &|device: &mut Device| look(device, true));
    let seen: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).collect();
    for one in &seen {
        if let Some(failure) = &one.failure {
            log::warn!("{}: {}", one.label, own_words(&one.label, failure));
        }
    }
    let status = seen.iter().find_map(|one| one.failure.as_ref());
    let status = status.map_or(Status::Done, |failure| failure.status);
    let text = prometheus(&seen);
    let report = match &options.textfile {
        None => {
            let value = json!({ "prometheus": text });
            Report::new(text, &value)?
        }
        Some(path) => {
            new_file::write(path, text.as_bytes(), new_file::PUBLIC)?;
            let name = path.display().to_string();
            let count = text.len();
            Report::done(
                format!("wrote {name}"),
                json!({ "file": name, "bytes": count }),
            )
        }
    };
    Ok(report.ending_with(status))
}

/// Labels and values of a metric, by its name.
type Samples = BTreeMap<String, Vec<(String, f64)>>;

/// The text format, version 0.0.4: a gauge for each metric, since devices do not say which of theirs only
/// grow, and none starts again but with the device.
pub(crate) fn prometheus(seen: &[Seen]) -> String {
    let mut samples = Samples::new();
    for one in seen {
        let escaped = one.label.replace('\\', "\\\\").replace('"', "\\\"");
        let device = format!("device=\"{escaped}\"");
        let mut add = |name: &str, labels: String, value: f64| {
            let name = format!("nethsm_{name}");
            samples.entry(name).or_default().push((labels, value));
        };
        add("up", device.clone(), f64::from(u8::from(one.up)));
        if let Some(state) = &one.state {
            add("state", format!("{device},state=\"{state}\""), 1.0);
            let complete = f64::from(u8::from(one.complete));
            add("complete", device.clone(), complete);
        }
        if let Some(until) = one.tls_until {
            let until = until.duration_since(UNIX_EPOCH).unwrap_or_default();
            add("tls_not_after_seconds", device.clone(), until.as_secs_f64());
        }
        for (name, value) in &one.fields {
            let number = value.as_str().and_then(|text| text.parse::<f64>().ok());
            let Some(number) = number.or_else(|| value.as_f64()) else {
                continue;
            };
            // Responses are counted by status: that is a label.
            match name.strip_prefix("http response ") {
                Some(status) if status.bytes().all(|byte| byte.is_ascii_digit()) => {
                    add(
                        "http_responses",
                        format!("{device},status=\"{status}\""),
                        number,
                    );
                }
                _ => add(&plain(name), device.clone(), number),
            }
        }
    }
    let mut text = String::new();
    for (name, values) in samples {
        let _ = writeln!(text, "# TYPE {name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{{{labels}}} {value}");
        }
    }
    text
}

/// A name as Prometheus takes it.
fn plain(name: &str) -> String {
    let plain = |char: char| match char.is_ascii_alphanumeric() {
        true => char,
        false => '_',
    };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_what_prometheus_reads_and_each_has_its_place_once() {
        let value = json!({
            "http response 200": "3", "http response 404": "1", "sign": "7", "uptime": "12.5",
            "version": "x",
        });
        let one = Seen {
            label: "one".to_owned(),
            up: true,
            complete: true,
            state: Some("Operational".to_owned()),
            fields: value.as_object().unwrap().clone(),
            ..Seen::default()
        };
        let two = Seen {
            label: "t\"wo".to_owned(),
            failure: Some(Failure::failed("x")),
            ..Seen::default()
        };
        assert_eq!(
            prometheus(&[one, two]),
            "# TYPE nethsm_complete gauge\nnethsm_complete{device=\"one\"} 1\n\
             # TYPE nethsm_http_responses gauge\n\
             nethsm_http_responses{device=\"one\",status=\"200\"} 3\n\
             nethsm_http_responses{device=\"one\",status=\"404\"} 1\n\
             # TYPE nethsm_sign gauge\nnethsm_sign{device=\"one\"} 7\n\
             # TYPE nethsm_state gauge\nnethsm_state{device=\"one\",state=\"Operational\"} 1\n\
             # TYPE nethsm_up gauge\nnethsm_up{device=\"one\"} 1\nnethsm_up{device=\"t\\\"wo\"} 0\n\
             # TYPE nethsm_uptime gauge\nnethsm_uptime{device=\"one\"} 12.5\n"
        );
    }
}
