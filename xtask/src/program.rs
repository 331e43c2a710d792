//! Starting other programs: every one is printed first, so that a reader can repeat it.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Because, Failure, Result};

/// What `cargo run` sets for this program and must not reach the builds that it starts:
/// some build scripts watch these variables and would run again for nothing.
const OURS: [&str; 12] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_LICENSE",
    "LD_LIBRARY_PATH",
];

/// A program about to be started.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

impl Program {
    /// The program `name`, looked up in `PATH`.
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(name.as_ref());
        for variable in OURS {
            command.env_remove(variable);
        }
        Self {
            command,
            shown: name.as_ref().to_string_lossy().into_owned(),
        }
    }

    /// The cargo that started us.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut program = Self::new(cargo);
        program.shown = "cargo".to_owned();
        program
    }

    /// The same, where no signal is ignored: whoever started us may ignore some (nohup, a shell's
    /// job in the background), every process inherits that, and tests send signals.
    pub(crate) fn cargo_minding_signals() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        Self::new("env").arg("--default-signal").arg(cargo)
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let text = arg.as_ref().to_string_lossy();
        self.shown.push(' ');
        if text.is_empty() || text.contains([' ', '"', '*', '=', '$']) && !text.starts_with("--") {
            self.shown.push_str(&format!("'{text}'"));
        } else {
            self.shown.push_str(&text);
        }
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub(crate) fn args<I: IntoIterator>(mut self, args: I) -> Self
    where
        I::Item: AsRef<OsStr>,
    {
        for arg in args {
            self = self.arg(arg);
        }
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!(
            "{name}='{}' {}",
            value.as_ref().to_string_lossy(),
            self.shown
        );
        self.command.env(name, value);
        self
    }

    /// The folder it runs in.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The underlying command, for what is not offered here.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Prints the command line and runs it with our own output; fails unless it succeeds.
    pub(crate) fn run(mut self) -> Result<()> {
        println!("$ {}", self.shown);
        flush()?;
        let status = self
            .command
            .stdin(Stdio::null())
            .status()
            .because(self.starting())?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(&status.to_string()))
        }
    }

    /// As [`run`](Self::run), and hands every line of its standard output to `seen`.
    pub(crate) fn run_watched(mut self, mut seen: impl FnMut(&str)) -> Result<()> {
        println!("$ {}", self.shown);
        flush()?;
        let starting = self.starting();
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .because(&starting)?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line.because(&starting)?;
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                seen(&line);
            }
        }
        let status = child.wait().because(&starting)?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(&status.to_string()))
        }
    }

    /// Runs it silently and returns its standard output; on failure its standard error is shown.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .because(self.starting())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        Err(self.failed(&output.status.to_string()))
    }

    /// Whether it starts and succeeds, all output discarded.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn starting(&self) -> String {
        format!("cannot start `{}`", self.shown)
    }

    fn failed(&self, status: &str) -> Failure {
        Failure::new(format!("`{}` failed: {status}", self.shown))
    }
}

/// Our own program file. A build of the whole workspace may have put a new one in its place, which
/// the kernel then tells by a word at the end of the old one's name.
pub(crate) fn own() -> Result<std::path::PathBuf> {
    let own = std::env::current_exe().because("cannot find this program")?;
    let name = own.to_string_lossy();
    Ok(name
        .strip_suffix(" (deleted)")
        .map_or_else(|| own.clone(), Into::into))
}

/// Where `name` is found in `PATH` or the administrators' folders, if anywhere.
pub(crate) fn find(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(Into::into))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Our own lines come before those of a program that writes to the same place.
fn flush() -> Result<()> {
    std::io::stdout()
        .flush()
        .because("cannot write to standard output")
}
