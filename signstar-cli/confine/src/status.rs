//! What the kernel says about this process, from `/proc/self`.

use std::fs;
use std::io;

use crate::ConfineError;

const STATUS: &str = "/proc/self/status";
const TASKS: &str = "/proc/self/task";

/// SIGALRM in the masks of [`STATUS`]: signal 1 is bit 0.
const ALARM: u64 = 1 << (libc::SIGALRM - 1);

/// Whether SIGALRM is in one of the masks `SigIgn`, `SigBlk` or `SigCgt`.
pub(crate) fn alarm_in(mask: &str) -> Result<bool, ConfineError> {
    let unusable = |source| ConfineError::Proc {
        path: STATUS,
        source,
    };
    let status = fs::read_to_string(STATUS).map_err(unusable)?;
    let bits = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| *name == mask)
        .and_then(|(_, value)| u64::from_str_radix(value.trim(), 16).ok())
        .ok_or_else(|| unusable(io::ErrorKind::InvalidData.into()))?;
    Ok(bits & ALARM != 0)
}

/// Fails unless the calling thread is the only one.
pub(crate) fn require_one_thread() -> Result<(), ConfineError> {
    let unusable = |source| ConfineError::Proc {
        path: TASKS,
        source,
    };
    let mut threads = 0_usize;
    for task in fs::read_dir(TASKS).map_err(unusable)? {
        // A list that breaks off must not count as short.
        task.map_err(unusable)?;
        threads = threads.saturating_add(1);
    }
    match threads {
        1 => Ok(()),
        more => Err(ConfineError::Threads(more)),
    }
}
