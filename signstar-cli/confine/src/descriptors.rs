//! The file descriptors a process starts with: three standard streams and nothing else.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::close;

use crate::ConfineError;

const OPEN: &str = "/proc/self/fd";
const STANDARD_STREAMS: std::ops::RangeInclusive<RawFd> = 0..=2;

/// Closes every descriptor but the three standard streams.
///
/// Must run before anything in the process owns a descriptor.
pub(crate) fn close_stray() -> Result<(), ConfineError> {
    let step = "close inherited file descriptors";
    for fd in stray()? {
        match close(fd) {
            // The descriptor that the list itself was read with.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(source) => return Err(ConfineError::Refused { step, source }),
        }
    }
    // Only the descriptor that this second list is read with may be left.
    match stray()?.len() {
        0 | 1 => Ok(()),
        _ => Err(ConfineError::NotInForce { step }),
    }
}

/// Makes sure that standard input and output are pipes or sockets, and standard error is open.
///
/// # Errors
/// [`ConfineError::Stream`] where one is something else, a terminal say.
pub fn require_streams() -> Result<(), ConfineError> {
    require_stream(0, io::stdin().as_fd())?;
    require_stream(1, io::stdout().as_fd())?;
    kind(io::stderr().as_fd())?;
    Ok(())
}

/// Fails unless standard input is a socket, and the other standard streams are open.
pub(crate) fn require_socket() -> Result<(), ConfineError> {
    kind(io::stdout().as_fd())?;
    kind(io::stderr().as_fd())?;
    match kind(io::stdin().as_fd())? {
        SFlag::S_IFSOCK => Ok(()),
        _ => Err(ConfineError::Stream { fd: 0 }),
    }
}

fn require_stream(number: RawFd, stream: BorrowedFd<'_>) -> Result<(), ConfineError> {
    match kind(stream)? {
        SFlag::S_IFIFO | SFlag::S_IFSOCK => Ok(()),
        _ => Err(ConfineError::Stream { fd: number }),
    }
}

fn kind(stream: BorrowedFd<'_>) -> Result<SFlag, ConfineError> {
    let status = fstat(stream).map_err(|source| ConfineError::Refused {
        step: "look at standard streams",
        source,
    })?;
    Ok(SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT)
}

/// Every open descriptor from 3 on, among them the one the list is read with.
fn stray() -> Result<Vec<RawFd>, ConfineError> {
    let unusable = |source| ConfineError::Proc { path: OPEN, source };
    let mut found = Vec::new();
    for entry in fs::read_dir(OPEN).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name();
        let fd: RawFd = name
            .to_str()
            .and_then(|name| name.parse().ok())
            .ok_or_else(|| unusable(io::ErrorKind::InvalidData.into()))?;
        if !STANDARD_STREAMS.contains(&fd) {
            found.push(fd);
        }
    }
    Ok(found)
}
