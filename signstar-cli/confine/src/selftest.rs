//! Escape attempts as data, for `signstar-admin sandbox selftest` and for the tests.
//!
//! An operator can see on their own host and kernel that the confinement holds: the tool starts
//! itself once per attempt, the child takes the defence it is told, tries one thing and reports by
//! its end, because a filter that works kills it. Each attempt is also made without defence, so
//! that "it was stopped" means more than "it never worked".
//!
//! Only what safe wrappers can express is here. Deliberately absent: executable mappings, raw
//! system call numbers and wrong architectures, which the tests of this crate try. Attempts change
//! nothing outside their own process. This module is never part of the login shell.

mod descriptors;
mod files;
mod network;
mod processes;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use crate::{ConfineError, Rule, load_filter, restrict_files_and_network};

/// Something a confined process must not be able to do.
#[derive(Clone, Copy, Debug)]
pub struct Escape {
    /// A short name, for tables and command lines.
    pub name: &'static str,
    /// What it tries, for people.
    pub tries: &'static str,
    /// What is there to stop it.
    pub stopped_by: StoppedBy,
    /// Whether it works for everyone when nothing stops it.
    pub needs: Needs,
    prepare: fn() -> io::Result<Attempt>,
}

/// An attempt that has what it needs already, ready to be made after lock-down.
type Attempt = Box<dyn FnOnce() -> io::Result<()>>;

/// Which defence stops an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// The filter kills it.
    Filter,
    /// The filter kills it, and without the filter Landlock would refuse it.
    FilterAndLandlock,
}

/// What an attempt needs to succeed without defence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it must succeed.
    Nothing,
    /// A privilege or a kernel option that a host may lack: being refused is no surprise.
    Privilege,
}

/// What a child puts between itself and the attempt.
#[derive(Clone, Copy, Debug)]
pub enum Defence<'a> {
    /// Nothing: the control.
    None,
    /// Landlock alone, without any port.
    Landlock,
    /// The filter alone.
    Filter(&'a [Rule]),
}

/// How an attempt ended, as seen by whoever started the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It worked.
    Succeeded,
    /// The kernel answered with an error.
    Refused,
    /// The filter killed the process (SIGSYS).
    Killed,
    /// The attempt could not be prepared, the defence not be set up, or the child ended otherwise.
    Inconclusive,
}

const SUCCEEDED: u8 = 0;
const REFUSED: u8 = 10;
const INCONCLUSIVE: u8 = 11;

impl Outcome {
    /// Reads the end of a child that ran [`Escape::attempt`].
    pub fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) if code == i32::from(SUCCEEDED) => Self::Succeeded,
            (Some(code), _) if code == i32::from(REFUSED) => Self::Refused,
            (_, Some(libc::SIGSYS)) => Self::Killed,
            _ => Self::Inconclusive,
        }
    }
}

impl Escape {
    /// All attempts.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [
            files::ESCAPES,
            processes::ESCAPES,
            network::ESCAPES,
            descriptors::ESCAPES,
        ]
        .into_iter()
        .flatten()
    }

    /// The attempt of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|escape| escape.name == name)
    }

    /// Takes the defence and makes the attempt: the whole life of a child with one thread.
    ///
    /// The answer is for [`Outcome::of`]; return it from `main`.
    pub fn attempt(&self, defence: Defence<'_>) -> ExitCode {
        let Ok(attempt) = (self.prepare)() else {
            return INCONCLUSIVE.into();
        };
        if confine(defence).is_err() {
            return INCONCLUSIVE.into();
        }
        match attempt() {
            Ok(()) => SUCCEEDED.into(),
            Err(_) => REFUSED.into(),
        }
    }
}

fn confine(defence: Defence<'_>) -> Result<(), ConfineError> {
    match defence {
        Defence::None => Ok(()),
        Defence::Landlock => restrict_files_and_network(&[]).map(drop),
        Defence::Filter(rules) => load_filter(rules),
    }
}

/// An attempt that needs nothing opened before.
fn simply(attempt: impl FnOnce() -> io::Result<()> + 'static) -> io::Result<Attempt> {
    Ok(Box::new(attempt))
}

/// Forgets what was gained: giving it back would be another system call, and being killed for that
/// one would look like being stopped.
fn gained<T>(outcome: Result<T, impl Into<io::Error>>) -> io::Result<()> {
    outcome.map(std::mem::forget).map_err(Into::into)
}
