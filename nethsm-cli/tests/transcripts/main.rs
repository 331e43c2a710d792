//! What commands say, with a simulated device each: `said/*.txt` hold what was typed and what came back.
//!
//! A file's name is the sentence that it proves. `$ ` begins a command, `? ` names its status where that is
//! not 0, `#: ` a remark; a line `...` stands for any lines. Beside nethsm-cli there are a few other
//! programs, `write FILE TEXT` (`\n` is a line end), `mode FILE`, and `simulator WORDS`, which does something to the
//! device, or to another one whose label comes first. `meanwhile` begins a command that goes on, and `finished`
//! is its end; `ready LABEL` makes a fresh device ready for a cluster. `[MEMBER]` is the member that learns. A
//! file begins with `#: fresh` or `#: operational`, which is what the device is.
//!
//! `BLESS=1` writes what was said into the files, to be looked at before it is committed.
//!
//! What every command asked its device for is compared with the table of operations.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod documented;
#[allow(dead_code, reason = "each test program uses a part of it")]
mod network;
mod plain;
mod rehearsal;
mod schema;
#[allow(dead_code, reason = "each test program uses a part of it")]
mod stage;
mod steps;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nethsm_cli::operations::{NETHSM, NITROPY, OPERATIONS};

/// Transcripts that are played at the same time.
const AT_ONCE: usize = 4;
/// Held by a test that plays them: what devices do within a second must be asked for within it.
static PLAYING: Mutex<()> = Mutex::new(());

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/said")
}

/// Plays all transcripts, some at a time. What is wrong with any is a whole report.
fn played<R: Send>(play: impl Fn(&Path) -> Result<R, String> + Sync) -> Vec<R> {
    let _playing = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // What takes longest begins first: nobody waits for it in the end.
    files.sort_by_key(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        let costly = text.starts_with("#: operational, with costly passphrases");
        (!costly, path.clone())
    });
    assert!(!files.is_empty());
    let waiting = Mutex::new(files.into_iter());
    let (done, wrong) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(path) = waiting.lock().unwrap().next() else {
                        return;
                    };
                    match play(&path) {
                        Ok(result) => done.lock().unwrap().push(result),
                        Err(problem) => wrong.lock().unwrap().push(problem),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    done.into_inner().unwrap()
}

#[test]
fn commands_say_what_their_transcripts_say_and_ask_for_every_operation() {
    let asked: BTreeSet<(String, String)> =
        played(transcript::play).into_iter().flatten().collect();
    let missing: Vec<_> = OPERATIONS
        .iter()
        .filter(|(operation, path)| !asked.contains(&((*path).to_owned(), (*operation).to_owned())))
        .collect();
    assert!(
        missing.is_empty(),
        "no command with success asked for {missing:?}"
    );
}

/// The names of all operations of the API that the SDK brings, as the SDK's functions are called.
fn operations_of_the_api() -> BTreeSet<String> {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(metadata.status.success());
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sdk = packages
        .iter()
        .find(|package| package["name"] == "nethsm-sdk-rs");
    let manifest = Path::new(sdk.unwrap()["manifest_path"].as_str().unwrap());
    let api = manifest.parent().unwrap().join("nethsm-api.yaml");
    let api = std::fs::read_to_string(api).unwrap();
    let mut operations = BTreeSet::new();
    let mut path = String::new();
    let paths = api
        .lines()
        .skip_while(|line| line.trim_end() != "paths:")
        .skip(1);
    for line in paths.take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        let word = line.trim().trim_end_matches(':');
        if line.starts_with("  /") || line.starts_with("  \"/") || line.starts_with("  '/") {
            path = word.trim_matches(['"', '\'']).to_owned();
        } else if ["    get:", "    put:", "    post:", "    delete:"].contains(&line.trim_end()) {
            let words = path.split(|char: char| !char.is_ascii_alphanumeric());
            let words: Vec<String> = words
                .filter(|word| !word.is_empty())
                .map(|word| {
                    // `{KeyID}` is key_id there.
                    let mut snake = String::new();
                    let mut before = ' ';
                    for char in word.chars() {
                        if char.is_ascii_uppercase() && before.is_ascii_lowercase() {
                            snake.push('_');
                        }
                        snake.push(char.to_ascii_lowercase());
                        before = char;
                    }
                    snake
                })
                .collect();
            operations.insert(format!("{}_{word}", words.join("_")));
        }
    }
    operations
}

#[test]
fn every_operation_of_the_api_has_a_command() {
    let api = operations_of_the_api();
    let ours: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|(operation, _)| (*operation).to_owned())
        .collect();
    assert_eq!(api, ours);
    assert_eq!(api.len(), 78);
}

/// Every command that can be given, and its command.
fn leaves() -> BTreeMap<String, clap::Command> {
    fn collect(path: &str, command: &clap::Command, leaves: &mut BTreeMap<String, clap::Command>) {
        let mut below = command
            .get_subcommands()
            .filter(|verb| verb.get_name() != "help")
            .peekable();
        if below.peek().is_none() {
            leaves.insert(path.to_owned(), command.clone());
        }
        for verb in below {
            collect(format!("{path} {}", verb.get_name()).trim(), verb, leaves);
        }
    }
    let mut leaves = BTreeMap::new();
    collect("", &nethsm_cli::command(), &mut leaves);
    leaves
}

#[test]
fn tables_name_commands_that_are_there() {
    let leaves = leaves();
    for (name, path) in OPERATIONS.iter().chain(&NITROPY).chain(&NETHSM) {
        assert!(leaves.contains_key(*path), "{name}: {path} is no command");
    }
}

#[test]
fn every_command_has_an_example_that_parses() {
    for path in leaves().into_keys() {
        let sections = nethsm_cli::manual::sections(&path);
        let titles: Vec<&str> = sections.iter().map(|section| section.title).collect();
        assert_eq!(
            titles,
            ["EXAMPLES", "FILES", "ENVIRONMENT", "EXIT STATUS"],
            "{path}"
        );
        for (line, _) in &sections[0].items {
            let words = steps::words(line);
            let parsed = nethsm_cli::command().try_get_matches_from(&words);
            let mut matches = &parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
            let mut found = Vec::new();
            while let Some((verb, below)) = matches.subcommand() {
                found.push(verb);
                matches = below;
            }
            assert_eq!(found.join(" "), path, "{line}");
        }
    }
}

/// The published table, which is written by `BLESS=1`.
#[test]
fn the_table_in_the_documentation_is_that_of_the_program() {
    let mut text = String::from(
        "# What nethsm-cli covers\n\nWritten by the tests of `nethsm-cli` from its tables.\n\n\
         ## Operations of the device\n\n| operation | command |\n|---|---|\n",
    );
    for (operation, path) in OPERATIONS {
        text.push_str(&format!("| `{operation}` | `{path}` |\n"));
    }
    text.push_str(
        "\n## Commands of nitropy nethsm\n\nThese names are understood here too, with our options.\n\n\
         | nitropy nethsm | nethsm-cli |\n|---|---|\n",
    );
    for (name, path) in NITROPY {
        text.push_str(&format!("| `{name}` | `{path}` |\n"));
    }
    text.push_str(
        "\n## Commands of nethsm 0.12\n\nThe names are for those who look for ours; they are not understood \
         here.\n\n| nethsm | nethsm-cli |\n|---|---|\n",
    );
    for (name, path) in NETHSM {
        text.push_str(&format!("| `{name}` | `{path}` |\n"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/nethsm-cli-coverage.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}
