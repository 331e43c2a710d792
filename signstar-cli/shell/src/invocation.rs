//! How the process was started: argv and three variables, judged once a sink exists.
//!
//! sshd starts a login shell as `-signstar`, and a ForceCommand as `signstar -c COMMAND`. What the
//! client asked for stands in SSH_ORIGINAL_COMMAND then. A caller can bring about both shapes, so
//! both mean no more than "sign".
//!
//! Deliberately absent: options, and every other variable.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use signstar_core::{Declaration, Failure, Refusal};

use crate::back_ends;

/// What ForceCommand names, and so the only STRING in `signstar -c STRING`.
pub const FORCED_COMMAND: &str = "/usr/bin/signstar";

/// The only variables that are read.
pub const VARIABLES: [&str; 3] = ["SSH_ORIGINAL_COMMAND", "SSH_CONNECTION", "SSH_USER_AUTH"];

/// What the process was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The arguments, the first one being the program's own name.
    pub arguments: Vec<OsString>,
    /// What the client asked for, where a command was forced.
    pub original_command: Option<OsString>,
    /// Addresses and ports of the connection.
    pub connection: Option<OsString>,
    /// The file that names the key which authenticated the client.
    pub user_auth: Option<OsString>,
    /// Whether any variable of an SSH session is set.
    pub has_ssh_variables: bool,
}

/// What somebody at a terminal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// `--help`
    Help,
    /// `--version`
    Version,
}

impl Invocation {
    /// Takes argv and the three variables of this process, and removes all variables. Then only
    /// those are set, to fixed values, that C libraries of the back ends need.
    pub fn from_process() -> Self {
        let variables: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        for (name, _) in &variables {
            // A name that std cannot remove (empty, or with `=`) cannot be read by name either.
            let name = name.as_bytes();
            if !name.is_empty() && !name.contains(&b'=') {
                std::env::remove_var(OsStr::from_bytes(name));
            }
        }
        back_ends::set_environment();
        let value = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        let [original_command, connection, user_auth] = VARIABLES.map(value);
        Self {
            arguments: std::env::args_os().collect(),
            original_command,
            connection,
            user_auth,
            has_ssh_variables: variables
                .iter()
                .any(|(name, _)| name.as_bytes().starts_with(b"SSH_")),
        }
    }

    /// `--help` or `--version`, each as the only argument and outside an SSH session.
    pub fn question(&self) -> Option<Question> {
        let [_, argument] = self.arguments.as_slice() else {
            return None;
        };
        if self.has_ssh_variables {
            return None;
        }
        match argument.to_str() {
            Some("--help") => Some(Question::Help),
            Some("--version") => Some(Question::Version),
            _ => None,
        }
    }

    /// Judges the shape of argv and of what the client asked for.
    ///
    /// # Errors
    /// Every shape but the two of sshd; every command but `sign v1 size=N sha512=HEX`.
    pub fn declaration(&self) -> Result<Option<Declaration>, Failure> {
        let arguments: Vec<&[u8]> = self.arguments.iter().map(|word| word.as_bytes()).collect();
        match arguments.as_slice() {
            [b"-signstar"] => {}
            [b"signstar", b"-c", command] if *command == FORCED_COMMAND.as_bytes() => {}
            _ => {
                return Err(Failure::new(
                    Refusal::Invocation,
                    "not started as sshd starts it",
                ))
            }
        }
        let Some(command) = &self.original_command else {
            return Ok(None);
        };
        match Declaration::parse(command.as_bytes()) {
            Ok(declaration) => Ok(Some(declaration)),
            Err(error) => Err(Failure::new(Refusal::Command, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(arguments: &[&str]) -> Invocation {
        Invocation {
            arguments: arguments.iter().map(OsString::from).collect(),
            ..Invocation::default()
        }
    }

    #[test]
    fn accepts_the_two_shapes_of_sshd() {
        assert_eq!(started(&["-signstar"]).declaration(), Ok(None));
        assert_eq!(
            started(&["signstar", "-c", "/usr/bin/signstar"]).declaration(),
            Ok(None)
        );
    }

    #[test]
    fn refuses_every_other_shape() {
        for arguments in [
            &[][..],
            &["signstar"],
            &["/usr/bin/signstar"],
            &["-signstar", "-c", "/usr/bin/signstar"],
            &["signstar", "-c"],
            &["signstar", "-c", "/usr/bin/signstar", ""],
            &["signstar", "-c", "/usr/bin/signstar "],
            &["signstar", "-c", "signstar"],
            &["signstar", "-c", ""],
            &["signstar", "-c", "sign v1"],
            &["signstar", "-i"],
            &["-bash"],
            &["bash", "-c", "/usr/bin/signstar"],
            &["-signstar", "--help"],
            &["signstar", "--version"],
        ] {
            let refusal = started(arguments)
                .declaration()
                .map_err(|failure| failure.refusal);
            assert_eq!(refusal, Err(Refusal::Invocation), "{arguments:?}");
        }
    }

    #[test]
    fn refuses_every_other_command() {
        let mut invocation = started(&["signstar", "-c", "/usr/bin/signstar"]);
        invocation.original_command = Some("internal-sftp".into());
        let refusal = invocation.declaration().map_err(|failure| failure.refusal);
        assert_eq!(refusal, Err(Refusal::Command));
    }

    #[test]
    fn answers_questions_only_outside_ssh_and_alone() {
        assert_eq!(
            started(&["signstar", "--help"]).question(),
            Some(Question::Help)
        );
        assert_eq!(
            started(&["/x/signstar", "--version"]).question(),
            Some(Question::Version)
        );
        assert_eq!(
            started(&["signstar", "--help", "--version"]).question(),
            None
        );
        assert_eq!(started(&["signstar", "-h"]).question(), None);
        let mut under_ssh = started(&["signstar", "--help"]);
        under_ssh.has_ssh_variables = true;
        assert_eq!(under_ssh.question(), None);
    }
}
