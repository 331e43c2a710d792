//! Whether those who sign with a key can read what that takes, and nobody else can.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use signstar::config::Key;
use signstar::trusted_file::{self, Kind, describe};

use super::{Check, State};
use crate::account::{account, groups_of, members_of};
use crate::failure::Failure;
use crate::settings::Settings;

/// More than any credential.
const BYTES_MAX: u64 = 1 << 20;

pub(super) fn check(settings: &Settings, name: &str, key: &Key) -> Check {
    let accounts = settings.accounts_of(name);
    let looked = key
        .device
        .secrets()
        .into_iter()
        .map(|secret| look(secret, &accounts));
    let worst = looked.max_by_key(|(state, _)| *state);
    let (state, text) = worst.unwrap_or((State::Ok, "there is none".to_owned()));
    Check::new("credential", state, text)
}

fn look(secret: &Path, accounts: &[&str]) -> (State, String) {
    let shown = secret.display();
    // As the login shell does: owner, mode, folder. What was read is wiped.
    if let Err(error) = trusted_file::read(secret, Kind::Secret, BYTES_MAX) {
        return (State::Critical, error.to_string());
    }
    let file = match fs::metadata(secret) {
        Ok(file) => file,
        Err(error) => return (State::Critical, format!("{shown}: {}", describe(&error))),
    };
    let readable = file.mode() & 0o040 != 0;
    for name in accounts {
        match groups(name) {
            Ok(groups) if readable && groups.contains(&file.gid()) => {}
            Ok(_) => {
                let text = format!("{shown} must be readable by the group of {name}");
                return (State::Critical, text);
            }
            Err(failure) => return (State::Critical, failure.text),
        }
    }
    if !readable {
        return (State::Ok, format!("{shown} is readable by root alone"));
    }
    match members_of(file.gid()) {
        Ok(members) => {
            let others: Vec<&str> = members
                .iter()
                .map(String::as_str)
                .filter(|member| !accounts.contains(member) && *member != "root")
                .collect();
            match others.is_empty() {
                true => (State::Ok, format!("{shown} is readable by who signs alone")),
                false => {
                    let text = format!(
                        "{shown} is readable by {} too, who do not sign with this key: give it \
                         another group",
                        others.join(", ")
                    );
                    (State::Warning, text)
                }
            }
        }
        Err(failure) => (State::Unknown, failure.text),
    }
}

/// The groups of an account, none if there is no such account.
fn groups(name: &str) -> Result<Vec<u32>, Failure> {
    match account(name)? {
        Some(account) => groups_of(name, &account),
        None => Ok(Vec::new()),
    }
}
