//! The textfile collector's form: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::{Check, Whole};

/// A measure of a check, by its name there, as a metric: name, kind, help.
const METRICS: [(&str, &str, &str, &str); 7] = [
    (
        "expires",
        "signstar_certificate_expiry_timestamp_seconds",
        "gauge",
        "When the certificate of a key expires; absent if never.",
    ),
    (
        "days_left",
        "signstar_certificate_days_left",
        "gauge",
        "Whole days until the certificate of a key expires.",
    ),
    (
        "pin_tries",
        "signstar_device_pin_tries",
        "gauge",
        "How often the PIN of a key's device may still be wrong.",
    ),
    (
        "signatures",
        "signstar_device_signatures_total",
        "counter",
        "Signatures that a key has made, as its device counts them.",
    ),
    (
        "free_bytes",
        "signstar_sink_free_bytes",
        "gauge",
        "By how much the audit file may still grow.",
    ),
    (
        "unmatched_intents",
        "signstar_unmatched_intents",
        "gauge",
        "Intents without an outcome in the records.",
    ),
    (
        "log_problems",
        "signstar_log_problems",
        "gauge",
        "Other problems of the records.",
    ),
];

pub(super) fn text(whole: &Whole, now: SystemTime) -> String {
    let mut text = String::new();
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = seconds.unwrap_or(Duration::ZERO).as_secs();
    let help = "When this was looked at.";
    let name = "signstar_health_timestamp_seconds";
    family(&mut text, name, "gauge", help, [(String::new(), seconds)]);
    let states = whole.checks.iter();
    let states = states.map(|check| (labels(check, true), check.state.number().into()));
    let help = "0 is well, 1 a warning, 2 critical, 3 unknown.";
    family(&mut text, "signstar_health_state", "gauge", help, states);
    for (measure, name, kind, help) in METRICS {
        let checks = whole.checks.iter();
        let values = checks.filter_map(|check| {
            let value = check.measures.get(measure)?;
            Some((labels(check, false), *value))
        });
        family(&mut text, name, kind, help, values);
    }
    text
}

/// All values of one metric, if there are any.
fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    values: impl IntoIterator<Item = (String, u64)>,
) {
    let mut values = values.into_iter().peekable();
    if values.peek().is_none() {
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in values {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

/// A key's name needs no escapes: the configuration allows none that would.
fn labels(check: &Check, with_name: bool) -> String {
    let name = with_name.then(|| format!("check=\"{}\"", check.check));
    let key = check.key.as_ref().map(|key| format!("key=\"{key}\""));
    let labels: Vec<String> = name.into_iter().chain(key).collect();
    match labels.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", labels.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/monitoring.md");

    #[test]
    fn every_metric_is_documented_in_its_order() {
        let (_, section) = PAGE.split_once("\n| metric | labels | what |\n").unwrap();
        let rows = section
            .lines()
            .skip(1)
            .map_while(|line| line.strip_prefix("| `"));
        let documented: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
        let first = ["signstar_health_timestamp_seconds", "signstar_health_state"];
        let known: Vec<&str> = first
            .into_iter()
            .chain(METRICS.map(|(_, name, ..)| name))
            .collect();
        assert_eq!(documented, known);
    }
}
