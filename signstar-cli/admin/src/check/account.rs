//! What keeps an account from signing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use signstar::config::{Config, SinkChoice, User};
use signstar::sessions;
use signstar::trusted_file::describe;

use crate::account::{accounts, groups_of};
use crate::failure::Failure;
use crate::finding::{Findings, Weight};
use crate::owners::{Access, Who};
use crate::sshd::SHELL;

/// Adds what would refuse each request of the account `name`.
pub(super) fn check(
    findings: &mut Findings,
    name: &str,
    user: &User,
    config: &Config,
    file: &Path,
) -> Result<(), Failure> {
    let mut problem = |text: String| findings.add_for(name, Weight::Problem, text);
    let everybody = accounts()?;
    let Some(account) = everybody.iter().find(|account| account.name == name) else {
        problem("there is no such account: make it".to_owned());
        return Ok(());
    };
    if everybody
        .iter()
        .filter(|other| other.id == account.id)
        .count()
        > 1
    {
        problem(
            "another account has the same number: give each one of its own, or every request is \
             refused"
                .to_owned(),
        );
    }
    if account.shell != SHELL {
        problem(format!(
            "its login shell is {}: make it {SHELL}",
            account.shell
        ));
    }
    let groups = groups_of(name, account)?;
    let slots = Path::new(sessions::FOLDER).join(name);
    if let Some(text) = missing(&slots, &groups, 0o020, "writable") {
        problem(text);
    } else if !fs::symlink_metadata(&slots).is_ok_and(|found| found.is_file()) {
        problem(format!("{}: must be a file, and no link", slots.display()));
    }
    let mut wanted = vec![(file, Access::Read)];
    if let Some(key) = config.keys.get(&user.key) {
        for secret in key.device.secrets() {
            match missing(secret, &groups, 0o040, "readable") {
                Some(text) => problem(text),
                None => wanted.push((secret, Access::Read)),
            }
        }
        wanted.push((&key.certificate, Access::Read));
    }
    wanted.push((&slots, Access::Write));
    match &config.audit.sink {
        SinkChoice::File { path, .. } => {
            // Read, too: whether the last line has its end.
            wanted.extend([(path.as_path(), Access::Write), (path, Access::Read)]);
        }
        SinkChoice::Journald { socket } | SinkChoice::Syslog { socket, .. } => {
            wanted.push((socket, Access::Write));
        }
        SinkChoice::Stderr => {}
    }
    let who = Who {
        account,
        groups: &groups,
    };
    for (path, access) in wanted {
        // What is missing is said elsewhere.
        let Ok(Some(place)) = who.kept_out_by(path, access) else {
            continue;
        };
        problem(kept_out(path, access, &place));
    }
    Ok(())
}

fn kept_out(path: &Path, access: Access, place: &Path) -> String {
    let verb = match access {
        Access::Read => "read",
        Access::Write => "write to",
    };
    let folder = place.display();
    match path == place {
        true => format!("the account cannot {verb} {folder}: give its group the right"),
        false => format!("the folder {folder} is closed to the account: `chmod 0755 {folder}`"),
    }
}

/// Says what is wrong unless one of `groups` has the permission `bit` to the file at `path`.
fn missing(path: &Path, groups: &[u32], bit: u32, permission: &str) -> Option<String> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(file) if file.mode() & bit != 0 && groups.contains(&file.gid()) => None,
        Ok(_) => Some(format!(
            "{shown} must be {permission} by the account's group"
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(format!("{shown}: no such file: make it"))
        }
        Err(error) => Some(format!("{shown}: {}", describe(&error))),
    }
}
