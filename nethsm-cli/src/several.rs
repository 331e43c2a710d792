//! One device, or several at once with one answer.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use serde_json::{Value, json};

use crate::cli::{Globals, Verb};
use crate::device::Device;
use crate::failure::{Failure, Status};
use crate::progress::Count;
use crate::report::Report;
use crate::screen;
use crate::table::table;

/// Asks each of the devices. Of several, each has its part in the report, and the first failure is
/// what the program ends with.
pub(crate) fn ask(
    devices: &mut [Device],
    globals: &Globals,
    verb: &Verb,
    ask: impl Fn(&mut Device) -> Result<Report, Failure> + Sync,
) -> Result<Report, Failure> {
    if let [device] = devices {
        return ask(device);
    }
    screen::indent(2);
    let count = Count::of("devices", devices.len());
    let asked = |device: &mut Device| {
        let part = ask(device);
        count.one_more();
        part
    };
    let parts = in_parallel(devices, usize::from(globals.parallel), &asked);
    drop(count);
    screen::indent(0);
    let status = parts
        .iter()
        .map(|(_, part)| {
            part.as_ref()
                .map_or_else(|failure| failure.status, |report| report.status)
        })
        .find(|status| *status != Status::Done)
        .unwrap_or(Status::Done);
    let text = match verb {
        Verb::Status(_) => status_table(&parts),
        _ => parts.iter().map(text).collect(),
    };
    let values: Vec<Value> = parts.iter().map(value).collect();
    Ok(Report::new(text, &json!({ "devices": values }))?.ending_with(status))
}

type Part = (String, Result<Report, Failure>);

/// Does `work` with every item, some at a time, in order.
pub(crate) fn in_parallel<R: Send>(
    devices: &mut [Device],
    at_once: usize,
    work: &(impl Fn(&mut Device) -> R + Sync),
) -> Vec<(String, R)> {
    let count = devices.len();
    let labels: Vec<String> = devices.iter().map(|device| device.label.clone()).collect();
    let waiting = Mutex::new(devices.iter_mut().enumerate());
    let done = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..at_once.min(count) {
            scope.spawn(|| {
                loop {
                    let next = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .next();
                    let Some((place, device)) = next else { return };
                    let result = work(device);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    labels
        .into_iter()
        .zip(done.into_iter().map(|(_, result)| result))
        .collect()
}

fn text((label, part): &Part) -> String {
    match part {
        Ok(report) => {
            let text = String::from_utf8_lossy(&report.text);
            match text.trim_end().contains('\n') {
                _ if text.trim_end().is_empty() => format!("{label}: nothing\n"),
                false => format!("{label}: {}\n", text.trim_end()),
                true => {
                    let lines = text.lines().map(|line| format!("  {line}"));
                    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
                    format!("{label}:\n{}\n", lines.join("\n"))
                }
            }
        }
        Err(failure) => format!("{label}: failed: {}\n", own_words(label, failure)),
    }
}

/// Without the device's name, which stands before it already.
pub(crate) fn own_words<'a>(label: &str, failure: &'a Failure) -> &'a str {
    let text = failure.text.strip_prefix(label);
    text.and_then(|text| text.strip_prefix(": "))
        .unwrap_or(&failure.text)
}

fn value((label, part): &Part) -> Value {
    match part {
        Ok(report) => json!({
            "device": label, "exit": report.status.code(), "result": report.value,
        }),
        Err(failure) => json!({
            "device": label, "exit": failure.status.code(), "problem": own_words(label, failure),
        }),
    }
}

/// One line a device.
fn status_table(parts: &[Part]) -> String {
    let rows: Vec<[String; 6]> = parts
        .iter()
        .map(|(label, part)| match part {
            Ok(report) => {
                let of = |name: &str| match report.value.get(name) {
                    Some(Value::String(text)) => text.clone(),
                    Some(Value::Number(number)) => number.to_string(),
                    _ => "-".to_owned(),
                };
                [
                    label.clone(),
                    of("state"),
                    of("version"),
                    of("keys"),
                    of("clock_ahead_seconds"),
                    of("tls_until"),
                ]
            }
            Err(failure) => {
                let problem = own_words(label, failure).to_owned();
                let none = || "-".to_owned();
                [label.clone(), problem, none(), none(), none(), none()]
            }
        })
        .collect();
    table(
        [
            "DEVICE",
            "STATE",
            "VERSION",
            "KEYS",
            "CLOCK AHEAD (S)",
            "TLS UNTIL",
        ],
        &rows,
    )
}
