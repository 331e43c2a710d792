//! `doctor`: what is wrong with the profile and the devices, or will be, with what to do.
//!
//! It changes nothing. What it cannot look at, because nobody in the profile may, it says as a note. A
//! passphrase that somebody would have to type is asked for once; a wrong one is not tried again.

mod backups;
mod content;
mod machine;
mod profile;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::Globals;
use crate::device::Device;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::several::{in_parallel, own_words};

#[derive(Args, Clone, Debug)]
pub(crate) struct Doctor {
    /// The folder that `backup create --dir` writes to: is there a recent one of each device?
    #[arg(long, value_name = "FOLDER")]
    backups: Option<PathBuf>,
    /// How old the last backup may be, in days
    #[arg(long, value_name = "DAYS", default_value = "7", requires = "backups")]
    backup_age: u16,
    /// Warn of certificates that end within so many days
    #[arg(long, value_name = "DAYS", default_value = "30")]
    expires_within: u16,
    /// How far the clocks of device and this machine may be apart, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    clock_tolerance: u16,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Good to know.
    Note,
    /// Will go wrong, or is less safe than it could be.
    Warning,
    /// Does not work.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    /// Nothing where it is about the profile.
    device: Option<String>,
    /// What was looked at, in a word.
    about: &'static str,
    /// A sentence, a colon, what to do.
    text: String,
}

/// What was found, and at how many things was looked.
#[derive(Clone, Debug, Default)]
struct Findings {
    device: Option<String>,
    found: Vec<Finding>,
    checks: usize,
}

impl Findings {
    fn of(label: &str) -> Self {
        Self {
            device: Some(label.to_owned()),
            ..Self::default()
        }
    }

    /// Looked at something, which is well unless there is a `problem`.
    fn look(&mut self, about: &'static str, problem: Option<(Level, String)>) {
        self.checks += 1;
        if let Some((level, text)) = problem {
            self.found.push(Finding {
                level,
                device: self.device.clone(),
                about,
                text,
            });
        }
    }

    /// What was asked for, or a finding that it cannot be looked at.
    fn got<T>(&mut self, about: &'static str, asked: Result<T, impl Into<Failure>>) -> Option<T> {
        match asked {
            Ok(value) => Some(value),
            Err(failure) => {
                let failure = failure.into();
                let label = self.device.clone().unwrap_or_default();
                let level = match failure.status {
                    // Nobody in the profile may, or nobody is there to ask.
                    Status::Usage | Status::Forbidden => Level::Note,
                    Status::Throttled => Level::Warning,
                    _ => Level::Error,
                };
                let text = own_words(&label, &failure).to_owned();
                self.look(about, Some((level, text)));
                None
            }
        }
    }
}

/// Some of many names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Looks at the profile, and at each device that is named, or at all of them.
pub(crate) fn perform(globals: &Globals, options: &Doctor) -> Result<Report, Failure> {
    let mut found = Findings::default();
    let mut devices = match globals.url {
        Some(_) => crate::chosen::devices(globals)?,
        None => {
            let profiles = match crate::chosen::profiles(globals) {
                Ok(profiles) => profiles,
                Err(failure) => {
                    found.look("profile", Some((Level::Error, failure.text)));
                    return report(vec![found]);
                }
            };
            let labels = match globals.all || !globals.devices.is_empty() {
                true => crate::chosen::labels(globals, &profiles)?,
                false => profiles.devices.keys().cloned().collect(),
            };
            profile::look(&mut found, globals, &profiles, &labels);
            crate::chosen::devices_of(globals, &profiles, &labels)?
        }
    };
    let parallel = usize::from(globals.parallel);
    let each = in_parallel(&mut devices, parallel, &|device: &mut Device| {
        let mut found = Findings::of(&device.label);
        look(&mut found, device, options);
        found
    });
    let mut parts = vec![found];
    parts.extend(each.into_iter().map(|(_, found)| found));
    report(parts)
}

/// Looks at a device, as far as it gets.
fn look(found: &mut Findings, device: &mut Device, options: &Doctor) {
    if !machine::reachable(found, device, options) {
        return;
    }
    machine::users(found, device);
    machine::settings(found, device, options);
    content::look(found, device, options);
    backups::look(found, device, options);
}

fn report(parts: Vec<Findings>) -> Result<Report, Failure> {
    let checks: usize = parts.iter().map(|part| part.checks).sum();
    let mut found: Vec<Finding> = parts.into_iter().flat_map(|part| part.found).collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let mut counts: BTreeMap<Level, usize> = BTreeMap::new();
    let mut text = String::new();
    for finding in &found {
        *counts.entry(finding.level).or_default() += 1;
        let (level, about) = (finding.level.name(), finding.about);
        let place = finding.device.as_deref().unwrap_or("profile");
        text.push_str(&format!("{level}: {place}: {about}: {}\n", finding.text));
    }
    let count = |level| counts.get(&level).copied().unwrap_or(0);
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let notes = count(Level::Note);
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    text.push_str(&format!(
        "{}: {}, {}, {}\n",
        counted(checks, "check"),
        counted(errors, "error"),
        counted(warnings, "warning"),
        counted(notes, "note")
    ));
    let values: Vec<Value> = found
        .iter()
        .map(|finding| {
            json!({
                "level": finding.level.name(), "device": finding.device, "about": finding.about,
                "finding": finding.text,
            })
        })
        .collect();
    let value = json!({
        "checks": checks, "errors": errors, "warnings": warnings, "notes": notes,
        "findings": values,
    });
    let status = match (errors, warnings) {
        (0, 0) => Status::Done,
        (0, _) => Status::Attention,
        _ => Status::Wrong,
    };
    Ok(Report::new(text, &value)?.ending_with(status))
}
