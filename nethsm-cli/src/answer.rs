//! Commands for programs that embed this one.

use std::ffi::OsString;
use std::fmt;

use serde_json::Value;

use crate::failure::Status;
use crate::{aliases, by_mistake, perform, variables};

/// What a command has done or found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What `--output json` prints, of the shape that [`crate::schema`] says.
    pub value: Value,
    /// What people read on standard output, or the bytes of a key, a signature, a certificate.
    pub text: Vec<u8>,
    /// What the program ends with: 0, or 10 to 12 where something was found that somebody looked for (see
    /// EXIT STATUS in the manual page).
    pub status: u8,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What the program ends with, 1 to 9: the numbers are a promise, as those of EXIT STATUS in the manual
    /// page.
    pub status: u8,
    /// One line that says what to do, without a secret in it.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

/// Does what `arguments` (without the program's name) ask for, and prints nothing.
///
/// It blocks until the devices have answered, for at most `--timeout` seconds an operation. Variables of the
/// environment and the profile count as on a command line: what must not depend on them stands in the
/// arguments. Questions are asked at the terminal; with a passphrase from somewhere else and `--yes` there
/// are none. `status --watch` and `metrics --listen` go on and print, and a program of `run` prints; `cluster
/// join` waits for its `--for`, and says at once on standard error what has to be done meanwhile.
///
/// ```no_run
/// // Which keys can sign for the repository, and how often each did.
/// let answer = nethsm_cli::answer(["-d", "one", "key", "list", "--long", "--tag", "packages"])?;
/// for key in answer.value["keys"].as_array().into_iter().flatten() {
///     println!("{}: {}", key["id"], key["operations"]);
/// }
/// # Ok::<(), nethsm_cli::Problem>(())
/// ```
///
/// # Errors
/// [`Problem`]: the command line is wrong (2), or what was asked for was not done.
pub fn answer<A: Into<OsString>>(
    arguments: impl IntoIterator<Item = A>,
) -> Result<Answer, Problem> {
    let program = std::iter::once(OsString::from("nethsm-cli"));
    let arguments = program.chain(arguments.into_iter().map(Into::into));
    let arguments = aliases::translated(arguments.collect());
    let cli = variables::parse(arguments).map_err(|error| Problem {
        status: Status::Usage.code(),
        text: by_mistake(&error).unwrap_or_else(|| error.to_string()),
    })?;
    match perform(&cli) {
        Ok(report) => Ok(Answer {
            status: report.status.code(),
            value: report.value,
            text: report.text,
        }),
        Err(failure) => Err(Problem {
            status: failure.status.code(),
            text: failure.text,
        }),
    }
}
