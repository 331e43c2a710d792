//! What the profile allows, as AppArmor's parser puts it together.

use std::collections::BTreeMap;
use std::process::Command;

use crate::glob::matches;

/// Its rules for files: patterns, and what may be done.
pub(crate) struct Profile {
    rules: Vec<(String, String)>,
}

/// The file of `packaging`.
pub(crate) fn text() -> &'static str {
    include_str!("../../../../packaging/apparmor/usr.bin.signstar")
}

impl Profile {
    /// The one that is shipped.
    pub(crate) fn shipped() -> Self {
        Self::of(text())
    }

    /// That of a text.
    pub(crate) fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profile");
        std::fs::write(&file, text).unwrap();
        let mut parser = Command::new("/usr/sbin/apparmor_parser");
        let output = parser
            .arg("--preprocess")
            .arg(&file)
            .output()
            .expect("apparmor_parser starts (package apparmor)");
        assert!(output.status.success(), "{output:?}");
        let whole = String::from_utf8(output.stdout).unwrap();
        let variables = variables(&whole);
        let rules = whole.lines().filter_map(rule);
        let rules = rules.flat_map(|(pattern, rights)| {
            let patterns = expand(pattern, &variables).into_iter();
            patterns.map(move |pattern| (pattern, rights.to_owned()))
        });
        let rules: Vec<_> = rules.collect();
        assert!(rules.len() > 30, "{rules:?}");
        Self { rules }
    }

    /// Whether all of `rights` are given for `path`, by whatever rules.
    pub(crate) fn allows(&self, path: &str, rights: &str) -> bool {
        let given = |right: char| {
            let mut rules = self.rules.iter();
            rules.any(|(pattern, given)| given.contains(right) && matches(pattern, path))
        };
        rights.chars().all(given)
    }
}

/// A rule for files: `owner /tmp/sshauth.* r,`.
fn rule(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().strip_suffix(',')?;
    let line = line.strip_prefix("owner ").unwrap_or(line);
    let mut words = line.split_whitespace();
    let (pattern, rights) = (words.next()?, words.next()?);
    let is_path = pattern.starts_with('/') || pattern.starts_with("@{");
    (is_path && words.next().is_none()).then_some((pattern, rights))
}

/// The variables of the tunables, with what has been added to them.
fn variables(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut variables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        let Some((name, values)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim_end_matches('+').trim();
        if name.starts_with("@{") && name.ends_with('}') {
            let values = values.split('#').next().unwrap().split_whitespace();
            variables
                .entry(name)
                .or_default()
                .extend(values.map(|value| value.trim_matches('"')));
        }
    }
    variables
}

/// A pattern with every value of its variables. What the kernel alone knows stays as it is.
fn expand(pattern: &str, variables: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    let named = variables.iter().find(|(name, _)| pattern.contains(*name));
    let Some((name, values)) = named else {
        // Values of folders end with a slash.
        return vec![pattern.replace("//", "/")];
    };
    let one = |value: &&str| expand(&pattern.replacen(name, value, 1), variables);
    values.iter().flat_map(one).collect()
}
