//! The login shell, started exactly as sshd starts it, or a little differently.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::world::{Account, SIGNER};
use super::{Outcome, Running, World};

/// The login shell's place in every world.
pub(crate) const SHELL: &str = "/usr/bin/signstar";

/// A key that a client could have authenticated with; nobody has its other half.
pub(crate) const CLIENT_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII0eY25oXSSqt9jbwGAzD5od2t80X7olNzbIK/50t6wC";

/// The file that sshd writes for an account that is let in; its path inside.
pub(crate) fn user_auth(account: Account) -> String {
    format!("/tmp/sshauth.{}", account.name)
}

/// A login shell about to be started. As made: by ForceCommand, three pipes, a cleared environment
/// with what sshd sets.
pub(crate) struct Shell<'w> {
    world: &'w World,
    command: Command,
    pipes: [bool; 3],
}

impl<'w> Shell<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let mut command = Command::new(SHELL);
        command
            .arg0("signstar")
            .args(["-c", SHELL])
            .env_clear()
            .env("USER", SIGNER.name)
            .env("LOGNAME", SIGNER.name)
            .env("HOME", format!("/home/{}", SIGNER.name))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/games")
            .env("SHELL", SHELL)
            .env("SSH_CLIENT", "127.0.0.1 50000 22")
            .env("SSH_CONNECTION", "127.0.0.1 50000 127.0.0.1 22")
            .env("SSH_USER_AUTH", user_auth(SIGNER))
            .current_dir("/")
            .gid(SIGNER.group)
            .uid(SIGNER.id);
        Self {
            world,
            command,
            pipes: [true; 3],
        }
    }

    /// As another program: a wrapper such as `bash` that starts the login shell in its turn, with
    /// the same environment and account.
    pub(crate) fn through(mut self, program: &str, arguments: &[&OsStr]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().current_dir("/");
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command.gid(SIGNER.group).uid(SIGNER.id);
        self.command = command;
        self
    }

    /// With another argv.
    pub(crate) fn argv<S: AsRef<OsStr>>(mut self, argv: &[S]) -> Self {
        let arguments: Vec<&OsStr> = argv.iter().skip(1).map(AsRef::as_ref).collect();
        self = self.through(SHELL, &arguments);
        self.command.arg0(&argv[0]);
        self
    }

    /// As another account.
    pub(crate) fn account(mut self, account: Account) -> Self {
        self.command.gid(account.group).uid(account.id);
        self.env("SSH_USER_AUTH", user_auth(account))
    }

    /// With a variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// As if the client had asked for `command`.
    pub(crate) fn asks(self, command: impl Into<OsString>) -> Self {
        self.env("SSH_ORIGINAL_COMMAND", command.into())
    }

    /// With another standard input than a pipe.
    pub(crate) fn stdin(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stdin(stream);
        self.pipes[0] = false;
        self
    }

    /// With another standard output than a pipe.
    pub(crate) fn stdout(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stdout(stream);
        self.pipes[1] = false;
        self
    }

    /// With another standard error than a pipe.
    pub(crate) fn stderr(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stderr(stream);
        self.pipes[2] = false;
        self
    }

    /// The command, for what has no method here.
    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        Running::start(self.world, &mut self.command, self.pipes)
    }

    /// Starts it, sends `input`, waits for its end.
    pub(crate) fn run(self, input: &[u8]) -> Outcome {
        let mut running = self.start();
        std::thread::scope(|scope| {
            let stdin = running.stdin.take();
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            running.outcome()
        })
    }
}
