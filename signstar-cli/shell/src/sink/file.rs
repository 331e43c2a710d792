//! A file that is only ever appended to.
//!
//! It is opened for appending and never created: who may write it is the operator's decision, made
//! beforehand. Landlock and the system call filter leave nothing but write(2) on this descriptor.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use signstar_core::{Record, LINE_BYTES_MAX};

use super::Target;
use crate::trusted_file::describe;

/// Sessions that run at the same time write to one file: there must be room for the records of several.
const RECORDS_MAX: u64 = 64;

struct LogFile(File);

pub(super) fn open(path: &Path, bytes_max: u64, sync: bool) -> Result<Box<dyn Target>, String> {
    let failed = |reason: &str| format!("{}: {reason}", path.display());
    let io = |error: std::io::Error| failed(&describe(&error));
    let mut flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    if sync {
        flags |= OFlag::O_DSYNC;
    }
    let file = File::options()
        .append(true)
        .custom_flags(flags.bits())
        .open(path)
        .map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(failed("not a regular file"));
    }
    if metadata.mode() & 0o002 != 0 {
        return Err(failed("must not be writable by everybody"));
    }
    // Running into the size limit would end the process without a word.
    let line_bytes_max = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let needed = RECORDS_MAX.saturating_mul(line_bytes_max.saturating_add(2));
    if metadata.len().saturating_add(needed) > bytes_max {
        return Err(failed(&format!(
            "has reached its limit of {bytes_max} bytes; rotate it"
        )));
    }
    Ok(Box::new(LogFile(file)))
}

impl Target for LogFile {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Behind a line that was cut off, by a full disk say, it does not begin a new one. What was cut off is
    /// no record then, as it must not be, and where the next one begins is plain: no value has a space.
    fn message(&mut self, record: &Record) -> Vec<u8> {
        let mut line = record.to_line().into_bytes();
        line.push(b'\n');
        line
    }
}
