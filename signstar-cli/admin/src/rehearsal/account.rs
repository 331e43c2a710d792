//! Becoming an account, for good, and then the login shell: the child's side.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use signstar::invocation::FORCED_COMMAND;

use crate::account::{account, groups_of};
use crate::failure::{Failure, Status};
use crate::sshd::SHELL;

/// Becomes the account `name` with its groups, then the login shell, as sshd would. Returns only if
/// that cannot be done.
pub(crate) fn become_and_start(name: &str) -> ExitCode {
    let failure = match drop_privileges(name) {
        Ok(()) => {
            let mut shell = Command::new(SHELL);
            shell
                .arg0(OsStr::new("signstar"))
                .args(["-c", FORCED_COMMAND]);
            Failure::with(SHELL.as_ref(), &shell.exec())
        }
        Err(failure) => failure,
    };
    eprintln!("signstar-admin: {}", failure.text);
    failure.status.into()
}

fn drop_privileges(name: &str) -> Result<(), Failure> {
    let account = account(name)?
        .ok_or_else(|| Failure::new(Status::Configuration, "there is no such account: make it"))?;
    let groups: Vec<Gid> = groups_of(name, &account)?
        .into_iter()
        .map(Gid::from_raw)
        .collect();
    // Groups first: afterwards there is no right to change them.
    setgroups(&groups)
        .and_then(|()| setgid(Gid::from_raw(account.group)))
        .and_then(|()| setuid(Uid::from_raw(account.id)))
        .map_err(|error| Failure::new(Status::Permission, error.desc().to_lowercase()))
}
