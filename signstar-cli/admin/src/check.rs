//! `config check`: everything that is wrong, at once.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Serialize;
use signstar::config::{Config, ConfigError, Key};
use signstar::sink::OpenSink;
use signstar::{enclave, sessions, trusted_file};

use crate::account::{account, groups_of};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;

/// The login shell of accounts that sign.
const SHELL: &str = "/usr/bin/signstar";

#[derive(Serialize)]
struct Checked<'a> {
    file: &'a Path,
    problems: Vec<Problem>,
    keys: Vec<CheckedKey>,
}

#[derive(Serialize)]
struct Problem {
    /// Line in the file, where that is what is wrong.
    line: Option<usize>,
    text: String,
}

#[derive(Serialize)]
struct CheckedKey {
    name: String,
    fingerprint: String,
    kind: String,
}

/// Checks the configuration at `path` and what it names.
pub(crate) fn check(path: &Path) -> Result<Report, Failure> {
    let mut checked = Checked {
        file: path,
        problems: Vec::new(),
        keys: Vec::new(),
    };
    let config = Settings::read(path)?;
    match config {
        Ok(config) => checked.look_around(&config),
        Err(ConfigError::File(error)) => return Err(error.into()),
        Err(ConfigError::Problems(problems)) => {
            checked.problems = problems
                .into_iter()
                .map(|problem| Problem {
                    line: Some(problem.line),
                    text: problem.text,
                })
                .collect();
        }
    }
    let finding = (!checked.problems.is_empty()).then_some(Status::Configuration);
    Ok(Report::new(checked.text(), &checked)?.ending_with(finding))
}

impl Checked<'_> {
    fn problem(&mut self, text: impl ToString) {
        self.problems.push(Problem {
            line: None,
            text: text.to_string(),
        });
    }

    fn look_around(&mut self, config: &Config) {
        for (name, key) in &config.keys {
            match open(key) {
                Ok((fingerprint, kind)) => {
                    self.keys.push(CheckedKey {
                        name: name.clone(),
                        fingerprint,
                        kind,
                    });
                }
                Err(failure) => self.problem(format!("[key.{name}] {}", failure.text)),
            }
        }
        for (name, user) in &config.users {
            let key = config.keys.get(&user.key);
            let secrets = key.map(|key| key.device.secrets()).unwrap_or_default();
            for found in problems_of_account(name, &secrets) {
                self.problem(format!("[user.{name}] {found}"));
            }
        }
        if let Err(error) = OpenSink::open(&config.audit) {
            self.problem(format!("[audit] {error}"));
        }
    }

    fn text(&self) -> String {
        let file = self.file.display();
        let mut lines = Vec::new();
        for problem in &self.problems {
            let line = problem
                .line
                .map(|line| format!(" line {line}:"))
                .unwrap_or_default();
            lines.push(format!("{file}:{line} {}", problem.text));
        }
        for CheckedKey {
            name,
            fingerprint,
            kind,
        } in &self.keys
        {
            lines.push(format!(
                "[key.{name}] {kind} key {fingerprint}: device and certificate agree"
            ));
        }
        lines.push(match self.problems.len() {
            0 => format!("{file}: no problem"),
            1 => format!("{file}: 1 problem"),
            count => format!("{file}: {count} problems"),
        });
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Opens certificate and device as the login shell does, which compares their keys.
fn open(key: &Key) -> Result<(String, String), Failure> {
    let signing_key = enclave::open_certificate(key)?;
    let device = enclave::open_device(key, &signing_key)?;
    Ok((signing_key.fingerprint(), device.signer.public_key().name()))
}

/// What keeps the account `name` from signing.
fn problems_of_account(name: &str, secrets: &[&Path]) -> Vec<String> {
    let account = match account(name) {
        Ok(Some(account)) => account,
        Ok(None) => return vec!["there is no such account: make it".to_owned()],
        Err(failure) => return vec![failure.text],
    };
    let mut problems = Vec::new();
    if account.shell != SHELL {
        problems.push(format!(
            "its login shell is {}: make it {SHELL}",
            account.shell
        ));
    }
    let groups = match groups_of(name, &account) {
        Ok(groups) => groups,
        Err(failure) => return vec![failure.text],
    };
    let slots = Path::new(sessions::FOLDER).join(name);
    problems.extend(missing(&slots, &groups, 0o020, "writable"));
    for secret in secrets {
        problems.extend(missing(secret, &groups, 0o040, "readable"));
    }
    problems
}

/// Says what is wrong unless one of `groups` has the permission `bit` to the file at `path`.
fn missing(path: &Path, groups: &[u32], bit: u32, permission: &str) -> Option<String> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(file) if file.mode() & bit != 0 && groups.contains(&file.gid()) => None,
        Ok(_) => Some(format!(
            "{shown} must be {permission} by the account's group"
        )),
        Err(error) => Some(format!("{shown}: {}", trusted_file::describe(&error))),
    }
}
