//! A strict reader for one table of the configuration, which reports every problem with its line.
//!
//! Deserialising into structs would stop at the first problem; an operator wants all of them.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};
use toml::Spanned;

/// Something in the configuration that the operator must mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// Collects the problems of one file.
pub struct Problems<'i> {
    input: &'i str,
    found: RefCell<Vec<Problem>>,
}

impl<'i> Problems<'i> {
    /// No problems yet with `input`.
    pub fn new(input: &'i str) -> Self {
        Self {
            input,
            found: RefCell::new(Vec::new()),
        }
    }

    /// Notes a problem at a byte offset of the input.
    pub fn add(&self, offset: usize, text: impl fmt::Display) {
        let before = self.input.as_bytes().iter().take(offset);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        // A quoted name may hold anything; a problem stays one line and moves no cursor.
        let text = text.to_string().replace(char::is_control, "\u{fffd}");
        self.found.borrow_mut().push(Problem { line, text });
    }

    /// All problems by line.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        found
    }
}

/// One table, whose keys are taken one by one; what is left over in the end is a problem.
pub struct Table<'t, 'i> {
    name: String,
    offset: usize,
    entries: &'t DeTable<'i>,
    known: Vec<&'static str>,
    problems: &'t Problems<'i>,
}

impl<'t, 'i> Table<'t, 'i> {
    /// The table `name` (empty for the whole file), which starts at a byte offset of the input.
    pub fn new(
        name: &str,
        offset: usize,
        entries: &'t DeTable<'i>,
        problems: &'t Problems<'i>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            offset,
            entries,
            known: Vec::new(),
            problems,
        }
    }

    /// Notes a problem with the table as a whole.
    pub fn problem(&self, text: impl fmt::Display) {
        self.problems
            .add(self.offset, format_args!("{}{text}", self.prefix()));
    }

    /// Notes a problem with one of its keys.
    pub fn problem_with(&self, key: &str, text: impl fmt::Display) {
        let offset = self
            .find(key)
            .map_or(self.offset, |value| value.span().start);
        self.problems
            .add(offset, format_args!("{}`{key}` {text}", self.prefix()));
    }

    /// A text that must be there.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.optional_text(key);
        self.require(key);
        value
    }

    /// A text that may be there.
    pub fn optional_text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "a text", |value| {
            let text = value.as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        })
    }

    /// An absolute path that must be there.
    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = self.optional_path(key);
        self.require(key);
        path
    }

    /// An absolute path that may be there.
    pub fn optional_path(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = absolute(&self.optional_text(key)?);
        if path.is_none() {
            self.problem_with(key, "must be an absolute path without `..`");
        }
        path
    }

    /// Absolute paths, which may be none.
    pub fn paths(&mut self, key: &'static str) -> Vec<PathBuf> {
        let wanted = "a list of absolute paths without `..`";
        let paths = self.read(key, wanted, |value| each(value, absolute));
        paths.unwrap_or_default()
    }

    /// Texts in a list, which may be none.
    pub fn list(&mut self, key: &'static str) -> Vec<String> {
        let wanted = "a list of texts, and not an empty one";
        let texts = self.read(key, wanted, |value| {
            let texts = each(value, |text| plain(text).filter(|text| !text.is_empty()));
            texts.filter(|texts| !texts.is_empty())
        });
        texts.unwrap_or_default()
    }

    /// Texts under names that the operator chose, which may be none.
    pub fn texts(&mut self, key: &'static str) -> Vec<(String, String)> {
        let texts = self.read(key, "a table of texts", |value| {
            let entries = value.as_table()?.iter();
            let pairs = entries.map(|(name, value)| {
                let text = plain(value.get_ref().as_str()?)?;
                Some((name.get_ref().to_string(), text))
            });
            pairs.collect()
        });
        texts.unwrap_or_default()
    }

    /// One of `choices`, or `default`.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)], default: T) -> T {
        let Some(text) = self.optional_text(key) else {
            return default;
        };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return *choice;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.problem_with(key, format_args!("must be one of: {}", names.join(", ")));
        default
    }

    /// A whole number within `range`, or `default`.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.read(key, &wanted, |value| {
            let digits = value.as_integer()?;
            let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
            number.filter(|number| range.contains(number))
        });
        number.unwrap_or(default)
    }

    /// `true` or `false`, or `false` where it is absent.
    pub fn flag(&mut self, key: &'static str) -> bool {
        let flag = self.read(key, "true or false", DeValue::as_bool);
        flag.unwrap_or(false)
    }

    /// The table under `key`, if it is there.
    pub fn table(&mut self, key: &'static str) -> Option<Table<'t, 'i>> {
        let value = self.take(key)?;
        let name = self.name_of(key);
        self.as_table(&name, value)
    }

    /// The tables under `key`, whose names the operator chose.
    pub fn named_tables(&mut self, key: &'static str) -> Vec<(String, Table<'t, 'i>)> {
        let entries = self.read(key, "a table of tables", DeValue::as_table);
        if entries.is_some_and(|entries| entries.is_empty()) {
            // Whoever removes the last caller and not the header does not mean everybody.
            self.problem_with(key, "must not be empty");
        }
        let prefix = self.name_of(key);
        let named = entries.into_iter().flatten().filter_map(|(name, value)| {
            let full = format!("{prefix}.{}", name.get_ref());
            let table = self.as_table(&full, value)?;
            Some((name.get_ref().to_string(), table))
        });
        named.collect()
    }

    /// Ends the reading: every key that nobody asked for is a problem.
    pub fn finish(self) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let known = self.known.join(", ");
                self.problems.add(
                    key.span().start,
                    format_args!(
                        "{}unknown key {:?} (known: {known})",
                        self.prefix(),
                        key.get_ref()
                    ),
                );
            }
        }
    }

    fn as_table(&self, name: &str, value: &'t Spanned<DeValue<'i>>) -> Option<Table<'t, 'i>> {
        match value.get_ref() {
            DeValue::Table(entries) => {
                Some(Table::new(name, value.span().start, entries, self.problems))
            }
            _ => {
                self.problems
                    .add(value.span().start, format_args!("[{name}] must be a table"));
                None
            }
        }
    }

    fn require(&self, key: &str) {
        if self.find(key).is_none() {
            self.problem(format_args!("`{key}` is missing"));
        }
    }

    /// What `of` makes of the value of `key`, if there is one. Where it makes nothing of it, that is a problem:
    /// the value must be what is `wanted`.
    fn read<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        of: impl FnOnce(&'t DeValue<'i>) -> Option<T>,
    ) -> Option<T> {
        let read = of(self.take(key)?.get_ref());
        if read.is_none() {
            self.problem_with(key, format_args!("must be {wanted}"));
        }
        read
    }

    fn take(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.find(key)
    }

    /// What stands under `key`, if anything, without taking it.
    pub fn find(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.entries
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    fn name_of(&self, key: &str) -> String {
        match self.name.is_empty() {
            true => key.to_owned(),
            false => format!("{}.{key}", self.name),
        }
    }

    fn prefix(&self) -> String {
        match self.name.is_empty() {
            true => String::new(),
            false => format!("[{}] ", self.name),
        }
    }
}

/// What `of` makes of each text of a list.
fn each<T>(value: &DeValue<'_>, of: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let values = value.as_array()?.iter();
    values.map(|value| of(value.get_ref().as_str()?)).collect()
}

/// A text that can become an argument or a variable of a process.
fn plain(text: &str) -> Option<String> {
    (!text.contains('\0')).then(|| text.to_owned())
}

/// An absolute path that means what it says.
fn absolute(text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    let plain = path
        .components()
        .all(|part| !matches!(part, std::path::Component::ParentDir));
    (path.is_absolute() && plain && !text.contains('\0')).then_some(path)
}
