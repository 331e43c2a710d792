//! Standard error, so the caller's terminal: to try things out, never to run an enclave.

use std::io::{stderr, Stderr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::stat::{fstat, makedev, SFlag};
use signstar_core::Record;

use super::Target;

struct StandardError {
    stream: Stderr,
    timeout: Duration,
}

pub(super) fn open(timeout: Duration) -> Result<Box<dyn Target>, String> {
    let stream = stderr();
    let status = fstat(&stream).map_err(|error| error.desc().to_owned())?;
    // The runtime puts it in the place of a stream that was closed at the start.
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFCHR
        && status.st_rdev == makedev(1, 3)
    {
        return Err("standard error is closed or /dev/null".to_owned());
    }
    Ok(Box::new(StandardError { stream, timeout }))
}

impl Target for StandardError {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn message(&mut self, record: &Record) -> Vec<u8> {
        let mut line = record.to_line().into_bytes();
        line.push(b'\n');
        line
    }

    fn ready(&self) -> Result<(), String> {
        let timeout = PollTimeout::try_from(self.timeout).unwrap_or(PollTimeout::MAX);
        let mut polled = [PollFd::new(self.stream.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut polled, timeout) {
            Ok(1..) => Ok(()),
            Ok(_) => Err("blocked past its time limit".to_owned()),
            Err(error) => Err(error.desc().to_lowercase()),
        }
    }
}
