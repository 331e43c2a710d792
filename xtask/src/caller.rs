//! Inside a private namespace: starting the login shell exactly as sshd starts it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::failure::{Because, Failure, Result};
use crate::scene::{Account, account_ids, last_record};

/// The login shell.
const SHELL: &str = "/usr/bin/signstar";

/// A key that somebody could have authenticated with. Nobody has its other half.
const CALLER_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII0eY25oXSSqt9jbwGAzD5od2t80X7olNzbIK/50t6wC";

/// A client that sshd has let in.
pub(crate) struct Caller {
    user: u32,
    group: u32,
    name: &'static str,
    /// What `ExposeAuthInfo yes` makes sshd write.
    auth_info: NamedTempFile,
}

/// What came back.
pub(crate) struct Answer {
    /// Standard output.
    pub(crate) signature: Vec<u8>,
    /// From the start of the process to its end.
    pub(crate) took: Duration,
}

impl Caller {
    /// Somebody who was let in as `account`.
    pub(crate) fn new(account: &Account) -> Result<Self> {
        let attempt = "cannot write what sshd would write";
        let (user, group) = account_ids(account)?;
        let mut auth_info = tempfile::Builder::new()
            .prefix("sshauth.")
            .rand_bytes(15)
            .tempfile_in("/tmp")
            .because(attempt)?;
        writeln!(auth_info, "publickey {CALLER_KEY}").because(attempt)?;
        chown(auth_info.path(), Some(user), Some(group)).because(attempt)?;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(auth_info.path(), private).because(attempt)?;
        Ok(Self {
            user,
            group,
            name: account.name,
            auth_info,
        })
    }

    /// The login shell, about to be started as by ForceCommand.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(SHELL);
        command
            .arg0("signstar")
            .args(["-c", SHELL])
            .env_clear()
            .env("USER", self.name)
            .env("LOGNAME", self.name)
            .env("HOME", "/")
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("SHELL", SHELL)
            .env("SSH_CLIENT", "127.0.0.1 50000 22")
            .env("SSH_CONNECTION", "127.0.0.1 50000 127.0.0.1 22")
            .env("SSH_USER_AUTH", self.auth_info.path())
            .current_dir("/")
            .gid(self.group)
            .uid(self.user);
        command
    }

    /// Sends `input` through a pipe and takes the signature.
    pub(crate) fn sign(&self, input: &Path) -> Result<Answer> {
        let attempt = "cannot start the login shell";
        let mut file =
            File::open(input).because(format_args!("cannot open {}", input.display()))?;
        let start = Instant::now();
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .because(attempt)?;
        let mut sent = Ok(0);
        if let Some(mut stdin) = child.stdin.take() {
            sent = std::io::copy(&mut file, &mut stdin);
        }
        let mut signature = Vec::new();
        let mut complaint = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout
                .read_to_end(&mut signature)
                .because("cannot read the signature")?;
        }
        if let Some(mut stderr) = child.stderr.take() {
            stderr
                .read_to_string(&mut complaint)
                .because("cannot read what the shell says")?;
        }
        let status = child.wait().because(attempt)?;
        let took = start.elapsed();
        if !status.success() {
            let complaint = complaint.trim_end();
            return Err(Failure::new(format!(
                "{status}: {complaint}; recorded: {}",
                last_record()
            )));
        }
        sent.because(format_args!("cannot send {}", input.display()))?;
        Ok(Answer { signature, took })
    }
}
