//! `sandbox selftest`: the escapes of `signstar-confine`, each tried by a process of its own.

use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{Resource, setrlimit};
use serde::Serialize;
use signstar_confine::selftest::{self, Escape, Needs, Outcome, StoppedBy};
use signstar_confine::{OpenFds, shell_rules};

use crate::cli::{Attempt, Defence};
use crate::failure::{Failure, Status};
use crate::report::Report;

#[derive(Serialize)]
struct Tested {
    attempts: Vec<Tried>,
    stopped: usize,
}

#[derive(Serialize)]
struct Tried {
    name: &'static str,
    tries: &'static str,
    /// How it ends without defence, under Landlock alone, and under the filter of the login shell.
    unconfined: &'static str,
    landlock: Option<&'static str>,
    filter: &'static str,
    stopped: bool,
}

/// Makes every attempt.
pub(crate) fn selftest() -> Result<Report, Failure> {
    // Processes that the filter kills would leave core files behind.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)
        .map_err(|error| Failure::new(Status::Internal, error.desc()))?;
    let attempts = Escape::all().map(try_out).collect::<Result<Vec<_>, _>>()?;
    let stopped = attempts.iter().filter(|tried| tried.stopped).count();
    let finding = (stopped != attempts.len()).then_some(Status::Internal);
    let tested = Tested { attempts, stopped };
    Ok(Report::new(tested.text(), &tested)?.ending_with(finding))
}

fn try_out(escape: &'static Escape) -> Result<Tried, Failure> {
    log::debug!("trying to {}", escape.tries);
    let unconfined = outcome(escape, "none")?;
    let landlock = match escape.stopped_by {
        StoppedBy::Filter => None,
        StoppedBy::FilterAndLandlock => Some(outcome(escape, "landlock")?),
    };
    let filter = outcome(escape, "filter")?;
    // An attempt that does nothing without defence either would prove nothing.
    let works = match escape.needs {
        Needs::Nothing => unconfined == Outcome::Succeeded,
        Needs::Privilege => matches!(unconfined, Outcome::Succeeded | Outcome::Refused),
    };
    let stopped = works
        && filter == Outcome::Killed
        && landlock.is_none_or(|outcome| outcome == Outcome::Refused);
    Ok(Tried {
        name: escape.name,
        tries: escape.tries,
        unconfined: word(unconfined),
        landlock: landlock.map(word),
        filter: word(filter),
        stopped,
    })
}

/// How an attempt of another process ends.
fn outcome(escape: &Escape, defence: &str) -> Result<Outcome, Failure> {
    let failed = |error| Failure::with("/proc/self/exe".as_ref(), &error);
    let status = Command::new("/proc/self/exe")
        .args(["sandbox", "attempt", escape.name, defence])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(failed)?;
    Ok(Outcome::of(status))
}

/// The life of that process.
pub(crate) fn attempt(attempt: &Attempt) -> ExitCode {
    let (Some(escape), Ok(rules)) = (
        Escape::named(&attempt.name),
        shell_rules(&OpenFds::default()),
    ) else {
        return Status::Usage.into();
    };
    escape.attempt(match attempt.defence {
        Defence::None => selftest::Defence::None,
        Defence::Landlock => selftest::Defence::Landlock,
        Defence::Filter => selftest::Defence::Filter(&rules),
    })
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeds",
        Outcome::Refused => "refused",
        Outcome::Killed => "killed",
        Outcome::Inconclusive => "inconclusive",
    }
}

impl Tested {
    fn text(&self) -> String {
        let mut text = row([
            "attempt",
            "unconfined",
            "Landlock",
            "filter",
            "what it tries",
        ]);
        for tried in &self.attempts {
            let landlock = tried.landlock.unwrap_or("-");
            let complaint = if tried.stopped {
                ""
            } else {
                " -- NOT STOPPED AS IT SHOULD BE"
            };
            let tries = format!("{}{complaint}", tried.tries);
            text += &row([tried.name, tried.unconfined, landlock, tried.filter, &tries]);
        }
        text += &format!("{} of {} stopped\n", self.stopped, self.attempts.len());
        text
    }
}

fn row([name, unconfined, landlock, filter, tries]: [&str; 5]) -> String {
    format!("{name:<20} {unconfined:<13} {landlock:<9} {filter:<9} {tries}\n")
}
