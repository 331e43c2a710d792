//! Why a verb was not done.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use signstar::trusted_file::{self, FileError};
use signstar_console::ConsoleError;
use signstar_core::{Refusal, SignerError};

/// Exit statuses, from sysexits(3); the first three are those of plugins for Nagios.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Somebody should see to it.
    Warning,
    /// Somebody must see to it now.
    Critical,
    /// Nobody can say.
    Unknown,
    /// The command line is wrong.
    Usage,
    /// The content of a file is.
    Data,
    /// A device cannot be reached.
    Unavailable,
    /// Something inside went wrong.
    Internal,
    /// A file cannot be created, or exists already.
    CannotCreate,
    /// A file cannot be read or written.
    InputOutput,
    /// The permission is missing.
    Permission,
    /// The configuration is wrong.
    Configuration,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Warning => 1,
            Status::Critical => 2,
            Status::Unknown => 3,
            Status::Usage => 64,
            Status::Data => 65,
            Status::Unavailable => 69,
            Status::Internal => 70,
            Status::CannotCreate => 73,
            Status::InputOutput => 74,
            Status::Permission => 77,
            Status::Configuration => 78,
        })
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

    /// A failure with `path`.
    pub(crate) fn with(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        let what = trusted_file::describe(error);
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::new(
                Status::Permission,
                format!("{path}: {what}: run this as root"),
            ),
            io::ErrorKind::NotFound => Self::new(
                Status::CannotCreate,
                format!("{path}: its folder is missing: make it"),
            ),
            _ => Self::new(Status::InputOutput, format!("{path}: {what}")),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let status = match &error {
            FileError::Unreadable(..) => Status::InputOutput,
            FileError::Changeable(_) | FileError::Exposed(_) => Status::Permission,
            FileError::NotRegular(_) | FileError::TooLarge(..) => Status::Data,
        };
        Self::new(status, error)
    }
}

impl From<ConsoleError> for Failure {
    fn from(error: ConsoleError) -> Self {
        match error {
            ConsoleError::Usage(text) => Self::new(Status::Usage, text),
            ConsoleError::File(path, error) => Self::with(&path, &error),
            ConsoleError::Exists(text) => Self::new(Status::CannotCreate, text),
            ConsoleError::Program(text) => Self::new(Status::Unavailable, text),
        }
    }
}

/// What the login shell would refuse.
impl From<signstar_core::Failure> for Failure {
    fn from(failure: signstar_core::Failure) -> Self {
        let status = match failure.refusal {
            Refusal::Configuration => Status::Configuration,
            Refusal::Certificate | Refusal::Credential => Status::Data,
            Refusal::DeviceUnavailable | Refusal::Busy => Status::Unavailable,
            _ => Status::Internal,
        };
        Self::new(status, failure.detail)
    }
}

impl From<SignerError> for Failure {
    fn from(error: SignerError) -> Self {
        let status = match &error {
            SignerError::Unavailable(_) | SignerError::Busy(_) | SignerError::TryAgain(_) => {
                Status::Unavailable
            }
            SignerError::Credential(_) => Status::Data,
            SignerError::Failed(_) => Status::Internal,
        };
        Self::new(status, error)
    }
}
