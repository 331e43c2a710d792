//! Why a command was not done, and the status that the program ends with.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use signstar_console::ConsoleError;

/// What the program ends with. The numbers are a promise: `manual.rs` publishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// All is well.
    Done,
    /// A file, a program or something inside went wrong, or the device did.
    Failed,
    /// The command line or the profile is wrong, or nobody confirmed.
    Usage,
    /// User and passphrase were refused.
    Authentication,
    /// The user may not do it.
    Forbidden,
    /// The device does not have it.
    Absent,
    /// The device is in another state.
    State,
    /// Something is in the way.
    Conflict,
    /// The device cannot be reached or does not prove who it is.
    Unreachable,
    /// The device wants less to do.
    Throttled,
    /// The device differs from what was asked for.
    Drift,
}

impl Status {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Authentication => 3,
            Self::Forbidden => 4,
            Self::Absent => 5,
            Self::State => 6,
            Self::Conflict => 7,
            Self::Unreachable => 8,
            Self::Throttled => 9,
            Self::Drift => 10,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// One line that says what to do, and the status to end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(status: Status, text: impl ToString) -> Self {
        let text = text.to_string();
        Self { status, text }
    }

    /// Something about what was asked for.
    pub(crate) fn usage(text: impl ToString) -> Self {
        Self::new(Status::Usage, text)
    }

    /// Something beside the device.
    pub(crate) fn failed(text: impl ToString) -> Self {
        Self::new(Status::Failed, text)
    }

    /// A failure with the file at `path`.
    pub(crate) fn with(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        let what = match error.kind() {
            io::ErrorKind::NotFound => "is not there, or its folder is not".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            io::ErrorKind::AlreadyExists => "exists already".to_owned(),
            _ => error.to_string(),
        };
        Self::failed(format!("{path}: {what}"))
    }
}

impl From<ConsoleError> for Failure {
    fn from(error: ConsoleError) -> Self {
        match error {
            ConsoleError::Usage(text) => Self::usage(text),
            ConsoleError::File(path, error) => Self::with(&path, &error),
            ConsoleError::Exists(text) | ConsoleError::Program(text) => Self::failed(text),
        }
    }
}
