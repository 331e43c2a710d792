//! What is on no machine of the tests is at least right by its form: every line of `signstar-admin`
//! in any page is one that it takes, and every block of commands is one that a shell can read.
//!
//! Only parsed, and run by no test, are:
//! - `docs/deploy.md`, "With a device": cards, TPMs, and a PIN that somebody types;
//! - `docs/ceremony.md`: several people, and an offline machine;
//! - `docs/clients.md`, "Another account": the site has one account, for packages;
//! - `docs/migration.md`, "The same key on a card", "The same key in a NetHSM" and "The same card";
//! - `docs/nethsm.md`, "The passphrase, where systemd keeps it": systemd as first process;
//! - `docs/runbooks.md`, "A second device": two cards.
//!
//! The modules of these pages say the same, by `At::Parsed`. What signstar-admin does with cards and
//! TPMs, its tests `devices` show.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::page;

/// Every page that has commands in it.
fn pages() -> Vec<(String, String)> {
    let mut names = vec!["README.md".to_owned(), "packaging/README.md".to_owned()];
    for entry in std::fs::read_dir(page::tree().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        names.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    names.sort();
    names
        .into_iter()
        .map(|name| (name.clone(), page::text(&name)))
        .collect()
}

/// A command line as the shell takes it apart, with names in place of what it would have put in.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut depth = 0;
    for char in line.chars() {
        match (quote, char) {
            (_, '(') if word.as_deref().is_some_and(|word| word.ends_with('$')) => depth += 1,
            (_, ')') if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == char => quote = None,
            (None, ' ') => words.extend(word.take()),
            (None, '|' | '>' | '&' | ';') => break,
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

/// The lines of `signstar-admin` in blocks of a page, those in the middle of a pipe too.
fn admin_lines(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.trim_start_matches("ExecStart=/usr/bin/");
            let parts = line.split(" | ").map(str::trim_start);
            lines.extend(
                parts
                    .filter(|part| part.starts_with("signstar-admin "))
                    .map(str::to_owned),
            );
        }
    }
    assert!(!inside);
    lines
}

fn takes(line: &str) -> Result<(), String> {
    let parsed = signstar_admin::command().try_get_matches_from(words(line));
    parsed.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn signstar_admin_takes_every_line_of_every_page() {
    let mut count = 0;
    for (name, text) in pages() {
        for line in admin_lines(&text) {
            takes(&line).unwrap_or_else(|error| panic!("{name}: {line}\n{error}"));
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn what_is_named_in_a_sentence_is_there() {
    for (name, text) in pages() {
        let mut inside = false;
        let prose = text.lines().filter(|line| {
            inside ^= line.starts_with("```");
            !inside
        });
        let prose: Vec<&str> = prose.collect();
        for spoken in prose.join(" ").split('`').skip(1).step_by(2) {
            let Some(verbs) = spoken.strip_prefix("signstar-admin ") else {
                continue;
            };
            if verbs.contains(':') {
                // What records of a rehearsal say.
                continue;
            }
            let whole = signstar_admin::command();
            let mut command = &whole;
            for verb in verbs.split('|').next().unwrap().split_whitespace() {
                match command.find_subcommand(verb) {
                    Some(found) => command = found,
                    // Behind its verbs come arguments, in capitals or as options.
                    None => {
                        let is_argument = verb.starts_with('-')
                            || !command.has_subcommands()
                            || verb.chars().all(|char| !char.is_lowercase());
                        assert!(is_argument, "{name}: `{spoken}`");
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn a_line_with_a_mistake_is_found() {
    takes("signstar-admin cert revoke --key a --reason retired --text 'two words' --dry-run")
        .unwrap();
    takes("signstar-admin audit list --since \"$(date -u +%F)\" > file").unwrap();
    for wrong in [
        "signstar-admin cert revoke --key a",
        "signstar-admin cert revoked --key a --reason retired",
        "signstar-admin key import --key a --from b",
        "signstar-admin audit list --sinse 1day",
    ] {
        assert!(takes(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_shell_can_read_every_block() {
    let mut count = 0;
    for (name, text) in pages() {
        if !text.contains("```sh\n") {
            continue;
        }
        for section in page::sections(&text) {
            let mut shell = Command::new("sh")
                .arg("-n")
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = shell.stdin.take().unwrap();
            stdin.write_all(section.script.as_bytes()).unwrap();
            drop(stdin);
            let output = shell.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}, {}: {said}", section.title);
            count += 1;
        }
    }
    assert!(count > 25, "{count}");
}
