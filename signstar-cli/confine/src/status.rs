//! What the kernel says about this process, from `/proc/self`.

use std::fs;
use std::io;

use crate::ConfineError;

const STATUS: &str = "/proc/self/status";
const TASKS: &str = "/proc/self/task";

/// SIGALRM in the masks of [`STATUS`]: signal 1 is bit 0.
const ALARM: u64 = 1 << (libc::SIGALRM - 1);

/// What keeps SIGALRM from ending the process: `ignored`, `blocked`, `caught`, or nothing.
pub(crate) fn alarm_is() -> Result<Option<&'static str>, ConfineError> {
    let unusable = |source| ConfineError::Proc {
        path: STATUS,
        source,
    };
    let status = fs::read_to_string(STATUS).map_err(unusable)?;
    for (mask, state) in [
        ("SigIgn:\t", "ignored"),
        ("SigBlk:\t", "blocked"),
        ("SigCgt:\t", "caught"),
    ] {
        let bits = status
            .lines()
            .find_map(|line| line.strip_prefix(mask))
            .and_then(|value| u64::from_str_radix(value, 16).ok())
            .ok_or_else(|| unusable(io::ErrorKind::InvalidData.into()))?;
        if bits & ALARM != 0 {
            return Ok(Some(state));
        }
    }
    Ok(None)
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
