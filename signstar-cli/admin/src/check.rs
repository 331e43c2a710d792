//! `config check`: everything that is wrong, and what is unwise, at once.

mod account;
mod advice;
mod files;

use std::path::Path;

use serde::Serialize;
use signstar::config::{Config, ConfigError, Key};
use signstar::enclave;
use signstar::sink::OpenSink;
use signstar_core::SigningKey;

use crate::failure::{Failure, Status};
use crate::finding::{Findings, Weight};
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Checked<'a> {
    file: &'a Path,
    #[serde(flatten)]
    findings: Findings,
    keys: Vec<CheckedKey>,
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
        findings: Findings::default(),
        keys: Vec::new(),
    };
    let config = Settings::read(path)?;
    match config {
        Ok(config) => checked.look_around(&config),
        Err(ConfigError::File(error)) => return Err(error.into()),
        Err(ConfigError::Problems(problems)) => {
            for problem in problems {
                checked.findings.add_at(problem.line, problem.text);
            }
        }
    }
    let finding = (!checked.findings.problems.is_empty()).then_some(Status::Configuration);
    Ok(Report::new(checked.text(), &checked)?.ending_with(finding))
}

impl Checked<'_> {
    fn look_around(&mut self, config: &Config) {
        let findings = &mut self.findings;
        for (name, key) in &config.keys {
            match open(key) {
                Ok((signing_key, kind)) => {
                    advice::of_certificate(findings, name, &signing_key);
                    self.keys.push(CheckedKey {
                        name: name.clone(),
                        fingerprint: signing_key.fingerprint(),
                        kind,
                    });
                }
                Err(failure) => {
                    findings.add(Weight::Problem, format!("[key.{name}] {}", failure.text));
                }
            }
        }
        for (name, user) in &config.users {
            let found = account::check(findings, name, user, config, self.file);
            if let Err(failure) = found {
                findings.add_for(name, Weight::Problem, failure.text);
            }
        }
        if let Err(error) = OpenSink::open(&config.audit) {
            findings.add(Weight::Problem, format!("[audit] {error}"));
        }
        advice::of_configuration(findings, config);
        if let Err(failure) = files::check(findings, config) {
            findings.add(Weight::Problem, failure.text);
        }
    }

    fn text(&self) -> String {
        let file = self.file.display().to_string();
        let mut lines = self.findings.lines(&file);
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
        lines.push(format!("{file}: {}\n", self.findings.count()));
        lines.join("\n")
    }
}

/// Opens certificate and device as the login shell does, which compares their keys.
fn open(key: &Key) -> Result<(SigningKey, String), Failure> {
    let signing_key = enclave::open_certificate(key)?;
    let device = enclave::open_device(key, &signing_key)?;
    let kind = device.signer.public_key().name();
    Ok((signing_key, kind))
}
