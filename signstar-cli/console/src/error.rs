//! What can go wrong at a console: a variant for each status that a tool may end with.

use std::io;
use std::path::{Path, PathBuf};

/// Why something at the console was not done. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// What the operator gave is wrong, or nobody has agreed. The operator must act.
    #[error("{0}")]
    Usage(String),
    /// A file or its folder cannot be used.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Something has the name of a file that is to be. The operator must move it away.
    #[error("{0}")]
    Exists(String),
    /// A program has not done what it was started for.
    #[error("{0}")]
    Program(String),
}

impl ConsoleError {
    pub(crate) fn usage(text: impl ToString) -> Self {
        Self::Usage(text.to_string())
    }

    pub(crate) fn with(path: &Path, error: io::Error) -> Self {
        Self::File(path.to_path_buf(), error)
    }
}
