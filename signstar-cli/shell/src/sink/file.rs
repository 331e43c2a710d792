//! A file that is only ever appended to.
//!
//! It is opened for appending and never created: who may write it is the operator's decision, made
//! beforehand. Landlock and the system call filter leave nothing but write(2) on this descriptor.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use signstar_core::{Record, LINE_BYTES_MAX};

use super::Target;
use crate::trusted_file::describe;

/// A request leaves at most this many records: intent, release, undelivered; or one refusal.
const RECORDS_MAX: u64 = 4;

struct LogFile {
    file: File,
    /// Whether the last writer was cut off in the middle of a line.
    is_torn: bool,
}

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
    let is_torn = ends_torn(path, metadata.len()).map_err(io)?;
    Ok(Box::new(LogFile { file, is_torn }))
}

/// Whether the file does not end with a line end.
fn ends_torn(path: &Path, length: u64) -> std::io::Result<bool> {
    let Some(last) = length.checked_sub(1) else {
        return Ok(false);
    };
    let reader = File::options()
        .read(true)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    let mut byte = [0];
    let read = reader.read_at(&mut byte, last)?;
    Ok(read == 1 && byte != *b"\n")
}

impl Target for LogFile {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    fn message(&mut self, record: &Record) -> Vec<u8> {
        let mut line = Vec::new();
        if std::mem::take(&mut self.is_torn) {
            // Ends what is there in a way that no record has: its end is missing, so it is none.
            line.extend_from_slice(b"?\n");
        }
        line.extend_from_slice(record.to_line().as_bytes());
        line.push(b'\n');
        line
    }
}
