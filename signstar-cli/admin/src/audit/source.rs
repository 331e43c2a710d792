//! Logs in which records are: the audit file, the files of a syslog server, the journal as
//! `journalctl -o export` or `-o json` writes it. A log tells by its first bytes which it is.
//!
//! A record itself is read by the core alone, which takes exactly what it writes.

mod export;
mod journal;
mod json;
mod line;
mod lines;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use signstar::config::SinkChoice;
use signstar::trusted_file::describe;

use super::entry::{Entry, Place};
use crate::failure::{Failure, Status};
use crate::settings::Settings;

/// Standard input, by its name on the command line.
const STANDARD_INPUT: &str = "-";

/// The logs that are meant: those of the command line, or the configured file.
pub(crate) fn chosen(given: &[PathBuf], config: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    match Settings::load(config)?.config.audit.sink {
        SinkChoice::File { path, .. } => Ok(vec![path]),
        SinkChoice::Journald { .. } => Err(missing(
            "journalctl -o export SYSLOG_IDENTIFIER=signstar | signstar-admin audit … -",
        )),
        SinkChoice::Syslog { .. } => Err(missing("the file that the syslog server writes")),
        SinkChoice::Stderr => Err(missing("the file that standard error went to")),
    }
}

fn missing(advice: &str) -> Failure {
    let text = format!("the configured sink is no file: say which log to read ({advice})");
    Failure::new(Status::Usage, text)
}

/// Gives `take` everything in the log at `path` that is a record or should be one.
pub(crate) fn read(path: &Path, take: &mut dyn FnMut(Entry)) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let text = format!("{}: {}", path.display(), describe(&error));
        Failure::new(Status::InputOutput, text)
    };
    let is_standard_input = path.as_os_str() == STANDARD_INPUT;
    let name = match is_standard_input {
        true => "standard input".into(),
        false => path.to_string_lossy(),
    };
    let mut source = Source {
        name: Rc::from(name),
        number: 0,
        take,
    };
    let read = match is_standard_input {
        true => source.read(&mut io::stdin().lock()),
        false => source.read(&mut BufReader::new(File::open(path).map_err(failed)?)),
    };
    read.map_err(failed)
}

/// A log that is being read.
struct Source<'t> {
    name: Rc<str>,
    /// Of the line or entry that is being read.
    number: u64,
    take: &'t mut dyn FnMut(Entry),
}

impl Source<'_> {
    fn read(&mut self, reader: &mut dyn BufRead) -> io::Result<()> {
        let start = reader.fill_buf()?;
        match start {
            [b'{', ..] => json::read(self, reader),
            _ if export::starts(start) => export::read(self, reader),
            _ => lines::read(self, reader),
        }
    }

    fn place(&self) -> Place {
        Place {
            source: Rc::clone(&self.name),
            number: self.number,
        }
    }
}

#[cfg(test)]
#[path = "source/source_tests.rs"]
mod tests;
