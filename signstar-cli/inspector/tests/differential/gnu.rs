//! GNU tar: what it lists, and all contents one after the other.
//!
//! It is a process, so it gets many archives at once, one behind the other: with `--ignore-zeros` it
//! goes on behind the end of one. What it makes of that end, archives one by one show.

use std::io::Write;
use std::process::Command;

use serde_json::Value;

use crate::readers::Found;
use crate::support::through;

/// What GNU tar says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gnu {
    lines: Vec<Line>,
    contents: Vec<u8>,
}

/// One line of its list.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    kind: char,
    size: String,
    /// The path and what it says of a link.
    name: String,
}

impl Gnu {
    /// Reads one archive; nothing where it fails.
    pub(crate) fn read(plain: &[u8]) -> Option<Self> {
        Self::of(plain, &[])
    }

    /// Reads archives that were put one behind the other.
    pub(crate) fn read_all(plain: &[u8]) -> Option<Self> {
        Self::of(plain, &["--ignore-zeros"])
    }

    fn of(plain: &[u8], options: &[&str]) -> Option<Self> {
        let list = ["-tvf", "-", "--numeric-owner", "--quoting-style=literal"];
        let listed = run(&[&list, options].concat(), plain)?;
        let contents = run(&[&["-xOf", "-"], options].concat(), plain)?;
        let listed = String::from_utf8(listed).ok()?;
        let lines: Option<Vec<Line>> = listed.lines().map(Line::parse).collect();
        Some(Self {
            lines: lines?,
            contents,
        })
    }

    /// Whether it says the same as `found` of archives whose files contain `contents`.
    pub(crate) fn agrees(&self, found: &[&Found], contents: &[u8]) -> bool {
        let entries = found.iter().flat_map(|found| found.as_array().unwrap());
        let entries: Vec<&Value> = entries.collect();
        let same = |(line, entry): (&Line, &&Value)| line.agrees(entry);
        self.contents == contents
            && self.lines.len() == entries.len()
            && self.lines.iter().zip(&entries).all(same)
    }
}

impl Line {
    /// Takes a line apart: mode, owner, size, date, time, and the rest.
    fn parse(line: &str) -> Option<Self> {
        let mut rest = line;
        let mut word = || {
            let (word, behind) = rest.split_once(' ')?;
            rest = behind.trim_start_matches(' ');
            Some(word)
        };
        let kind = word()?.chars().next()?;
        word()?;
        let size = word()?.to_owned();
        word()?;
        // Behind the time there is one space: more belong to the name.
        let (_, name) = rest.split_once(' ')?;
        Some(Self {
            kind,
            size,
            name: name.to_owned(),
        })
    }

    fn agrees(&self, entry: &Value) -> bool {
        let text = |index: usize| entry[index].as_str().unwrap();
        let (path, target) = (text(0), text(3));
        match text(1) {
            // It shows the slash where it stands in the header.
            "folder" => {
                self.kind == 'd' && self.name.strip_suffix('/').unwrap_or(&self.name) == path
            }
            "symbolic link" => self.kind == 'l' && self.name == format!("{path} -> {target}"),
            "hard link" => self.kind == 'h' && self.name == format!("{path} link to {target}"),
            _ => {
                self.kind == '-' && self.name == path && self.size.parse().ok() == entry[2].as_u64()
            }
        }
    }
}

fn run(arguments: &[&str], plain: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new("tar");
    command
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC");
    // It stops reading where it has seen enough.
    let output = through(&mut command, |stdin| drop(stdin.write_all(plain)));
    output.status.success().then_some(output.stdout)
}
