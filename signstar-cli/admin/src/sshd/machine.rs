//! What concerns all accounts: the login shell's file, sshd's own files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use signstar::trusted_file::describe;

use super::SHELL;
use crate::account::accounts;
use crate::cli::SshdCheck;
use crate::failure::Failure;
use crate::finding::{Findings, Weight};
use crate::linkage::Linkage;
use crate::owners;
use crate::settings::Settings;

/// A shell runs it for each session, under ForceCommand too, and the client sees its output.
const RC: &str = "/etc/ssh/sshrc";

/// Adds what is wrong with files of the machine.
pub(super) fn check(
    findings: &mut Findings,
    settings: &Settings,
    options: &SshdCheck,
    linkage: &Result<Linkage, String>,
) -> Result<(), Failure> {
    login_shell(findings, linkage);
    if fs::symlink_metadata(RC).is_ok() {
        let text = format!("a shell runs {RC} for every session: remove it");
        findings.add(Weight::Problem, text);
    }
    for file in own_files(&options.sshd_config) {
        match owners::changeable(&file) {
            Ok(None) => {}
            Ok(Some(place)) => {
                let text = format!(
                    "others than root can change the configuration of sshd: make {} root's, \
                     writable by root only",
                    place.display()
                );
                findings.add(Weight::Problem, text);
            }
            // sshd says so itself.
            Err(_) => {}
        }
    }
    for account in accounts()? {
        let known = settings.config.users.contains_key(&account.name);
        if account.shell == SHELL && !known {
            let text = format!(
                "an account has the login shell and no table in the configuration: write \
                 `[user.{0}]`, or remove the account {0}",
                account.name
            );
            findings.add(Weight::Advice, text);
        }
    }
    Ok(())
}

fn login_shell(findings: &mut Findings, linkage: &Result<Linkage, String>) {
    let shell = Path::new(SHELL);
    let file = match fs::metadata(shell) {
        Ok(file) => file,
        Err(error) => {
            let text = format!(
                "signstar is not installed: put it to {SHELL} ({})",
                describe(&error)
            );
            return findings.add(Weight::Problem, text);
        }
    };
    if let Err(reason) = linkage {
        let text = format!("{SHELL} is not a program: install signstar again ({reason})");
        findings.add(Weight::Problem, text);
    }
    if let Ok(Some(place)) = owners::changeable(shell) {
        let text = format!(
            "others than root can change signstar: make {} root's, writable by root only",
            place.display()
        );
        findings.add(Weight::Problem, text);
    }
    if file.mode() & 0o6000 != 0 {
        let text = format!("signstar runs with the rights of its file: `chmod 0755 {SHELL}`");
        findings.add(Weight::Problem, text);
    }
    if file.mode() & 0o001 == 0 {
        let text = format!("the accounts cannot start signstar: `chmod 0755 {SHELL}`");
        findings.add(Weight::Problem, text);
    }
}

/// The configuration, and the folder beside it that distributions have it include.
fn own_files(config: &Path) -> Vec<PathBuf> {
    let mut name = config.file_name().unwrap_or_default().to_owned();
    name.push(".d");
    let folder = config.with_file_name(name);
    let mut files = vec![config.to_owned()];
    if let Ok(entries) = fs::read_dir(&folder) {
        files.push(folder);
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files
}
