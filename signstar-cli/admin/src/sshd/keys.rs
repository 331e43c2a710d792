//! Who may ask: files of keys, authorities and principals, line by line.

mod line;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use signstar::trusted_file::describe;

use super::effective::Effective;
use crate::account::Account;
use crate::finding::{Findings, Weight};
use crate::owners;

/// Whether a file holds keys or names of principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Keys,
    Principals,
}

/// Adds what is wrong with the files that decide who may ask. `readers` has the account that reads
/// a file, by its path.
pub(super) fn check(
    findings: &mut Findings,
    account: &Account,
    sshd: &Effective,
    readers: &mut BTreeMap<PathBuf, String>,
) {
    let user = &account.name;
    let mut found = 0;
    for (option, content) in [
        ("authorizedkeysfile", Content::Keys),
        ("authorizedprincipalsfile", Content::Principals),
    ] {
        for word in sshd.words(option) {
            let path = expand(word, account);
            match changeable(&path) {
                None => {}
                Some(place) => {
                    let text = format!(
                        "others than root decide who may ask: make {} root's, writable by root \
                         only",
                        place.display()
                    );
                    findings.add_for(user, Weight::Problem, text);
                }
            }
            if let Some(other) = readers.insert(path.clone(), user.clone()) {
                let text = format!(
                    "two accounts have the same file of keys: give each its own, as by %u \
                     ({} is {other}'s, too)",
                    path.display()
                );
                findings.add_for(user, Weight::Problem, text);
            }
            match fs::read(&path) {
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(&bytes);
                    found += read(findings, user, &path, &text, content);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let text = format!(
                        "a file of keys cannot be read: {}: {}",
                        path.display(),
                        describe(&error)
                    );
                    findings.add_for(user, Weight::Problem, text);
                }
            }
        }
    }
    let authorities = authorities(findings, user, sshd);
    let principals = sshd.words("authorizedprincipalsfile").next().is_some();
    // An authority alone lets in whom it names like the account.
    if found == 0 && (!authorities || principals) {
        let text = "nobody may ask: put a key into its AuthorizedKeysFile";
        findings.add_for(user, Weight::Problem, text);
    }
    let revoked = sshd.words("revokedkeys").next();
    if let Some(file) = revoked.filter(|file| fs::read(file).is_err()) {
        let text =
            format!("sshd lets nobody in while it cannot read the revoked keys: make {file}");
        findings.add_for(user, Weight::Problem, text);
    }
}

/// Reads a file, and counts who is named in it.
fn read(findings: &mut Findings, user: &str, path: &Path, text: &str, content: Content) -> usize {
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        count += 1;
        let problems = match content {
            Content::Keys => line::check_key(line),
            Content::Principals => line::check_principal(line),
        };
        for (weight, sentence, mend) in problems {
            let text = format!("{sentence}: {mend} ({} line {})", path.display(), index + 1);
            findings.add_for(user, weight, text);
        }
    }
    count
}

/// Whether authorities are trusted; adds what is wrong with their file.
fn authorities(findings: &mut Findings, user: &str, sshd: &Effective) -> bool {
    let Some(file) = sshd.words("trustedusercakeys").next() else {
        return false;
    };
    match owners::changeable(Path::new(file)) {
        Ok(None) => {}
        Ok(Some(place)) => {
            let text = format!(
                "others than root decide which authorities are trusted: make {} root's, \
                 writable by root only",
                place.display()
            );
            findings.add_for(user, Weight::Problem, text);
        }
        Err(error) => {
            let text = format!(
                "the file of trusted authorities is missing: make {file}, or remove \
                 `TrustedUserCAKeys` ({})",
                describe(&error)
            );
            findings.add_for(user, Weight::Problem, text);
        }
    }
    true
}

/// The tokens of sshd_config(5) that AuthorizedKeysFile takes.
fn expand(word: &str, account: &Account) -> PathBuf {
    let home = account.home.display().to_string();
    let mut expanded = String::new();
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            expanded.push(char);
            continue;
        }
        match chars.next() {
            Some('u') => expanded.push_str(&account.name),
            Some('U') => expanded.push_str(&account.id.to_string()),
            Some('h') => expanded.push_str(&home),
            Some(other) => expanded.push(other),
            None => {}
        }
    }
    account.home.join(expanded)
}

/// Who can change a file that may not be there yet: then what counts is the folder that is.
fn changeable(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find(|place| place.exists())?;
    owners::changeable(there).ok().flatten()
}
