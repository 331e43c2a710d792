//! The one error of these tasks: a line that says what to do.

use std::fmt;

/// What went wrong, in one line.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What every task returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with this text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Says what was being attempted when something else failed.
pub(crate) trait Because<T> {
    /// Puts `attempt` in front of the error's own text.
    fn because(self, attempt: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Because<T> for std::result::Result<T, E> {
    fn because(self, attempt: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure(format!("{attempt}: {error}")))
    }
}

/// Fails with one line that lists every problem, or succeeds when there is none.
pub(crate) fn none_of(problems: &[String], what: &str) -> Result<()> {
    for problem in problems {
        println!("  {problem}");
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(Failure(format!("1 problem: {what}"))),
        count => Err(Failure(format!("{count} problems: {what}"))),
    }
}
