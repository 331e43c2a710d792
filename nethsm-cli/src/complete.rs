//! What could stand in the place of a word: for the completions of shells, which ask by
//! `nethsm-cli __complete`.
//!
//! It looks at the command line, the profile, and what other commands have noted ([`crate::known`]), within
//! a bound of time. Deliberately absent: the device, which is never asked, so that none that is off holds
//! up a key press, and no passphrase is needed for one.

mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::{Arg, Command, ValueHint};

use crate::known::Known;
use crate::profile::Profiles;

/// The first argument of a shell's question.
pub(crate) const VERB: &str = "__complete";
/// How long the answer may take: files may lie on a machine that does not answer.
const WAIT: Duration = Duration::from_millis(500);
/// What shells take for: complete names of files.
const FILES: &str = ":files";

/// How sources of passphrases begin.
const SOURCES: [&str; 5] = ["command:", "credential:", "fd:", "file:", "prompt"];

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

/// Where a word stands.
struct Place<'a> {
    command: &'a Command,
    /// The words that lead to the command.
    path: Vec<&'a str>,
    /// How many words that are no options came after them.
    positionals: usize,
    /// The option whose value it is.
    pending: Option<&'a Arg>,
    /// After `--` there are no options.
    no_options: bool,
    /// Options by name, and their values, as far as they say who is asked.
    given: Vec<(String, String)>,
}

impl<'a> Place<'a> {
    /// The place after `words`.
    fn after(program: &'a Command, words: &[String]) -> Self {
        let mut place = Self {
            command: program,
            path: Vec::new(),
            positionals: 0,
            pending: None,
            no_options: false,
            given: Vec::new(),
        };
        words.iter().for_each(|word| place.pass(word));
        place
    }

    fn pass(&mut self, word: &str) {
        if let Some(option) = self.pending.take() {
            self.note(option, word);
        } else if self.no_options || word == "-" || !word.starts_with('-') {
            self.pass_word(word);
        } else if word == "--" {
            self.no_options = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let command = self.command;
            let mut all = command.get_arguments();
            let option = all.find(|option| option.get_long() == Some(name));
            self.pass_option(option, value);
        } else {
            self.pass_letters(word.trim_start_matches('-'));
        }
    }

    /// Several options of a letter each; what follows one that takes a value is its value.
    fn pass_letters(&mut self, letters: &str) {
        let command = self.command;
        for (place, letter) in letters.char_indices() {
            let mut all = command.get_arguments();
            let option = all.find(|option| option.get_short() == Some(letter));
            let rest = letters.get(place + letter.len_utf8()..).unwrap_or_default();
            let takes = option.is_some_and(takes_value);
            self.pass_option(option, (takes && !rest.is_empty()).then_some(rest));
            if takes {
                return;
            }
        }
    }

    fn pass_option(&mut self, option: Option<&'a Arg>, value: Option<&str>) {
        let Some(option) = option.filter(|option| takes_value(option)) else {
            return;
        };
        match value {
            Some(value) => self.note(option, value),
            None => self.pending = Some(option),
        }
    }

    fn note(&mut self, option: &Arg, value: &str) {
        self.given
            .push((option.get_id().to_string(), value.to_owned()));
    }

    fn pass_word(&mut self, word: &str) {
        let command = self.command;
        let below = match self.positionals {
            0 => command.find_subcommand(word),
            _ => None,
        };
        match below {
            Some(verb) => {
                self.command = verb;
                self.path.push(verb.get_name());
            }
            None => self.positionals += 1,
        }
    }

    fn candidates(&self, current: &str) -> Vec<Candidate> {
        if let Some(option) = self.pending {
            return self.values(option, "", current);
        }
        if current.starts_with('-') && !self.no_options {
            if let Some((name, value)) = current.split_once('=') {
                let mut all = self.command.get_arguments();
                let long = name.strip_prefix("--");
                let option = all.find(|option| option.get_long() == long && takes_value(option));
                let before = format!("{name}=");
                return option.map_or_else(Vec::new, |option| self.values(option, &before, value));
            }
            return self.options(current);
        }
        let verbs = self.command.get_subcommands();
        let mut found: Vec<Candidate> = verbs
            .filter(|verb| !verb.is_hide_set() && self.positionals == 0)
            .filter(|verb| verb.get_name().starts_with(current))
            .map(|verb| Candidate(verb.get_name().to_owned(), about(verb.get_about())))
            .collect();
        let mut all = self.command.get_positionals();
        let last = self.command.get_positionals().last();
        let last = last.filter(|last| {
            last.get_num_args()
                .is_some_and(|count| count.max_values() > 1)
        });
        if let Some(argument) = all.nth(self.positionals).or(last) {
            found.extend(self.values(argument, "", current));
        }
        found
    }

    fn options(&self, current: &str) -> Vec<Candidate> {
        let all = self.command.get_arguments();
        let all = all.filter(|option| !option.is_hide_set());
        all.filter_map(|option| {
            let name = format!("--{}", option.get_long()?);
            let fits = name.starts_with(current);
            fits.then(|| Candidate(name, about(option.get_help())))
        })
        .collect()
    }

    /// Values of an option or a word. `before` belongs to the same word of the line.
    fn values(&self, argument: &Arg, before: &str, current: &str) -> Vec<Candidate> {
        let fixed = argument.get_possible_values();
        let fixed = fixed.iter().filter(|value| !value.is_hide_set());
        let mut all: Vec<Candidate> = fixed
            .map(|value| Candidate(value.get_name().to_owned(), about(value.get_help())))
            .collect();
        let name = argument
            .get_value_names()
            .and_then(|names| names.first())
            .map_or("", |name| name.as_str());
        let (mut list, mut current) = (String::new(), current);
        match (argument.get_id().as_str(), name) {
            ("devices", _) => {
                // Several may stand in one word.
                if let Some((earlier, last)) = current.rsplit_once(',') {
                    (list, current) = (format!("{earlier},"), last);
                }
                all.extend(self.labels());
                all.extend(self.groups());
            }
            (_, "SOURCE") if current.starts_with("file:") => return vec![Candidate::plain(FILES)],
            (_, "SOURCE") => all.extend(SOURCES.map(Candidate::plain)),
            ("as_namespace", _) => all.extend(self.known(Known::namespaces)),
            ("user", _) => all.extend(self.users()),
            (_, "LABEL") if self.path.first() == Some(&"device") => all.extend(self.labels()),
            ("label", _) if self.path.first() == Some(&"device") => all.extend(self.labels()),
            ("id", _) => match self.path.first() {
                Some(&"key" | &"openpgp") => all.extend(self.keys()),
                Some(&"user" | &"cred") => all.extend(self.users()),
                _ => {}
            },
            ("namespace", _) => all.extend(self.known(Known::namespaces)),
            _ => match argument.get_value_hint() {
                ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => {
                    return vec![Candidate::plain(FILES)];
                }
                _ => {}
            },
        }
        all.retain(|candidate| candidate.0.starts_with(current));
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all.dedup_by(|one, other| one.0 == other.0);
        let whole = |Candidate(value, what)| Candidate(format!("{before}{list}{value}"), what);
        all.into_iter().map(whole).collect()
    }

    /// The value of an option: of the line, else of its variable.
    fn option(&self, id: &str, variable: &str) -> Option<String> {
        let mut given = self.given.iter().rev();
        let given = given.find(|(name, _)| name == id);
        given
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var(variable).ok())
            .filter(|value| !value.is_empty())
    }

    /// The profile; there is nothing in one that cannot be read.
    fn profiles(&self) -> Option<Profiles> {
        let path = self.option("config", "NETHSM_CONFIG").map(PathBuf::from);
        let path = path.map_or_else(Profiles::default_path, Ok).ok()?;
        Profiles::load(path).ok()
    }

    fn labels(&self) -> Vec<Candidate> {
        let profiles = self.profiles();
        let devices = profiles.iter().flat_map(|profiles| &profiles.devices);
        devices
            .map(|(label, profile)| Candidate(label.clone(), profile.url.clone()))
            .collect()
    }

    fn groups(&self) -> Vec<Candidate> {
        let profiles = self.profiles();
        let devices = profiles.iter().flat_map(|profiles| &profiles.devices);
        let groups = devices.flat_map(|(_, profile)| &profile.groups);
        groups
            .map(|group| Candidate(format!("@{group}"), "a group of devices".to_owned()))
            .collect()
    }

    /// The addresses of the devices that are meant, and the profile.
    fn asked(&self) -> (Vec<String>, Option<Profiles>) {
        if let Some(url) = self.option("url", "NETHSM_URL") {
            return (vec![url], None);
        }
        let Some(profiles) = self.profiles() else {
            return (Vec::new(), None);
        };
        let named = self.option("devices", "NETHSM_DEVICE").unwrap_or_default();
        let named: Vec<&str> = named.split(',').filter(|name| !name.is_empty()).collect();
        let meant = |label: &str, groups: &[String]| {
            let in_group = |name: &&str| {
                let group = name.strip_prefix('@');
                group.is_some_and(|group| groups.iter().any(|known| known == group))
            };
            match (named.is_empty(), &profiles.default) {
                (false, _) => named.contains(&label) || named.iter().any(in_group),
                (true, Some(default)) => default == label,
                (true, None) => true,
            }
        };
        let devices = profiles.devices.iter();
        let devices = devices.filter(|(label, profile)| meant(label, &profile.groups));
        let urls = devices.map(|(_, profile)| profile.url.clone()).collect();
        (urls, Some(profiles))
    }

    fn known(&self, what: fn(&Known, &str) -> Vec<String>) -> Vec<Candidate> {
        let (urls, _) = self.asked();
        let known = Known::load();
        let found = urls.iter().flat_map(|url| what(&known, url));
        found.map(Candidate::plain).collect()
    }

    fn users(&self) -> Vec<Candidate> {
        let (urls, profiles) = self.asked();
        let devices = profiles
            .iter()
            .flat_map(|profiles| profiles.devices.values());
        let devices = devices.filter(|profile| urls.contains(&profile.url));
        let users = devices.flat_map(|profile| &profile.users);
        let mut found: Vec<Candidate> = users
            .map(|(id, user)| Candidate(id.clone(), user.role.name().to_owned()))
            .collect();
        found.extend(self.known(Known::users));
        found
    }

    fn keys(&self) -> Vec<Candidate> {
        let space = self.option("as_namespace", "NETHSM_AS_NAMESPACE");
        let space = space.or_else(|| {
            let user = self.option("user", "NETHSM_USER")?;
            user.split_once('~').map(|(space, _)| space.to_owned())
        });
        let (urls, _) = self.asked();
        let known = Known::load();
        let found = urls
            .iter()
            .flat_map(|url| known.keys(url, space.as_deref().unwrap_or_default()));
        found.map(Candidate::plain).collect()
    }
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// The first line of a help text.
fn about(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
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
