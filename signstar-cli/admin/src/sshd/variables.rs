//! Which variables somebody else could set for the login shell.
//!
//! A static login shell reads three and removes all others, so those of a client are untidy there. A
//! dynamic one has a loader, and libraries that look around before `main`: no variable may pass.
//! sshd sets USER, LOGNAME, HOME, PATH, SHELL, TZ, MAIL and its own, to values that are not a
//! caller's; beside these come AcceptEnv, SetEnv, the account's own files, and PAM's pam_env.

use std::fs;
use std::path::{Path, PathBuf};

use super::effective::Effective;
use crate::account::Account;
use crate::finding::{Findings, Weight};
use crate::linkage::Linkage;

const PAM: &str = "/etc/pam.d";
/// What pam_env(8) reads unless it is told otherwise.
const PAM_FILES: [&str; 2] = ["/etc/environment", "/etc/security/pam_env.conf"];
/// Files of PAM that include others in a circle end here.
const PAM_DEPTH_MAX: usize = 8;

/// Adds a finding for each way by which a variable could pass.
pub(super) fn check(
    findings: &mut Findings,
    account: &Account,
    sshd: &Effective,
    linkage: &Result<Linkage, String>,
) {
    let user = &account.name;
    let is_dynamic = *linkage == Ok(Linkage::Dynamic);
    let mend = "remove `AcceptEnv`, or give the account an sshd of its own";
    if sshd.words("acceptenv").next().is_some() {
        match is_dynamic {
            true => {
                let text = format!("variables of clients reach a loader: {mend}");
                findings.add_for(user, Weight::Problem, text);
            }
            false => {
                let text = format!("clients may set variables: {mend}");
                findings.add_for(user, Weight::Advice, text);
            }
        }
    }
    if !is_dynamic {
        return;
    }
    if sshd.words("setenv").next().is_some() {
        let text = "variables of sshd's configuration reach a loader: remove `SetEnv`";
        findings.add_for(user, Weight::Problem, text);
    }
    if sshd.get("usepam") == "no" {
        return;
    }
    let mut modules = Vec::new();
    read_pam("sshd", 0, &mut modules);
    for file in modules.iter().flat_map(|module| files_of(module, account)) {
        for name in names_in(&file).iter().filter(|name| !is_plain(name)) {
            let text = format!(
                "variables of PAM's reach a loader: remove {name} from {}",
                file.display()
            );
            findings.add_for(user, Weight::Problem, text);
        }
    }
}

/// The options of each `pam_env.so` that a service of PAM's has: pam.conf(5).
fn read_pam(service: &str, depth: usize, modules: &mut Vec<Vec<String>>) {
    let Ok(text) = fs::read_to_string(Path::new(PAM).join(service)) else {
        return;
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let included = match words.as_slice() {
            ["@include", name] | [_, "include" | "substack", name] => Some(name),
            _ => None,
        };
        if let Some(name) = included.filter(|_| depth < PAM_DEPTH_MAX) {
            read_pam(name, depth + 1, modules);
        }
        let module = words.iter().position(|word| word.ends_with("pam_env.so"));
        if let Some(at) = module.filter(|_| !line.starts_with('#')) {
            let options = words.iter().skip(at + 1);
            modules.push(options.map(|word| (*word).to_owned()).collect());
        }
    }
}

/// The files that pam_env reads with these options.
fn files_of(options: &[String], account: &Account) -> Vec<PathBuf> {
    let named = |name: &str| options.iter().find_map(|option| option.strip_prefix(name));
    let [environment, conf] = PAM_FILES;
    let mut files = vec![
        PathBuf::from(named("conffile=").unwrap_or(conf)),
        PathBuf::from(named("envfile=").unwrap_or(environment)),
    ];
    if options.iter().any(|option| option == "user_readenv=1") {
        let own = named("user_envfile=").unwrap_or(".pam_environment");
        files.push(account.home.join(own));
    }
    files
}

/// The names of the variables in a file of pam_env's: `NAME=value`, `export NAME=value` or
/// `NAME DEFAULT=value`.
fn names_in(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let name = line.split(['=', ' ', '\t']).next()?;
            Some(name.to_owned())
        })
        .collect()
}

/// Variables that no loader and no library of a back end minds: the language of messages, and what
/// sshd sets anyway.
fn is_plain(name: &str) -> bool {
    const PLAIN: [&str; 8] = [
        "HOME", "LANG", "LANGUAGE", "LOGNAME", "MAIL", "PATH", "SHELL", "USER",
    ];
    PLAIN.contains(&name) || name.starts_with("LC_")
}
