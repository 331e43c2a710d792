//! What the login shell takes, and is unwise all the same.

use std::time::{Duration, SystemTime};

use signstar::config::{Config, SinkChoice};
use signstar_core::SigningKey;

use crate::finding::{Findings, Weight};

/// Whoever publishes a certificate needs some weeks until verifiers have it.
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 86_400);

/// A key that will end soon.
pub(super) fn of_certificate(findings: &mut Findings, name: &str, key: &SigningKey) {
    let soon = SystemTime::now() + EXPIRES_SOON;
    if key.expires().is_some_and(|end| end < soon) {
        let text = format!(
            "[key.{name}] its certificate expires within 30 days: extend and publish it \
             (`signstar-admin cert extend --key {name}`)"
        );
        findings.add(Weight::Advice, text);
    }
}

/// Values that are allowed.
pub(super) fn of_configuration(findings: &mut Findings, config: &Config) {
    if config.audit.sink == SinkChoice::Stderr {
        let text = "[audit] only callers see the records: choose journald, syslog or file";
        findings.add(Weight::Advice, text);
    }
    if config.users.is_empty() {
        let text = "nobody may ask for signatures: add a [user.NAME]";
        findings.add(Weight::Advice, text);
    }
    for name in config.keys.keys() {
        let has_user = config.users.values().any(|user| user.key == *name);
        if !has_user && !config.users.is_empty() {
            let text = format!("[key.{name}] no account signs with it: add one, or remove the key");
            findings.add(Weight::Advice, text);
        }
    }
    for (name, user) in &config.users {
        if user.bounds.deadline_seconds <= user.bounds.progress_seconds {
            let text = "the pace of an upload is never judged: make progress-seconds less than \
                        deadline-seconds";
            findings.add_for(name, Weight::Advice, text);
        }
        let slowest = user.bounds.progress_bytes / user.bounds.progress_seconds;
        let needed = user.input_bytes_max / user.bounds.deadline_seconds;
        if needed > FASTEST_BYTES_PER_SECOND && slowest < needed {
            let text = "the largest artifact cannot arrive in time: raise deadline-seconds or \
                        lower input-bytes-max";
            findings.add_for(name, Weight::Advice, text);
        }
    }
}

/// No link and no hash is faster: 10 Gbit/s.
const FASTEST_BYTES_PER_SECOND: u64 = 1_250_000_000;
