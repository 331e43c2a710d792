//! Counters: `/metrics`.
//!
//! The numbers about the device's garbage collector, log and key-value store are made up: zero.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::access::Access;
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::json::writer::{object, string};
use crate::resource::{Call, Resource};

pub(crate) const RESOURCES: &[Resource] = &[Resource::new(
    "metrics",
    &[("GET", "metrics_get"), ("HEAD", "")],
    Access::Metrics,
    show,
)];

/// What is done with keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyUse {
    Generate,
    Sign,
    Decrypt,
    Encrypt,
}

/// Counters since the device started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Absent before the first.
    uses: Option<[u64; 4]>,
    statuses: BTreeMap<u16, u64>,
    /// Seconds, of which older ones count less and less.
    response_time: f64,
}

impl Metrics {
    /// Counts the use of a key.
    pub(crate) fn used(&mut self, key_use: KeyUse) {
        let [generate, sign, decrypt, encrypt] = self.uses.get_or_insert_default();
        let counter = match key_use {
            KeyUse::Generate => generate,
            KeyUse::Sign => sign,
            KeyUse::Decrypt => decrypt,
            KeyUse::Encrypt => encrypt,
        };
        *counter += 1;
    }

    /// Counts an answer.
    pub(crate) fn answered(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
    }

    /// Takes in how long an answer took.
    pub(crate) fn took(&mut self, time: Duration) {
        self.response_time = 0.7 * self.response_time + 0.3 * time.as_secs_f64();
    }
}

fn show(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let metrics = &device.metrics;
    let uptime = device.clock.elapsed().as_secs();
    let mut lines: Vec<(String, String)> = vec![("uptime".to_owned(), uptime.to_string())];
    for made_up in [
        "log warnings",
        "log errors",
        "gc major bytes",
        "gc major collections",
        "gc minor collections",
        "gc compactions",
        "kv write",
    ] {
        lines.push((made_up.to_owned(), "0".to_owned()));
    }
    if let Some(uses) = metrics.uses {
        for (name, count) in ["generate", "sign", "decrypt", "encrypt"].iter().zip(uses) {
            lines.push(((*name).to_owned(), count.to_string()));
        }
    }
    let mut total = 0;
    for (status, count) in &metrics.statuses {
        lines.push((format!("http response {status}"), count.to_string()));
        total += count;
    }
    if total > 0 {
        lines.push(("http response total".to_owned(), total.to_string()));
        let time = format!("{:.7}", metrics.response_time);
        lines.push(("http response time".to_owned(), time));
    }
    let fields = lines
        .iter()
        .map(|(name, value)| (name.as_str(), string(value)));
    Ok(Answer::Body(object(fields)))
}
