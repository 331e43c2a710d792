//! The programs that ours is compared with, as far as they are installed, and how each is started
//! to do the same job.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::contest::Contestant;
use super::keys::{GPG_HOME, stop_agent, user_id};
use crate::caller::Caller;
use crate::failure::Result;
use crate::program::{Program, find};
use crate::scene::Account;

/// GnuPG with a warm agent: the home of the trial, whose agent ends with this.
pub(crate) struct Gpg {
    home: PathBuf,
}

impl Gpg {
    /// Starts the agent.
    pub(crate) fn start(root: &Path) -> Result<Self> {
        let home = root.join(GPG_HOME);
        Program::new("gpgconf")
            .arg("--homedir")
            .arg(&home)
            .args(["--launch", "gpg-agent"])
            .output()?;
        Ok(Self { home })
    }

    /// `gpg --detach-sign` of standard input.
    pub(crate) fn sign(&self, account: &Account, hash: &str) -> Contestant {
        let (home, user) = (self.home.clone(), user_id(account));
        let hash = hash.to_owned();
        Contestant::new("gpg", move || {
            let mut command = plain("gpg");
            command
                .arg("--homedir")
                .arg(&home)
                .args(["--batch", "--quiet", "--local-user", &user]);
            command.args(["--digest-algo", &hash, "--detach-sign"]);
            command
        })
    }

    /// The home, for a reader's command line.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        if let Err(error) = stop_agent(&self.home) {
            eprintln!("{error}");
        }
    }
}

/// Our login shell, as sshd starts it.
pub(crate) fn signstar(account: &Account) -> Result<Contestant> {
    let caller = Caller::new(account)?;
    Ok(Contestant::new("signstar", move || caller.command()))
}

/// Programs with the stateless OpenPGP interface.
pub(crate) fn sops(root: &Path, account: &Account) -> Result<Vec<Contestant>> {
    let secret = root.join(format!("etc/signstar/{}.secret.pgp", account.name));
    let rsop = folder()?.join("bin/rsop");
    let mut found = Vec::new();
    for (name, program) in [("sqop", find("sqop")), ("rsop", Some(rsop))] {
        let Some(program) = program.filter(|program| program.is_file()) else {
            continue;
        };
        let secret = secret.clone();
        found.push(Contestant::new(name, move || {
            let mut command = plain(&program);
            command.args(["sign", "--no-armor"]).arg(&secret);
            command
        }));
    }
    Ok(found)
}

/// Programs that only hash.
pub(crate) fn hashers(hash: &str) -> Vec<Contestant> {
    let mut found = Vec::new();
    if find("openssl").is_some() {
        let option = format!("-{hash}");
        found.push(Contestant::new(
            format!("openssl dgst -{hash}"),
            move || {
                let mut command = plain("openssl");
                command.args(["dgst", &option]);
                command
            },
        ));
    }
    let sum = format!("{hash}sum");
    if find(&sum).is_some() {
        found.push(Contestant::new(sum.clone(), move || plain(&sum)));
    }
    found
}

/// The least that starting a process takes.
pub(crate) fn nothing() -> Contestant {
    Contestant::new("true", || plain("true"))
}

/// A command of root's. Setting the user makes std start it the way it starts ours, by fork and
/// exec: what that costs more than vfork is then the same for all.
pub(crate) fn plain(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.uid(0).gid(0);
    command
}

/// Where rsop is kept as its users have it.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(super::tools()?.join("bench"))
}
