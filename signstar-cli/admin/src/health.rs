//! `health`: what a monitoring system wants to know, in its forms.
//!
//! Nothing here costs a try of a PIN, signs, or leaves a record.

mod certificate;
mod credential;
mod device;
mod log;
mod prometheus;
mod sink;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use crate::audit::words;
use crate::cli::Health;
use crate::failure::{Failure, Status};
use crate::new_file::{Existing, NewFile};
use crate::report::Report;
use crate::settings::Settings;

/// How something is. The worst one counts; what is unknown may be worse than what is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Ok,
    Warning,
    Unknown,
    Critical,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// What: `certificate`, `credential`, `device`, `sink`, `log` or `configuration`.
    check: &'static str,
    /// Of which key of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    state: State,
    text: String,
    /// Names and values of what was measured.
    #[serde(flatten)]
    measures: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Whole {
    state: State,
    checks: Vec<Check>,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }

    /// The number that Nagios has for it.
    const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    const fn status(self) -> Option<Status> {
        match self {
            Self::Ok => None,
            Self::Warning => Some(Status::Warning),
            Self::Critical => Some(Status::Critical),
            Self::Unknown => Some(Status::Unknown),
        }
    }
}

impl Check {
    fn new(check: &'static str, state: State, text: impl ToString) -> Self {
        Self {
            check,
            key: None,
            state,
            text: text.to_string(),
            measures: BTreeMap::new(),
        }
    }

    fn of_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    fn measuring(mut self, name: &'static str, value: u64) -> Self {
        self.measures.insert(name, value);
        self
    }

    /// With its key in front.
    fn line(&self) -> String {
        let key = self.key.as_ref();
        let key = key.map_or(String::new(), |key| format!("[key.{key}] "));
        // The bar begins what was measured.
        words::plain(&format!("{key}{}", self.text)).replace('|', "/")
    }
}

/// Looks at everything.
pub(crate) fn health(config: &Path, options: &Health) -> Result<Report, Failure> {
    let now = SystemTime::now();
    let checks = match Settings::load(config) {
        Ok(settings) => look(&settings, config, options, now)?,
        Err(failure) => vec![Check::new("configuration", State::Unknown, failure.text)],
    };
    let worst = checks.iter().map(|check| check.state).max();
    let whole = Whole {
        state: worst.unwrap_or(State::Ok),
        checks,
    };
    let mut text = whole.line();
    match &options.prometheus {
        Some(path) if path.as_os_str() == "-" => text = prometheus::text(&whole, now),
        Some(path) => NewFile {
            path,
            // The collector is another account.
            mode: 0o644,
            group: None,
            existing: Existing::Replace,
        }
        .write(prometheus::text(&whole, now).as_bytes())?,
        None => {}
    }
    Ok(Report::new(text, &whole)?.ending_with(whole.state.status()))
}

fn look(
    settings: &Settings,
    config: &Path,
    options: &Health,
    now: SystemTime,
) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![sink::check(settings)];
    for (name, key) in &settings.config.keys {
        if key.disabled {
            let check = Check::new("device", State::Ok, "is disabled, and was not looked at");
            checks.push(check.of_key(name));
            continue;
        }
        let of_key = [
            certificate::check(key, options, now),
            credential::check(settings, name, key),
            device::check(settings, name, key),
        ];
        checks.extend(of_key.map(|check| check.of_key(name)));
    }
    checks.extend(log::check(settings, config, options, now)?);
    Ok(checks)
}

impl Whole {
    /// The one line of a plugin for Nagios: state, what is not well, what was measured.
    fn line(&self) -> String {
        let wrong = self.checks.iter().filter(|check| check.state != State::Ok);
        let mut wrong: Vec<&Check> = wrong.collect();
        wrong.sort_by_key(|check| std::cmp::Reverse(check.state));
        let said: Vec<String> = wrong.into_iter().map(Check::line).collect();
        let said = match said.is_empty() {
            true => words::count(self.checks.len(), "check", "checks"),
            false => said.join("; "),
        };
        let measured = self.checks.iter().flat_map(|check| {
            let key = check.key.as_ref();
            let key = key.map_or(String::new(), |key| format!("{key}_"));
            let measures = check.measures.iter();
            measures.map(move |(name, value)| format!(" {key}{name}={value}"))
        });
        let measured: String = measured.collect();
        let bar = if measured.is_empty() { "" } else { " |" };
        format!("SIGNSTAR {} - {said}{bar}{measured}\n", self.state.word())
    }
}
