//! `sshd check`: whether the machine keeps the rules of docs/sshd.md, for each account that signs.
//!
//! sshd itself says what holds for an account (`sshd -T -C user=…`), so no second reader of its
//! configuration stands here.

mod accounts;
mod effective;
mod keys;
mod machine;
mod rules;
mod variables;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::account::accounts;
use crate::cli::SshdCheck;
use crate::failure::{Failure, Status};
use crate::finding::{Findings, Weight};
use crate::linkage;
use crate::pinning;
use crate::report::Report;
use crate::settings::Settings;
use effective::Effective;

/// The login shell of accounts that sign, and their forced command.
pub(crate) const SHELL: &str = "/usr/bin/signstar";

#[derive(Serialize)]
struct Checked<'a> {
    /// The configuration of sshd.
    file: &'a Path,
    /// The accounts that were looked at.
    users: Vec<&'a str>,
    #[serde(flatten)]
    findings: Findings,
}

/// Checks sshd, accounts and keys.
pub(crate) fn check(settings: &Settings, options: &SshdCheck) -> Result<Report, Failure> {
    let users: Vec<&str> = settings.config.users.keys().map(String::as_str).collect();
    if users.is_empty() {
        let text = "the configuration has no [user.NAME]: add one";
        return Err(Failure::new(Status::Configuration, text));
    }
    let mut checked = Checked {
        file: &options.sshd_config,
        users,
        findings: Findings::default(),
    };
    let findings = &mut checked.findings;
    let linkage = linkage::of(Path::new(SHELL));
    machine::check(findings, settings, options, &linkage)?;
    let everybody = accounts()?;
    pinning::check(findings, settings, options)?;
    // Which account reads which file of keys: none of them is for two.
    let mut readers = BTreeMap::new();
    for user in &checked.users {
        let account = accounts::check(findings, user, &everybody)?;
        let effective = match Effective::ask(user, options)? {
            Ok(effective) => effective,
            Err(complaint) => {
                let text = format!(
                    "sshd does not take its configuration: {complaint}; `sshd -t` says more"
                );
                findings.add(Weight::Problem, text);
                break;
            }
        };
        rules::check(findings, user, &effective);
        if let Some(account) = account {
            accounts::check_with(findings, account, &effective)?;
            keys::check(findings, account, &effective, &mut readers);
            variables::check(findings, account, &effective, &linkage);
        }
    }
    let finding = (!checked.findings.problems.is_empty()).then_some(Status::Configuration);
    let shown = checked.file.display().to_string();
    let mut lines = checked.findings.lines(&shown);
    lines.push(format!("{shown}: {}\n", checked.findings.count()));
    Ok(Report::new(lines.join("\n"), &checked)?.ending_with(finding))
}
