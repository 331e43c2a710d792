//! What a verb has to say, for people and for programs.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::{Serialize, Serializer};
use signstar_core::KeyKind;

use crate::cli::Output;
use crate::failure::{Failure, Status};

/// What a verb has done or found.
pub(crate) struct Report {
    text: String,
    value: serde_json::Value,
    /// What the process ends with, if not with success: a check has found something.
    finding: Option<Status>,
}

impl Report {
    /// All is well.
    pub(crate) fn new(text: String, value: &impl Serialize) -> Result<Self, Failure> {
        let value =
            serde_json::to_value(value).map_err(|error| Failure::new(Status::Internal, error))?;
        Ok(Self {
            text,
            value,
            finding: None,
        })
    }

    /// Ends with `finding` instead.
    pub(crate) fn ending_with(mut self, finding: Option<Status>) -> Self {
        self.finding = finding;
        self
    }

    /// Writes it to standard output and returns what to end with.
    pub(crate) fn print(self, output: Output) -> Result<ExitCode, Failure> {
        let text = match output {
            Output::Text => self.text,
            Output::Json => format!("{:#}\n", self.value),
        };
        io::stdout()
            .write_all(text.as_bytes())
            .and_then(|()| io::stdout().flush())
            .map_err(|error| Failure::with("standard output".as_ref(), &error))?;
        Ok(self.finding.map_or(ExitCode::SUCCESS, ExitCode::from))
    }
}

/// A kind of key in a report, by its name.
pub(crate) fn in_words<S: Serializer>(kind: &KeyKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(kind)
}
