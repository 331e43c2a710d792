//! Where a passphrase is put that was made here.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

use crate::failure::Failure;
use crate::new_file::{Existing, NewFile, SECRET};
use crate::terminal;

/// What a place looks like, for help texts.
pub(crate) const PLACES: &str = "file:PATH, a new one; command:PROGRAM ARGUMENTS…, which reads it; or terminal. \
     {device} in it is the device's name";

/// A place for one passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A new file that nobody else reads.
    File(PathBuf),
    /// A program reads it from its standard input. Split at spaces; there is no shell.
    Command(Vec<String>),
    /// The operator sees it once.
    Terminal,
}

impl FromStr for Place {
    type Err = String;

    /// Never repeats the text: it may be a passphrase that somebody has given by mistake.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("command", words)) if !words.trim().is_empty() => Ok(Self::Command(
                words.split_whitespace().map(str::to_owned).collect(),
            )),
            None if text == "terminal" => Ok(Self::Terminal),
            _ => Err(format!("must be {PLACES}")),
        }
    }
}

impl Place {
    /// The place for the device called `label`.
    pub(super) fn of(&self, label: &str) -> Self {
        // A name is never a way to another folder.
        let label = label.replace('/', "_");
        let named = |text: &str| text.replace("{device}", &label);
        match self {
            Self::File(path) => match path.to_str() {
                Some(path) => Self::File(named(path).into()),
                None => self.clone(),
            },
            Self::Command(words) => Self::Command(words.iter().map(|word| named(word)).collect()),
            Self::Terminal => Self::Terminal,
        }
    }

    /// As `--new-passphrase-from` would find it, nothing where it is nowhere.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.display().to_string()),
            Self::Command(words) => words.first().cloned(),
            Self::Terminal => None,
        }
    }

    /// Puts it there. `what` names it for the operator.
    pub(super) fn put(&self, what: &str, passphrase: &str) -> Result<(), Failure> {
        let line = zeroize::Zeroizing::new(format!("{passphrase}\n"));
        match self {
            Self::File(path) => {
                let file = NewFile {
                    path,
                    mode: SECRET,
                    group: None,
                    existing: Existing::KeepForGood,
                };
                Ok(file.write(line.as_bytes())?)
            }
            Self::Command(words) => read_by(words, line.as_bytes()),
            Self::Terminal => Ok(terminal::show(what, passphrase)?),
        }
    }

    /// Takes it away where the device does not have it: a file that was made for it.
    pub(super) fn take_back(&self) {
        if let Self::File(path) = self {
            // Where that fails, a passphrase is left that opens nothing.
            let _ = fs::remove_file(path);
        }
    }
}

/// Has a program read `line`.
fn read_by(words: &[String], line: &[u8]) -> Result<(), Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::usage(format!("a place must be {PLACES}")));
    };
    let failed = |error| Failure::with(program.as_ref(), &error);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        // What it says is no answer of this program.
        .stdout(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // Dropped here: the program sees the end.
    let written = child.stdin.take().map(|mut input| input.write_all(line));
    let status = child.wait().map_err(failed)?;
    match (written, status.success()) {
        (Some(Ok(())), true) => Ok(()),
        _ => Err(Failure::failed(format!(
            "{program}: has not taken the passphrase; the device was asked for nothing"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_one_device_and_what_is_none_is_not_repeated() {
        let place: Place = "file:new/{device}-x.txt".parse().unwrap();
        assert_eq!(
            place.of("[::1]:8443/x").name().unwrap(),
            "new/[::1]:8443_x-x.txt"
        );
        let place: Place = "command:pass insert -m {device}/x".parse().unwrap();
        let words = ["pass", "insert", "-m", "one/x"].map(str::to_owned);
        assert_eq!(place.of("one"), Place::Command(words.to_vec()));
        for wrong in [
            "hunter2hunter2",
            "file:",
            "command: ",
            "terminal:x",
            "prompt",
        ] {
            let error = Place::from_str(wrong).unwrap_err();
            assert_eq!(error, format!("must be {PLACES}"));
        }
    }
}
