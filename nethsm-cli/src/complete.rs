//! What could stand in the place of a word: for the completions of shells, which ask by
//! `nethsm-cli __complete`.
//!
//! It looks at the command line, the profile, and what other commands have noted ([`crate::known`]), within
//! a bound of time. Deliberately absent: the device, which is never asked, so that none that is off holds
//! up a key press, and no passphrase is needed for one.

mod lists;
mod place;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use place::Place;

/// The first argument of a shell's question.
pub(crate) const VERB: &str = "__complete";
/// How long the answer may take: files may lie on a machine that does not answer.
const WAIT: Duration = Duration::from_millis(500);
/// What shells take for: complete names of files.
const FILES: &str = ":files";

/// A completion that asks this program, for one shell.
pub fn script(shell: &str) -> Option<&'static str> {
    match shell {
        "bash" => Some(include_str!("complete/nethsm-cli.bash")),
        "fish" => Some(include_str!("complete/nethsm-cli.fish")),
        "zsh" => Some(include_str!("complete/nethsm-cli.zsh")),
        _ => None,
    }
}

/// Answers `line LINE`, whose end is being written, or `words WORD…`, whose last is: a candidate a line,
/// with what it is behind a tab.
pub(crate) fn answer(arguments: &[OsString]) -> ExitCode {
    let (sender, receiver) = mpsc::channel();
    let arguments = arguments.to_vec();
    // Whoever is not ready in time ends with the process.
    thread::spawn(move || sender.send(written(&arguments)));
    let text = receiver.recv_timeout(WAIT).unwrap_or_default();
    print!("{text}");
    ExitCode::SUCCESS
}

fn written(arguments: &[OsString]) -> String {
    let texts: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words = match texts.split_first() {
        Some((form, rest)) if form == "words" => rest.to_vec(),
        Some((form, rest)) if form == "line" => rest
            .first()
            .map_or_else(Vec::new, |line| words::split(line)),
        _ => return String::new(),
    };
    let Some((current, before)) = words.split_last() else {
        return String::new();
    };
    let before = crate::aliases::translated(before.iter().map(OsString::from).collect());
    let before: Vec<String> = before
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut command = crate::command();
    command.build();
    let place = Place::after(&command, before.get(1..).unwrap_or_default());
    let lines = place.candidates(current);
    lines.iter().map(Candidate::line).collect()
}

/// What may stand there, and what it is.
struct Candidate(String, String);

impl Candidate {
    fn plain(value: impl Into<String>) -> Self {
        Self(value.into(), String::new())
    }

    fn line(&self) -> String {
        // What comes from files never ends a line.
        let one = |text: &str| text.replace(char::is_control, " ");
        match self.1.as_str() {
            "" => format!("{}\n", one(&self.0)),
            what => format!("{}\t{}\n", one(&self.0), one(what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(line: &str) -> Vec<String> {
        let answer = written(&["line".into(), line.into()]);
        let values = answer
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default());
        values.map(str::to_owned).collect()
    }

    #[test]
    fn verbs_options_and_fixed_values_are_candidates() {
        assert_eq!(candidates("nethsm-cli key mo"), ["move"]);
        assert_eq!(
            candidates("nethsm-cli key list --us"),
            ["--usable", "--user"]
        );
        assert_eq!(candidates("nethsm-cli --output j"), ["json"]);
        assert_eq!(candidates("nethsm-cli --output=j"), ["--output=json"]);
        assert_eq!(candidates("nethsm-cli key generate EC_P5"), ["EC_P521"]);
        assert_eq!(
            candidates("nethsm-cli user add x --role Ad"),
            ["Administrator"]
        );
        // The value of an option is no verb.
        assert_eq!(candidates("nethsm-cli -u key na"), ["namespace"]);
        assert_eq!(
            candidates("nethsm-cli restore -"),
            candidates("nethsm-cli backup restore -")
        );
        assert!(candidates("nethsm-cli key list nothing-like-that").is_empty());
    }

    #[test]
    fn files_are_left_to_the_shell() {
        for line in [
            "nethsm-cli backup verify ",
            "nethsm-cli backup create --out=",
            "nethsm-cli --passphrase-from file:/e",
            "nethsm-cli --ca x",
        ] {
            assert_eq!(candidates(line), [FILES], "{line}");
        }
        assert_eq!(
            candidates("nethsm-cli --passphrase-from f"),
            ["fd:", "file:"]
        );
    }
}
