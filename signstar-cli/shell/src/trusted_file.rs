//! Reading the few files that a signature depends on, and refusing what others could have changed.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use signstar_confine::changeable_folder;
use zeroize::Zeroizing;

/// What a file holds, and so who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anybody may read it.
    Public,
    /// Anybody may read it and somebody else may write it: its signature is verified.
    Verified,
    /// Root and the file's group may read it, which the operator chooses: mode 0440, 0400 or 0640, 0600.
    Secret,
}

/// Why a file is not used. The operator must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, String),
    /// It is a link, folder, device or pipe.
    #[error("{0}: not a regular file")]
    NotRegular(PathBuf),
    /// It or a folder above it does not belong to root, or somebody but root can change it.
    #[error("{0}: must belong to root and be writable by root only")]
    Changeable(PathBuf),
    /// Others can read the secret in it.
    #[error("{0}: holds a secret, so it must not be readable by others (mode 0440)")]
    Exposed(PathBuf),
    /// It is larger than such a file can sensibly be.
    #[error("{0}: larger than {1} bytes")]
    TooLarge(PathBuf, u64),
}

/// Reads a file of up to `bytes_max` bytes that only root can change or replace, if it is not verified. What
/// is read is wiped from memory when it is dropped.
///
/// # Errors
/// See [`FileError`].
pub fn read(path: &Path, kind: Kind, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let unreadable = |error: std::io::Error| FileError::Unreadable(path.into(), describe(&error));
    let file = File::options()
        .read(true)
        // Neither follows a link nor waits for the other end of a pipe.
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
        .map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(FileError::NotRegular(path.into()));
    }
    if kind == Kind::Verified {
        return read_up_to(&file, path, bytes_max);
    }
    if metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
        return Err(FileError::Changeable(path.into()));
    }
    if let Some(folder) = changeable_folder(path).map_err(unreadable)? {
        return Err(FileError::Changeable(folder));
    }
    if kind == Kind::Secret && metadata.mode() & 0o007 != 0 {
        return Err(FileError::Exposed(path.into()));
    }
    read_up_to(&file, path, bytes_max)
}

/// Reads an open file to its end; `path` is for messages only.
///
/// # Errors
/// It cannot be read, or is larger than `bytes_max`.
pub fn read_up_to(
    file: &File,
    path: &Path,
    bytes_max: u64,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let unreadable = |error: std::io::Error| FileError::Unreadable(path.into(), describe(&error));
    let too_large = || FileError::TooLarge(path.into(), bytes_max);
    let length = file.metadata().map_err(unreadable)?.len();
    if length > bytes_max {
        return Err(too_large());
    }
    // Room for all of it at once: a growing buffer would leave copies of a secret behind.
    let room = usize::try_from(length)
        .map_err(|_| too_large())?
        .saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(length.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).ok() != Some(length) {
        return Err(FileError::Unreadable(
            path.into(),
            "changed while it was read".to_owned(),
        ));
    }
    Ok(bytes)
}

/// An error of the operating system in its own words, without the number that std adds.
pub fn describe(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}
