//! Where passphrases of a NetHSM's users come from: never from the command line or a variable, where others
//! can see them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::{ConsoleError, terminal};

/// The longest that a device takes, in bytes.
const BYTES_MAX: usize = 200;
/// What is read to find out that it is too long.
const READ_MAX: u64 = 4096;

/// What a source of a passphrase looks like, for help texts.
pub const FORMS: &str =
    "prompt, file:PATH, fd:NUMBER, command:PROGRAM ARGUMENTS…, or credential:NAME of systemd";

/// A place to take a passphrase from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The operator types it.
    Prompt,
    /// It is the content of a file.
    File(PathBuf),
    /// It can be read from an open descriptor.
    Descriptor(u16),
    /// A program writes it to its standard output. Split at spaces; there is no shell.
    Command(Vec<String>),
    /// systemd(1) has passed it as a credential.
    Credential(String),
}

impl FromStr for Source {
    type Err = String;

    /// Never repeats the text: it may be a passphrase that somebody has given by mistake.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("must be {FORMS}");
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest) {
            ("prompt", "") if text == "prompt" => Ok(Self::Prompt),
            (_, "") => Err(wrong()),
            ("file", path) => Ok(Self::File(PathBuf::from(path))),
            ("fd", number) => number.parse().map(Self::Descriptor).map_err(|_| wrong()),
            ("command", words) => Ok(Self::Command(
                words.split_whitespace().map(str::to_owned).collect(),
            )),
            ("credential", name) if !name.contains('/') => Ok(Self::Credential(name.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prompt => f.write_str("prompt"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Command(words) => write!(f, "command:{}", words.join(" ")),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

impl Source {
    /// A passphrase that exists, of 1 to 200 bytes. `what` names it for the operator.
    ///
    /// # Errors
    /// [`ConsoleError`], which never has the passphrase in it.
    pub fn get(&self, what: &str) -> Result<Zeroizing<String>, ConsoleError> {
        match self {
            Self::Prompt => text(terminal::secret(what)?, what),
            other => other.read(what),
        }
    }

    /// A passphrase that is to be, of 10 to 200 bytes: asked for twice.
    ///
    /// # Errors
    /// Those of [`Self::get`].
    pub fn get_new(&self, what: &str) -> Result<Zeroizing<String>, ConsoleError> {
        let found = match self {
            Self::Prompt => text(terminal::new_secret(what)?, what)?,
            other => other.read(what)?,
        };
        if !(10..=BYTES_MAX).contains(&found.len()) {
            return Err(ConsoleError::usage(format!(
                "{what}: must have 10 to 200 bytes"
            )));
        }
        if !found.is_ascii() {
            log::warn!("{what}: is not ASCII, other clients may not be able to use it");
        }
        Ok(found)
    }

    fn read(&self, what: &str) -> Result<Zeroizing<String>, ConsoleError> {
        match self {
            Self::Prompt => text(terminal::secret(what)?, what),
            Self::File(path) => text(read(path)?, what),
            Self::Descriptor(number) => text(
                read(&PathBuf::from(format!("/proc/self/fd/{number}")))?,
                what,
            ),
            Self::Command(words) => text(output(words)?, what),
            Self::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    ConsoleError::usage("credential: systemd has passed none to this program")
                })?;
                text(read(&Path::new(&folder).join(name))?, what)
            }
        }
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, ConsoleError> {
    let failed = |error: std::io::Error| ConsoleError::with(path, error);
    let capacity = usize::try_from(READ_MAX).unwrap_or(BYTES_MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let file = File::open(path).map_err(failed)?;
    file.take(READ_MAX)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

fn output(words: &[String]) -> Result<Zeroizing<Vec<u8>>, ConsoleError> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| ConsoleError::usage(format!("a source of a passphrase must be {FORMS}")))?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| ConsoleError::with(program.as_ref(), error))?;
    let bytes = Zeroizing::new(output.stdout);
    match output.status.success() {
        true => Ok(bytes),
        false => Err(ConsoleError::Program(format!(
            "{program}: has not given a passphrase"
        ))),
    }
}

/// One line end at its end is not part of it.
fn text(mut bytes: Zeroizing<Vec<u8>>, what: &str) -> Result<Zeroizing<String>, ConsoleError> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let wrong = |text: &str| ConsoleError::usage(format!("{what}: {text}"));
    if bytes.is_empty() || bytes.len() > BYTES_MAX {
        return Err(wrong("must have 1 to 200 bytes"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_given_by_mistake_is_refused_and_not_repeated() {
        for text in [
            "correct horse",
            "hunter2hunter2",
            "file:",
            "fd:x",
            "prompt:x",
        ] {
            let error = Source::from_str(text).unwrap_err();
            assert_eq!(error, format!("must be {FORMS}"));
        }
    }

    #[test]
    fn sources_read_as_they_are_written() {
        for text in [
            "prompt",
            "file:/run/x",
            "fd:3",
            "command:pass show x",
            "credential:x",
        ] {
            assert_eq!(Source::from_str(text).unwrap().to_string(), text);
        }
    }
}
