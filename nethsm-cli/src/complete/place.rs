//! Where a word of a command line stands, and what may stand there.

use clap::{Arg, Command, ValueHint};

use super::{Candidate, FILES};
use crate::known::Known;

/// How sources of passphrases begin.
const SOURCES: [&str; 5] = ["command:", "credential:", "fd:", "file:", "prompt"];

/// Where a word stands.
pub(super) struct Place<'a> {
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
    pub(super) given: Vec<(String, String)>,
}

impl<'a> Place<'a> {
    /// The place after `words`.
    pub(super) fn after(program: &'a Command, words: &[String]) -> Self {
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

    pub(super) fn candidates(&self, current: &str) -> Vec<Candidate> {
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
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// The first line of a help text.
fn about(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}
